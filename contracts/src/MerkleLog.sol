// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Proofs of RFC 9162 section 2.1, over SHA-256.
/// @notice The functions return the roots that a proof leads to; the caller compares them.
/// @dev Positions of a leaf's path split in two. Up to the highest bit in which two positions differ ("inner"), every
/// level has one sibling in the proof, on the side that the position's bit tells. Above it ("border"), both positions lie
/// on the tree's right edge: a level has a sibling, always on the left, only where the bit is set. This gives the length
/// of the one valid proof before anything is hashed, and the results of the algorithms in sections 2.1.3.2 and 2.1.4.2.
library MerkleLog {
    /// @notice The length of the consistency proof between two sizes, where 0 < oldSize < newSize.
    function consistencyLength(uint256 oldSize, uint256 newSize) internal pure returns (uint256) {
        (uint256 inner, uint256 path) = _consistencyShape(oldSize, newSize);
        uint256 border = _bitCount(path >> inner);
        return _isPowerOfTwo(oldSize) ? inner + border : inner + border + 1;
    }

    /// @notice The roots at `oldSize` and `newSize` that the proof leads to (section 2.1.4.2).
    /// @param oldRoot The known root at `oldSize`: the proof leaves it out where it is a node of the new tree.
    /// @dev The proof's length must be `consistencyLength(oldSize, newSize)`.
    function consistencyRoots(uint256 oldSize, bytes32 oldRoot, uint256 newSize, bytes32[] calldata proof)
        internal
        view
        returns (bytes32 provenOld, bytes32 provenNew)
    {
        (uint256 inner, uint256 path) = _consistencyShape(oldSize, newSize);
        (uint256 first, bytes32 start) = _isPowerOfTwo(oldSize) ? (0, oldRoot) : (1, proof[0]);
        // Where the proof brings the first node itself, its levels are counted by the proof's indices all the same.
        (inner, path) = (inner + first, path << first);

        (provenOld, provenNew) = (start, start);
        for (uint256 i = first; i < proof.length; ++i) {
            bytes32 sibling = proof[i];
            if (i >= inner || (path >> i) & 1 == 1) {
                (provenOld, provenNew) = _hashNodes(sibling, provenOld, provenNew);
            } else {
                provenNew = hashNode(provenNew, sibling);
            }
        }
    }

    /// @notice The length of the inclusion proof of leaf `index` in a tree of `size`, where index < size.
    function inclusionLength(uint256 index, uint256 size) internal pure returns (uint256) {
        uint256 inner = _bitLength(index ^ (size - 1));
        return inner + _bitCount(index >> inner);
    }

    /// @notice The root at `size` that the proof leads to (section 2.1.3.2).
    /// @dev The proof's length must be `inclusionLength(index, size)`.
    function inclusionRoot(bytes32 leafHash, uint256 index, uint256 size, bytes32[] calldata proof)
        internal
        view
        returns (bytes32 root)
    {
        uint256 inner = _bitLength(index ^ (size - 1));
        root = leafHash;
        for (uint256 level = 0; level < proof.length; ++level) {
            bool left = level >= inner || (index >> level) & 1 == 1;
            root = left ? hashNode(proof[level], root) : hashNode(root, proof[level]);
        }
    }

    /// @notice SHA-256(0x01 || left || right).
    /// @dev In assembly because a proof of a large log hashes up to sixty nodes: `sha256(abi.encodePacked(..))` would
    /// allocate new memory for each, at more than the price of the hash. The bytes are laid out past the free memory
    /// pointer, which stays where it is, and the digest comes back in scratch space.
    function hashNode(bytes32 left, bytes32 right) internal view returns (bytes32 node) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            mstore(add(buffer, 0x01), left)
            mstore(add(buffer, 0x21), right)
            // The precompile at address 2 fails only when gas runs out.
            if iszero(staticcall(gas(), 2, buffer, 0x41, 0, 0x20)) { revert(0, 0) }
            node := mload(0)
        }
    }

    /// @dev hashNode(left, rightOld) and hashNode(left, rightNew) in one: the left half is laid out once.
    function _hashNodes(bytes32 left, bytes32 rightOld, bytes32 rightNew)
        private
        view
        returns (bytes32 nodeOld, bytes32 nodeNew)
    {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            mstore(add(buffer, 0x01), left)
            mstore(add(buffer, 0x21), rightOld)
            if iszero(staticcall(gas(), 2, buffer, 0x41, 0, 0x20)) { revert(0, 0) }
            nodeOld := mload(0)
            mstore(add(buffer, 0x21), rightNew)
            if iszero(staticcall(gas(), 2, buffer, 0x41, 0, 0x20)) { revert(0, 0) }
            nodeNew := mload(0)
        }
    }

    /// @return inner How many levels, from the first node of the proof, lie below the fork of old and new path.
    /// @return path The position of that node at its level.
    function _consistencyShape(uint256 oldSize, uint256 newSize) private pure returns (uint256 inner, uint256 path) {
        // The proof begins at the old tree's last complete subtree, which the new tree shares. Its size is the lowest
        // bit set in the old size.
        uint256 level = Math.log2(oldSize & (~oldSize + 1));
        path = (oldSize - 1) >> level;
        inner = _bitLength(path ^ ((newSize - 1) >> level));
    }

    function _isPowerOfTwo(uint256 size) private pure returns (bool) {
        return size & (size - 1) == 0;
    }

    function _bitLength(uint256 value) private pure returns (uint256) {
        return value == 0 ? 0 : Math.log2(value) + 1;
    }

    function _bitCount(uint256 value) private pure returns (uint256 count) {
        // Nothing can wrap: one is taken from a value that is not zero, and there are 256 bits at most.
        unchecked {
            for (; value != 0; value &= value - 1) {
                ++count;
            }
        }
    }
}
