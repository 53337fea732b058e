namespace Salus.Ledger.Merkle;

/// <summary>Makes proofs for any past size of a log from the stored hashes of its complete subtrees, in one batched read each.</summary>
public static class TreeProofs
{
    /// <summary>The root of the first <paramref name="size"/> leaves.</summary>
    public static async ValueTask<byte[]> RootAsync(long size, HashReader reader, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (size == 0)
            return MerkleHash.EmptyRoot();
        return (await ReadAsync([NodeId.Covering(0, size)], reader, cancellationToken))[0];
    }

    /// <summary>The inclusion proof of leaf <paramref name="index"/> in the tree of <paramref name="size"/> leaves (RFC 9162 section 2.1.3.1).</summary>
    public static ValueTask<byte[][]> InclusionAsync(long index, long size, HashReader reader, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<List<NodeId>>();
        var (start, end) = (0L, size);
        while (end - start > 1)
        {
            var split = start + LargestPowerBelow(end - start);
            if (index < split)
            {
                path.Add(NodeId.Covering(split, end));
                end = split;
            }
            else
            {
                path.Add(NodeId.Covering(start, split));
                start = split;
            }
        }
        path.Reverse();
        return ReadAsync(path, reader, cancellationToken);
    }

    /// <summary>
    /// The consistency proof between two sizes of one log (RFC 9162 section 2.1.4.1); empty from size 0 and between
    /// equal sizes.
    /// </summary>
    public static ValueTask<byte[][]> ConsistencyAsync(long oldSize, long newSize, HashReader reader, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        if (oldSize == 0 || oldSize == newSize)
            return ValueTask.FromResult(Array.Empty<byte[]>());
        var path = new List<List<NodeId>>();
        var (start, end) = (0L, newSize);
        while (oldSize != end)
        {
            var split = start + LargestPowerBelow(end - start);
            if (oldSize <= split)
            {
                path.Add(NodeId.Covering(split, end));
                end = split;
            }
            else
            {
                path.Add(NodeId.Covering(start, split));
                start = split;
            }
        }
        // The verifier has the old root already when the old tree is itself one of the subtrees
        if (start != 0)
            path.Add(NodeId.Covering(start, end));
        path.Reverse();
        return ReadAsync(path, reader, cancellationToken);
    }

    static long LargestPowerBelow(long size) => 1L << System.Numerics.BitOperations.Log2((ulong)(size - 1));

    static async ValueTask<byte[][]> ReadAsync(List<List<NodeId>> ranges, HashReader reader, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var ids = ranges.SelectMany(range => range).ToHashSet();
        if (ids.Count == 0)
            return [];
        var hashes = await reader(ids, cancellationToken);
        return [.. ranges.Select(range => RightEdge.Fold([.. range.Select(id => Stored(hashes, id))]))];
    }

    static byte[] Stored(IReadOnlyDictionary<NodeId, byte[]> hashes, NodeId id) =>
        hashes.TryGetValue(id, out var hash) && hash.Length == MerkleHash.Size
            ? hash
            : throw new InvalidDataException($"The log's stored hash at level {id.Level}, index {id.Index} is missing or not 32 bytes long.");
}
