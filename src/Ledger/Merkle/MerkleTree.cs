namespace Salus.Ledger.Merkle;

/// <summary>An append-only tree that keeps its hashes in memory. Not safe for use by several threads at once.</summary>
public sealed class MerkleTree
{
    readonly List<List<byte[]>> levels = [];

    /// <summary>The right edge, from which another store could go on.</summary>
    public RightEdge Edge { get; private set; } = RightEdge.Empty;

    /// <summary>Number of leaves.</summary>
    public long Size => Edge.Size;

    /// <summary>Appends leaf hashes; gives what the append made.</summary>
    public Growth Append(IReadOnlyList<byte[]> leafHashes)
    {
        var growth = Edge.Append(leafHashes);
        foreach (var run in growth.Added)
        {
            if (levels.Count == run.Level)
                levels.Add([]);
            for (var i = 0; i < run.Count; i++)
                levels[run.Level].Add(run[i].ToArray());
        }
        Edge = growth.Edge;
        return growth;
    }

    /// <summary>The root now.</summary>
    public byte[] Root() => Edge.Root();

    /// <summary>The root when the tree had <paramref name="size"/> leaves.</summary>
    public byte[] Root(long size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
        return Now(TreeProofs.RootAsync(size, ReadAsync));
    }

    /// <summary>The inclusion proof of a leaf in the tree of <paramref name="size"/> leaves.</summary>
    public byte[][] InclusionProof(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
        return Now(TreeProofs.InclusionAsync(index, size, ReadAsync));
    }

    /// <summary>The consistency proof between two sizes.</summary>
    public byte[][] ConsistencyProof(long oldSize, long newSize)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(newSize, Size);
        return Now(TreeProofs.ConsistencyAsync(oldSize, newSize, ReadAsync));
    }

    /// <summary>The tree's hashes as a <see cref="HashReader"/>.</summary>
    public ValueTask<IReadOnlyDictionary<NodeId, byte[]>> ReadAsync(IReadOnlyCollection<NodeId> ids, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IReadOnlyDictionary<NodeId, byte[]>>(
            ids.ToDictionary(id => id, id => levels[id.Level][checked((int)id.Index)]));

    // Memory answers at once: the task is complete when it comes back
    static T Now<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();
}
