// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Anchor} from "../src/Anchor.sol";
import {Members} from "../src/Members.sol";
import {AnchorMirror} from "./AnchorMirror.sol";
import {Log, Test} from "./Test.sol";
import {Trees} from "./Trees.sol";

/// @dev Keeps two logs, honestly and not. Whatever the contract accepts becomes the log, so that an accepted rewriting
/// shows in the heads that were anchored before.
contract AnchorHandler is Test, AnchorMirror {
    struct Accepted {
        uint64 size;
        bytes32 root;
    }

    Anchor public immutable ANCHOR;
    bytes32[2] private _ids = [bytes32("one"), bytes32("two")];
    bytes32[][2] private _leaves;
    Accepted[][2] private _accepted;

    constructor() {
        ANCHOR = new Anchor(new Members("Owner"));
    }

    function append(uint256 seed) external {
        uint256 log = seed % 2;
        bytes32[] memory leaves = _longer(log, seed);
        uint64 size = _size(log);
        assertTrue(_propose(log, leaves, size), "an honest head is accepted");
    }

    /// @dev One old leaf becomes another, in a tree that is otherwise sound and has sound proofs.
    function rewrite(uint256 seed) external {
        (uint256 log, uint64 size) = (seed % 2, _size(seed % 2));
        if (size == 0) return;
        bytes32[] memory leaves = _longer(log, seed);
        leaves[(seed >> 8) % size] = keccak256(abi.encode("rewritten", seed));
        _propose(log, leaves, size);
    }

    /// @dev Old leaves go, with or without new ones in their place.
    function truncate(uint256 seed) external {
        (uint256 log, uint64 size) = (seed % 2, _size(seed % 2));
        if (size < 2) return;
        uint64 kept = uint64(1 + (seed >> 8) % (size - 1));
        bytes32[] memory leaves = new bytes32[](kept + (seed >> 16) % size);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = i < kept ? _leaves[log][i] : keccak256(abi.encode("instead", seed, i));
        }
        _propose(log, leaves, seed >> 24 & 1 == 0 ? kept : size);
    }

    /// @dev A first head again, which would need no proof.
    function restart(uint256 seed) external {
        uint256 log = seed % 2;
        if (_size(log) == 0) return;
        bytes32[] memory leaves = new bytes32[](_size(log) + 1 + (seed >> 8) % 4);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode("restarted", seed, i));
        }
        _propose(log, leaves, 0);
    }

    /// @dev Another log takes a log's place, and begins anew. Nothing is anchored in the old one any more.
    function succeed(uint256 seed) external {
        uint256 log = seed % 2;
        if (_size(log) == 0 || seed >> 8 & 7 != 0) return;
        (bytes32 old, bytes32 next, bytes32[] memory leaves) = (_ids[log], keccak256(abi.encode(seed)), _longer(log, seed));
        vm.recordLogs();
        try ANCHOR.succeed(old, next, uint64((seed >> 16) % (_size(log) + 1)), "reason") {
            _apply();
            uint64 size = _size(log);
            assertTrue(!_propose(log, leaves, size), "a log that was succeeded takes no head");
            _ids[log] = next;
            delete _leaves[log];
            delete _accepted[log];
        } catch {
            // The same seed has opened that log before.
        }
    }

    function head(uint256 log) external view returns (uint64 size, bytes32 root) {
        (size, root,,) = ANCHOR.head(_ids[log]);
    }

    function accepted(uint256 log) external view returns (Accepted[] memory) {
        return _accepted[log];
    }

    function leavesOf(uint256 log) external view returns (bytes32[] memory) {
        return _leaves[log];
    }

    function _propose(uint256 log, bytes32[] memory leaves, uint64 oldSize) private returns (bool) {
        uint64 newSize = uint64(leaves.length);
        bytes32 newRoot = Trees.root(leaves, newSize);
        bool provable = 0 < oldSize && oldSize < newSize;
        bytes32[] memory proof = provable ? Trees.consistency(leaves, oldSize, newSize) : new bytes32[](0);
        vm.recordLogs();
        try ANCHOR.anchor(_ids[log], oldSize, newSize, newRoot, proof) {
            _apply();
            _leaves[log] = leaves;
            _accepted[log].push(Accepted(newSize, newRoot));
            return true;
        } catch {
            return false;
        }
    }

    function _apply() private {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            apply_(logs[i]);
        }
    }

    function _longer(uint256 log, uint256 seed) private view returns (bytes32[] memory leaves) {
        uint64 size = _size(log);
        leaves = new bytes32[](size + 1 + (seed >> 16) % 5);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = i < size ? _leaves[log][i] : keccak256(abi.encode(seed, i));
        }
    }

    function _size(uint256 log) private view returns (uint64) {
        return uint64(_leaves[log].length);
    }
}

contract AnchorInvariants is Test {
    AnchorHandler private _handler;

    function setUp() public {
        _handler = new AnchorHandler();
        target(address(_handler));
    }

    function invariant_sizesOnlyGrow() public view {
        for (uint256 log = 0; log < 2; ++log) {
            AnchorHandler.Accepted[] memory heads = _handler.accepted(log);
            for (uint256 i = 1; i < heads.length; ++i) {
                assertTrue(heads[i].size > heads[i - 1].size, "a head is larger than the one before");
            }
        }
    }

    function invariant_eachHeadExtendsTheLast() public view {
        for (uint256 log = 0; log < 2; ++log) {
            bytes32[] memory leaves = _handler.leavesOf(log);
            AnchorHandler.Accepted[] memory heads = _handler.accepted(log);
            for (uint256 i = 0; i < heads.length; ++i) {
                assertEq(Trees.root(leaves, heads[i].size), heads[i].root, "an old head is a prefix of the log");
            }
        }
    }

    function invariant_theHeadIsTheLastOneAccepted() public view {
        for (uint256 log = 0; log < 2; ++log) {
            (uint64 size, bytes32 root) = _handler.head(log);
            AnchorHandler.Accepted[] memory heads = _handler.accepted(log);
            bool none = heads.length == 0;
            assertEq(none ? 0 : heads[heads.length - 1].size, size, "size");
            assertEq(none ? bytes32(0) : heads[heads.length - 1].root, root, "root");
        }
    }

    function invariant_theEventsAloneReproduceTheState() public view {
        Anchor anchor = _handler.ANCHOR();
        bytes32[] memory logs = _handler.opened();
        for (uint256 i = 0; i < logs.length; ++i) {
            AnchorMirror.Mirrored memory mirrored = _handler.mirrored(logs[i]);
            (uint64 size, bytes32 root, uint64 blockNumber, uint64 owner) = anchor.head(logs[i]);
            (bytes32 predecessor, bytes32 successor) = anchor.lineage(logs[i]);
            assertEq(owner, mirrored.owner, "owner");
            assertEq(size, mirrored.size, "size");
            assertEq(root, mirrored.root, "root");
            assertEq(blockNumber, mirrored.blockNumber, "block");
            assertEq(predecessor, mirrored.predecessor, "predecessor");
            assertEq(successor, mirrored.successor, "successor");
        }
        assertTrue(!_handler.disconnected(), "each event follows from those before it");
    }
}
