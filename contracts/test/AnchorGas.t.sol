// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Anchor} from "../src/Anchor.sol";
import {Members} from "../src/Members.sol";
import {Test} from "./Test.sol";
import {AlikeTrees, Trees} from "./Trees.sol";

/// @dev Each call is a transaction of its own here: its gas holds the base fee, the calldata and cold storage.
/// forge-config: default.isolate = true
contract AnchorGasTest is Test {
    uint256 private constant GAS_MAX = 90_000;

    Anchor private _anchor;

    function setUp() public {
        _anchor = new Anchor(new Members("Owner"));
    }

    function test_anchor_costsAtMost90000GasAt2To30() public {
        uint64 size = 1 << 30;
        uint256 gas = _anchorGas("small batch", size - 1, size);
        emit Measured(gas);
        gas = _anchorGas("b", size - 1, size + 1);
        emit Measured(gas);
        gas = _anchorGas("c", size, size + 1);
        emit Measured(gas);
        gas = _anchorGas("d", size / 2 - 1, size);
        emit Measured(gas);
        gas = _anchorGas("e", size + size / 2 - 1, size + size / 2);
        emit Measured(gas);
    }
    event Measured(uint256 gas);

    function _anchorGas(bytes32 log, uint64 oldSize, uint64 newSize) private returns (uint256) {
        bytes32 leaf = Trees.leafHash("alike");
        bytes32[] memory proof = AlikeTrees.consistency(leaf, oldSize, newSize);
        bytes32 newRoot = AlikeTrees.root(leaf, newSize);
        _anchor.anchor(log, 0, oldSize, AlikeTrees.root(leaf, oldSize), new bytes32[](0));
        _anchor.anchor(log, oldSize, newSize, newRoot, proof);
        return vm.lastCallGas().gasTotalUsed;
    }
}
