using System.Numerics;
using Salus.Ledger.Merkle;

namespace Salus.Ledger.Proofs;

/// <summary>Checks that a tree extends an older one without changing it (RFC 9162 section 2.1.4.2).</summary>
public static class ConsistencyProof
{
    /// <summary>
    /// Checks a proof between two sizes of a log. From size 0 the proof is empty and the old root that of the empty
    /// tree: everything extends nothing.
    /// </summary>
    public static ProofVerdict Verify(long oldSize, long newSize, ReadOnlySpan<byte> oldRoot, ReadOnlySpan<byte> newRoot, IReadOnlyList<byte[]> proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (oldSize < 0 || oldSize > newSize)
            return ProofVerdict.OutOfRange;
        if (oldRoot.Length != MerkleHash.Size || newRoot.Length != MerkleHash.Size || proof.Any(hash => hash?.Length != MerkleHash.Size))
            return ProofVerdict.MalformedHash;
        if (oldSize == newSize)
            return proof.Count != 0 ? ProofVerdict.WrongLength : !oldRoot.SequenceEqual(newRoot) ? ProofVerdict.WrongRoot : Empty(oldSize, oldRoot);
        if (oldSize == 0)
            return proof.Count != 0 ? ProofVerdict.WrongLength : Empty(oldSize, oldRoot);
        return Walk(oldSize, newSize, oldRoot, newRoot, proof);
    }

    static ProofVerdict Empty(long oldSize, ReadOnlySpan<byte> oldRoot) =>
        oldSize != 0 || oldRoot.SequenceEqual(MerkleHash.EmptyRoot()) ? ProofVerdict.Valid : ProofVerdict.WrongOldRoot;

    static ProofVerdict Walk(long oldSize, long newSize, ReadOnlySpan<byte> oldRoot, ReadOnlySpan<byte> newRoot, IReadOnlyList<byte[]> proof)
    {
        var (node, last) = (oldSize - 1, newSize - 1);
        var shift = BitOperations.TrailingZeroCount(oldSize);
        (node, last) = (node >> shift, last >> shift);
        // Where the old tree is one complete subtree its root is the first hash, and the proof leaves it out
        var isSubtree = BitOperations.IsPow2(oldSize);
        if (proof.Count < (isSubtree ? 0 : 1))
            return ProofVerdict.WrongLength;

        Span<byte> oldHash = stackalloc byte[MerkleHash.Size];
        Span<byte> newHash = stackalloc byte[MerkleHash.Size];
        (isSubtree ? oldRoot : proof[0]).CopyTo(oldHash);
        oldHash.CopyTo(newHash);
        for (var i = isSubtree ? 0 : 1; i < proof.Count; i++)
        {
            if (last == 0)
                return ProofVerdict.WrongLength;
            if ((node & 1) == 1 || node == last)
            {
                MerkleHash.Node(proof[i], oldHash, oldHash);
                MerkleHash.Node(proof[i], newHash, newHash);
                while ((node & 1) == 0 && node != 0)
                    (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                MerkleHash.Node(newHash, proof[i], newHash);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        if (last != 0)
            return ProofVerdict.WrongLength;
        if (!oldHash.SequenceEqual(oldRoot))
            return ProofVerdict.WrongOldRoot;
        return newHash.SequenceEqual(newRoot) ? ProofVerdict.Valid : ProofVerdict.WrongRoot;
    }
}
