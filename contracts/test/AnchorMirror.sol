// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Anchor} from "../src/Anchor.sol";
import {Log} from "./Test.sol";

/// @dev The state of Anchor made of its events alone.
abstract contract AnchorMirror {
    struct Mirrored {
        uint64 owner;
        uint64 size;
        bytes32 root;
        uint64 blockNumber;
        bytes32 predecessor;
        bytes32 successor;
    }

    mapping(bytes32 log => Mirrored) private _mirrored;
    bytes32[] private _opened;
    /// @dev An event that does not follow from those before it.
    bool public disconnected;

    function mirrored(bytes32 log) external view returns (Mirrored memory) {
        return _mirrored[log];
    }

    function opened() external view returns (bytes32[] memory) {
        return _opened;
    }

    function apply_(Log memory log) internal {
        bytes32 kind = log.topics[0];
        Mirrored storage one = _mirrored[log.topics[1]];
        if (kind == Anchor.Opened.selector) {
            disconnected = disconnected || one.owner != 0;
            one.owner = uint64(uint256(log.topics[2]));
            _opened.push(log.topics[1]);
        } else if (kind == Anchor.Anchored.selector) {
            (uint64 oldSize, uint64 newSize, bytes32 newRoot) = abi.decode(log.data, (uint64, uint64, bytes32));
            disconnected = disconnected || one.owner == 0 || one.successor != 0 || one.size != oldSize;
            (one.size, one.root, one.blockNumber) = (newSize, newRoot, uint64(block.number));
        } else {
            (uint64 oldSize, bytes32 oldRoot, uint64 kept,) = abi.decode(log.data, (uint64, bytes32, uint64, bytes32));
            disconnected = disconnected || one.size != oldSize || one.root != oldRoot || kept > oldSize;
            one.successor = log.topics[2];
            _mirrored[log.topics[2]].predecessor = log.topics[1];
        }
    }
}
