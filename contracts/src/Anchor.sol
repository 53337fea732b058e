// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members} from "./Members.sol";
import {MembersOnly} from "./MembersOnly.sol";
import {MerkleLog} from "./MerkleLog.sol";

/// @title The heads of the members' logs, each of which extends the last.
/// @notice A head is accepted only with a consistency proof (RFC 9162 section 2.1.4) from the head before it. What is
/// anchored cannot be rewritten; whether all that happened was logged, or was true, no anchor can tell.
contract Anchor is MembersOnly {
    /// @dev All but the root share one slot; 48 bits hold 281 trillion leaves. The owner is a member's id.
    struct Head {
        uint64 owner;
        uint48 size;
        uint48 blockNumber;
        bool succeeded;
        bytes32 root;
    }

    mapping(bytes32 log => Head) private _heads;
    mapping(bytes32 log => bytes32) private _predecessors;
    mapping(bytes32 log => bytes32) private _successors;

    event Opened(bytes32 indexed log, uint64 indexed owner);
    event Succeeded(
        bytes32 indexed oldLog, bytes32 indexed newLog, uint64 oldSize, bytes32 oldRoot, uint64 kept, bytes32 reason
    );
    event Anchored(bytes32 indexed log, uint64 oldSize, uint64 newSize, bytes32 newRoot);

    error NotOwner(bytes32 log, uint64 owner, uint64 caller);
    error LogInUse(bytes32 log);
    error LogSucceeded(bytes32 log, bytes32 successor);
    error KeptTooLarge(uint64 max, uint64 given);
    error StaleSize(uint64 expected, uint64 given);
    error NotLarger(uint64 oldSize, uint64 newSize);
    error SizeTooLarge(uint64 max, uint64 given);
    error WrongProofLength(uint256 expected, uint256 given);
    /// @notice The proof starts from another root than the one anchored at the old size.
    error Forked(bytes32 anchored, bytes32 proven);
    /// @notice The proof leads to another root than the one to be anchored.
    error Unproven(bytes32 given, bytes32 proven);

    constructor(Members consortium) MembersOnly(consortium) {}

    /// @notice Anchors the next head of a log. The first one, with old size 0 and no proof, binds the log to the calling
    /// member, and to whatever account it moves to.
    /// @param log The log's identifier, chosen by its owner.
    /// @param oldSize The size of the head that stands.
    /// @param proof The consistency proof from `oldSize` to `newSize`.
    function anchor(bytes32 log, uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) external {
        uint64 caller = _requireMember();
        Head storage last = _heads[log];
        (uint64 owner, uint64 size) = (last.owner, last.size);
        if (owner == 0) emit Opened(log, caller);
        else _requireOpen(log, owner, caller);
        if (oldSize != size) revert StaleSize(size, oldSize);
        if (newSize <= size) revert NotLarger(size, newSize);
        if (newSize > type(uint48).max) revert SizeTooLarge(type(uint48).max, newSize);
        _requireConsistent(size, last.root, newSize, newRoot, proof);

        _heads[log] = Head({
            owner: caller,
            // Held by the check above.
            // forge-lint: disable-next-line(unsafe-typecast)
            size: uint48(newSize),
            // A block a second reaches 48 bits in nine million years.
            // forge-lint: disable-next-line(unsafe-typecast)
            blockNumber: uint48(block.number),
            succeeded: false,
            root: newRoot
        });
        emit Anchored(log, size, newSize, newRoot);
    }

    /// @notice Ends a log that its owner can continue no more, and opens another in its place: the head that stood, and
    /// what is missing, stay visible for good.
    /// @param kept How many of the old log's leaves the owner still holds; the rest up to its size are the gap.
    /// @param reason The salted commitment to how it came about.
    function succeed(bytes32 oldLog, bytes32 newLog, uint64 kept, bytes32 reason) external {
        uint64 caller = _requireMember();
        Head storage last = _heads[oldLog];
        _requireOpen(oldLog, last.owner, caller);
        if (_heads[newLog].owner != 0) revert LogInUse(newLog);
        if (kept > last.size) revert KeptTooLarge(last.size, kept);

        last.succeeded = true;
        _heads[newLog].owner = caller;
        _successors[oldLog] = newLog;
        _predecessors[newLog] = oldLog;
        emit Opened(newLog, caller);
        emit Succeeded(oldLog, newLog, last.size, last.root, kept, reason);
    }

    /// @notice The log that this one took the place of, and the one that took its; zero for none.
    function lineage(bytes32 log) external view returns (bytes32 predecessor, bytes32 successor) {
        return (_predecessors[log], _successors[log]);
    }

    /// @notice The head that stands and the member that owns the log; all zero for an unknown log.
    function head(bytes32 log) external view returns (uint64 size, bytes32 root, uint64 blockNumber, uint64 owner) {
        Head storage last = _heads[log];
        return (last.size, last.root, last.blockNumber, last.owner);
    }

    /// @notice Whether the leaf stands at `index` of the log, by an inclusion proof (RFC 9162 section 2.1.3) against the
    /// head that stands.
    /// @param leafHash SHA-256(0x00 || leaf).
    function verifyInclusion(bytes32 log, bytes32 leafHash, uint64 index, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        Head storage last = _heads[log];
        uint64 size = last.size;
        return index < size && proof.length == MerkleLog.inclusionLength(index, size)
            && MerkleLog.inclusionRoot(leafHash, index, size, proof) == last.root;
    }

    function _requireOpen(bytes32 log, uint64 owner, uint64 caller) private view {
        if (owner != caller) revert NotOwner(log, owner, caller);
        if (_heads[log].succeeded) revert LogSucceeded(log, _successors[log]);
    }

    function _requireConsistent(
        uint64 oldSize,
        bytes32 oldRoot,
        uint64 newSize,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) private view {
        uint256 length = oldSize == 0 ? 0 : MerkleLog.consistencyLength(oldSize, newSize);
        if (proof.length != length) revert WrongProofLength(length, proof.length);
        if (oldSize == 0) return;

        (bytes32 provenOld, bytes32 provenNew) = MerkleLog.consistencyRoots(oldSize, oldRoot, newSize, proof);
        if (provenOld != oldRoot) revert Forked(oldRoot, provenOld);
        if (provenNew != newRoot) revert Unproven(newRoot, provenNew);
    }
}
