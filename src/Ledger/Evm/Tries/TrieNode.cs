namespace Salus.Ledger.Evm.Tries;

/// <summary>The three kinds of a trie's nodes, as RLP lists: branch (17 items), extension and leaf (2 items, told apart by a flag).</summary>
static class TrieNode
{
    public const int BranchItems = 17;
    const int ShortItems = 2;

    /// <summary>The item to follow towards a path, with the depth moved on; null where the path ends here or is absent.</summary>
    public static RlpItem? Next(RlpItem node, ReadOnlySpan<byte> path, ref int depth)
    {
        switch (node)
        {
            case RlpItem.List { Items.Count: BranchItems } branch when depth < path.Length:
                return IsEmpty(branch.Items[path[depth]]) ? null : branch.Items[path[depth++]];
            case RlpItem.List { Items.Count: ShortItems } extension when Segment(extension, out var isLeaf) is var segment && !isLeaf && path[depth..].StartsWith(segment):
                depth += segment.Length;
                return extension.Items[1];
            default:
                return null;
        }
    }

    /// <summary>The value that a node holds for a path that has come to <paramref name="depth"/>; null where it holds none.</summary>
    public static byte[]? Value(RlpItem node, ReadOnlySpan<byte> path, int depth)
    {
        var item = node switch
        {
            RlpItem.List { Items.Count: BranchItems } branch when depth == path.Length => branch.Items[^1],
            RlpItem.List { Items.Count: ShortItems } leaf when Segment(leaf, out var isLeaf) is var segment && isLeaf && path[depth..].SequenceEqual(segment) => leaf.Items[1],
            _ => null,
        };
        return item is RlpItem.Bytes { Value.Length: > 0 } value ? value.Value : null;
    }

    static byte[] Segment(RlpItem.List node, out bool isLeaf) =>
        node.Items[0] is RlpItem.Bytes packed ? Nibbles.Unpack(packed.Value, out isLeaf) : throw new FormatException("A trie node's path is a list.");

    static bool IsEmpty(RlpItem item) => item is RlpItem.Bytes { Value.Length: 0 };
}

/// <summary>Paths through a trie: half bytes, and their packed form with a flag for leaves and odd lengths.</summary>
static class Nibbles
{
    const byte OddFlag = 0x10;
    const byte LeafFlag = 0x20;

    public static byte[] Of(ReadOnlySpan<byte> bytes)
    {
        var nibbles = new byte[2 * bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
            (nibbles[2 * i], nibbles[2 * i + 1]) = ((byte)(bytes[i] >> 4), (byte)(bytes[i] & 15));
        return nibbles;
    }

    public static byte[] Pack(ReadOnlySpan<byte> nibbles, bool isLeaf)
    {
        var odd = nibbles.Length & 1;
        var packed = new byte[1 + nibbles.Length / 2];
        packed[0] = (byte)((isLeaf ? LeafFlag : 0) | (odd == 1 ? OddFlag | nibbles[0] : 0));
        for (var i = odd; i < nibbles.Length; i += 2)
            packed[1 + i / 2] = (byte)((nibbles[i] << 4) | nibbles[i + 1]);
        return packed;
    }

    public static byte[] Unpack(ReadOnlySpan<byte> packed, out bool isLeaf)
    {
        if (packed.IsEmpty || packed[0] >= 2 * LeafFlag || ((packed[0] & OddFlag) == 0 && (packed[0] & 15) != 0))
            throw new FormatException("A trie node's path is not packed as it must be.");
        isLeaf = (packed[0] & LeafFlag) != 0;
        var nibbles = Of(packed);
        return (packed[0] & OddFlag) != 0 ? nibbles[1..] : nibbles[2..];
    }
}
