// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Anchor} from "../src/Anchor.sol";
import {Members} from "../src/Members.sol";
import {Test} from "./Test.sol";
import {AlikeTrees, Trees} from "./Trees.sol";

/// @dev What whole transactions cost: isolated, each call pays its base fee and calldata and finds its storage cold. The
/// figures stand in snapshots/Anchor.json, and a change of them fails until it is written there on purpose.
/// forge-config: default.isolate = true
contract AnchorGasTest is Test {
    uint256 private constant GAS_MAX = 90_000;
    uint64 private constant SIZE = 1 << 30;

    Anchor private _anchor;

    function setUp() public {
        _anchor = new Anchor(new Members("Owner"));
    }

    function test_anchor_costsOfTheFirstHead() public {
        _anchor.anchor("log", 0, SIZE, "root", new bytes32[](0));
        vm.snapshotGasLastCall("Anchor", "first head");
    }

    /// @dev The longest proofs: an old tree with no subtree missing but a leaf, so that every node is hashed twice.
    function test_anchor_costsAtMost90000GasAt2To30() public {
        _measure(SIZE - 1, SIZE, "2^30 - 1 to 2^30");
        _measure(SIZE - 1, SIZE + 1, "2^30 - 1 to 2^30 + 1");
        _measure(SIZE, SIZE + 10_000, "2^30 to 2^30 + 10000");
        _measure(SIZE - 10_000, SIZE, "2^30 - 10000 to 2^30");
    }

    function testFuzz_anchor_costsAtMost90000GasUpTo2To30(uint256 oldSeed, uint256 newSeed) public {
        uint64 newSize = uint64(fold(newSeed, SIZE / 2, SIZE));
        uint64 oldSize = uint64(fold(oldSeed, 1, newSize - 1));
        assertAtMost(GAS_MAX, _gas(oldSize, newSize), "gas");
    }

    function _measure(uint64 oldSize, uint64 newSize, string memory name) private {
        assertAtMost(GAS_MAX, _gas(oldSize, newSize), name);
        vm.snapshotGasLastCall("Anchor", name);
    }

    function _gas(uint64 oldSize, uint64 newSize) private returns (uint256) {
        bytes32 log = keccak256(abi.encode(oldSize, newSize));
        bytes32 leaf = Trees.leafHash("alike");
        bytes32[] memory proof = AlikeTrees.consistency(leaf, oldSize, newSize);
        bytes32 oldRoot = AlikeTrees.root(leaf, oldSize);
        bytes32 newRoot = AlikeTrees.root(leaf, newSize);
        _anchor.anchor(log, 0, oldSize, oldRoot, new bytes32[](0));
        _anchor.anchor(log, oldSize, newSize, newRoot, proof);
        return vm.lastCallGas().gasTotalUsed;
    }
}
