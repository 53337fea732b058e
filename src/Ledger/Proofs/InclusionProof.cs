using System.Numerics;
using Salus.Ledger.Merkle;

namespace Salus.Ledger.Proofs;

/// <summary>Checks that a leaf stands in a tree (RFC 9162 section 2.1.3.2).</summary>
public static class InclusionProof
{
    /// <summary>Checks a proof for the leaf at <paramref name="index"/> in the tree of <paramref name="size"/> leaves.</summary>
    public static ProofVerdict Verify(ReadOnlySpan<byte> leafHash, long index, long size, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (index < 0 || index >= size)
            return ProofVerdict.OutOfRange;
        if (leafHash.Length != MerkleHash.Size || root.Length != MerkleHash.Size || proof.Any(hash => hash?.Length != MerkleHash.Size))
            return ProofVerdict.MalformedHash;
        if (proof.Count != Length(index, size))
            return ProofVerdict.WrongLength;

        Span<byte> hash = stackalloc byte[MerkleHash.Size];
        leafHash.CopyTo(hash);
        var (node, last) = (index, size - 1);
        foreach (var sibling in proof)
        {
            // A node that is last on its level has no right sibling and rises unchanged until it is a right child
            while ((node & 1) == 0 && node == last)
                (node, last) = (node >> 1, last >> 1);
            if ((node & 1) == 1)
                MerkleHash.Node(sibling, hash, hash);
            else
                MerkleHash.Node(hash, sibling, hash);
            (node, last) = (node >> 1, last >> 1);
        }
        return hash.SequenceEqual(root) ? ProofVerdict.Valid : ProofVerdict.WrongRoot;
    }

    /// <summary>Number of hashes in the inclusion proof of <paramref name="index"/> in a tree of <paramref name="size"/> leaves.</summary>
    static int Length(long index, long size)
    {
        var shared = BitLength(index ^ (size - 1));
        return shared + BitOperations.PopCount((ulong)(index >> shared));
    }

    static int BitLength(long value) => value == 0 ? 0 : BitOperations.Log2((ulong)value) + 1;
}
