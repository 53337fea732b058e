namespace Salus.Ledger.Evm.Tries;

/// <summary>
/// A Merkle Patricia trie over entries that are all known (Ethereum Yellow Paper, appendix D), such as a block's receipts: its root, and
/// proofs of single entries. Immutable.
/// </summary>
public sealed class PatriciaTrie
{
    readonly Dictionary<string, byte[]> nodes = [];
    readonly byte[] root;

    PatriciaTrie(IReadOnlyList<Entry> entries)
    {
        var encoded = Rlp.Encode(entries.Count == 0 ? Empty : Node(entries, 0));
        root = Keccak256.Hash(encoded);
        nodes[Convert.ToHexString(root)] = encoded;
    }

    static RlpItem Empty => RlpItem.Of(Array.Empty<byte>());

    /// <summary>The hash of the root node, 32 bytes.</summary>
    public byte[] Root => [.. root];

    /// <summary>The trie of these entries.</summary>
    /// <exception cref="ArgumentException">A key comes twice, or a value is empty, which a trie takes for absent.</exception>
    public static PatriciaTrie Of(IEnumerable<(byte[] Key, byte[] Value)> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var sorted = entries.Select(entry => new Entry(Nibbles.Of(entry.Key), entry.Value)).ToList();
        sorted.Sort((left, right) => left.Path.AsSpan().SequenceCompareTo(right.Path));
        for (var i = 0; i < sorted.Count; i++)
        {
            if (sorted[i].Value.Length == 0)
                throw new ArgumentException("An empty value stands for an absent one.", nameof(entries));
            if (i > 0 && sorted[i].Path.AsSpan().SequenceEqual(sorted[i - 1].Path))
                throw new ArgumentException("A key comes twice.", nameof(entries));
        }
        return new PatriciaTrie(sorted);
    }

    /// <summary>The key under which a block's tries hold their entry of an index.</summary>
    public static byte[] IndexKey(int index) => Rlp.Encode(RlpItem.Of(index));

    /// <summary>The nodes from the root towards a key, as far as they go: proof of its value or of its absence.</summary>
    public IReadOnlyList<byte[]> Prove(ReadOnlySpan<byte> key)
    {
        var path = Nibbles.Of(key);
        var proof = new List<byte[]> { nodes[Convert.ToHexString(root)] };
        var node = Rlp.Decode(proof[0]);
        for (var depth = 0; TrieNode.Next(node, path, ref depth) is { } next;)
        {
            node = next;
            if (next is RlpItem.Bytes { Value.Length: Keccak256.Size } hash)
            {
                proof.Add(nodes[Convert.ToHexString(hash.Value)]);
                node = Rlp.Decode(proof[^1]);
            }
        }
        return proof;
    }

    RlpItem.List Node(IReadOnlyList<Entry> entries, int depth)
    {
        if (entries.Count == 1)
            return new RlpItem.List(RlpItem.Of(Nibbles.Pack(entries[0].Path.AsSpan(depth), isLeaf: true)), RlpItem.Of(entries[0].Value));
        // Sorted: what the first and the last share, all share
        var shared = entries[0].Path.AsSpan(depth).CommonPrefixLength(entries[^1].Path.AsSpan(depth));
        if (shared > 0)
            return new RlpItem.List(RlpItem.Of(Nibbles.Pack(entries[0].Path.AsSpan(depth, shared), isLeaf: false)), Reference(Node(entries, depth + shared)));

        var children = new RlpItem[TrieNode.BranchItems];
        Array.Fill(children, Empty);
        foreach (var group in entries.Where(entry => entry.Path.Length > depth).GroupBy(entry => entry.Path[depth]))
            children[group.Key] = Reference(Node([.. group], depth + 1));
        if (entries[0].Path.Length == depth)
            children[^1] = RlpItem.Of(entries[0].Value);
        return new RlpItem.List(children);
    }

    RlpItem Reference(RlpItem.List node)
    {
        var encoded = Rlp.Encode(node);
        if (encoded.Length < Keccak256.Size)
            return node;
        var hash = Keccak256.Hash(encoded);
        nodes[Convert.ToHexString(hash)] = encoded;
        return RlpItem.Of(hash);
    }

    sealed record Entry(byte[] Path, byte[] Value);
}
