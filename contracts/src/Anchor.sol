// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members} from "./Members.sol";
import {MembersOnly} from "./MembersOnly.sol";
import {MerkleLog} from "./MerkleLog.sol";

/// @title The heads of the members' logs, each of which extends the last.
/// @notice A head is accepted only with a consistency proof (RFC 9162 section 2.1.4) from the head before it. What is
/// anchored cannot be rewritten; whether all that happened was logged, or was true, no anchor can tell.
contract Anchor is MembersOnly {
    /// @dev Size, block and owner share one slot; 48 bits hold 281 trillion leaves.
    struct Head {
        address owner;
        uint48 size;
        uint48 blockNumber;
        bytes32 root;
    }

    mapping(bytes32 log => Head) private _heads;

    event Anchored(bytes32 indexed log, uint64 oldSize, uint64 newSize, bytes32 newRoot);

    error NotOwner(bytes32 log, address owner, address caller);
    error StaleSize(uint64 expected, uint64 given);
    error NotLarger(uint64 oldSize, uint64 newSize);
    error SizeTooLarge(uint64 max, uint64 given);
    error WrongProofLength(uint256 expected, uint256 given);
    /// @notice The proof starts from another root than the one anchored at the old size.
    error Forked(bytes32 anchored, bytes32 proven);
    /// @notice The proof leads to another root than the one to be anchored.
    error Unproven(bytes32 given, bytes32 proven);

    constructor(Members consortium) MembersOnly(consortium) {}

    /// @notice Anchors the next head of a log. The first one, with old size 0 and no proof, binds the log to the caller.
    /// @param log The log's identifier, chosen by its owner.
    /// @param oldSize The size of the head that stands.
    /// @param proof The consistency proof from `oldSize` to `newSize`.
    function anchor(bytes32 log, uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof)
        external
        onlyMember
    {
        Head storage last = _heads[log];
        (address owner, uint64 size) = (last.owner, last.size);
        if (owner != address(0) && owner != msg.sender) revert NotOwner(log, owner, msg.sender);
        if (oldSize != size) revert StaleSize(size, oldSize);
        if (newSize <= size) revert NotLarger(size, newSize);
        if (newSize > type(uint48).max) revert SizeTooLarge(type(uint48).max, newSize);
        _requireConsistent(size, last.root, newSize, newRoot, proof);

        _heads[log] = Head({
            owner: msg.sender,
            // Held by the check above.
            // forge-lint: disable-next-line(unsafe-typecast)
            size: uint48(newSize),
            // A block a second reaches 48 bits in nine million years.
            // forge-lint: disable-next-line(unsafe-typecast)
            blockNumber: uint48(block.number),
            root: newRoot
        });
        emit Anchored(log, size, newSize, newRoot);
    }

    /// @notice The head that stands; all zero for an unknown log.
    function head(bytes32 log) external view returns (uint64 size, bytes32 root, uint64 blockNumber, address owner) {
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
