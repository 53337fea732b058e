// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev The definitions of RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1, word for word and slow: what the contract's
/// verification is checked against. Leaves are given by their hashes.
library Trees {
    function leafHash(bytes memory leaf) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), leaf));
    }

    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @dev MTH(D[0:size]).
    function root(bytes32[] memory leaves, uint256 size) internal pure returns (bytes32) {
        return root(leaves, 0, size);
    }

    /// @dev MTH(D[start:end]).
    function root(bytes32[] memory leaves, uint256 start, uint256 end) internal pure returns (bytes32) {
        if (end - start == 1) return leaves[start];
        uint256 k = split(end - start);
        return nodeHash(root(leaves, start, start + k), root(leaves, start + k, end));
    }

    /// @dev PROOF(oldSize, D[0:newSize]).
    function consistency(bytes32[] memory leaves, uint256 oldSize, uint256 newSize)
        internal
        pure
        returns (bytes32[] memory)
    {
        return subproof(leaves, oldSize, 0, newSize, true);
    }

    /// @dev PATH(index, D[0:size]).
    function inclusion(bytes32[] memory leaves, uint256 index, uint256 size) internal pure returns (bytes32[] memory) {
        return path(leaves, index, 0, size);
    }

    /// @dev The largest power of two smaller than n.
    function split(uint256 n) internal pure returns (uint256 k) {
        for (k = 1; k * 2 < n; k *= 2) {}
    }

    function append(bytes32[] memory list, bytes32 item) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = item;
    }

    function subproof(bytes32[] memory leaves, uint256 m, uint256 start, uint256 end, bool known)
        private
        pure
        returns (bytes32[] memory)
    {
        uint256 n = end - start;
        if (m == n) return known ? new bytes32[](0) : append(new bytes32[](0), root(leaves, start, end));
        uint256 k = split(n);
        return m <= k
            ? append(subproof(leaves, m, start, start + k, known), root(leaves, start + k, end))
            : append(subproof(leaves, m - k, start + k, end, false), root(leaves, start, start + k));
    }

    function path(bytes32[] memory leaves, uint256 m, uint256 start, uint256 end)
        private
        pure
        returns (bytes32[] memory)
    {
        uint256 n = end - start;
        if (n == 1) return new bytes32[](0);
        uint256 k = split(n);
        return m < k
            ? append(path(leaves, m, start, start + k), root(leaves, start + k, end))
            : append(path(leaves, m - k, start + k, end), root(leaves, start, start + k));
    }
}

/// @dev The same definitions for a log whose leaves are all alike: a subtree's root depends on its size alone, so that a
/// tree of billions of leaves takes a few hundred hashes.
library AlikeTrees {
    function root(bytes32 leaf, uint256 size) internal pure returns (bytes32) {
        if (size & (size - 1) == 0) {
            bytes32 node = leaf;
            for (; size > 1; size /= 2) {
                node = Trees.nodeHash(node, node);
            }
            return node;
        }
        uint256 k = Trees.split(size);
        return Trees.nodeHash(root(leaf, k), root(leaf, size - k));
    }

    function consistency(bytes32 leaf, uint256 oldSize, uint256 newSize) internal pure returns (bytes32[] memory) {
        return subproof(leaf, oldSize, newSize, true);
    }

    function subproof(bytes32 leaf, uint256 m, uint256 n, bool known) private pure returns (bytes32[] memory) {
        if (m == n) return known ? new bytes32[](0) : Trees.append(new bytes32[](0), root(leaf, n));
        uint256 k = Trees.split(n);
        return m <= k
            ? Trees.append(subproof(leaf, m, k, known), root(leaf, n - k))
            : Trees.append(subproof(leaf, m - k, n - k, false), root(leaf, k));
    }
}
