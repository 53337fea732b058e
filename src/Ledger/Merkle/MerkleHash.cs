using System.Security.Cryptography;

namespace Salus.Ledger.Merkle;

/// <summary>The domain-separated SHA-256 of a Merkle tree's leaves and nodes (RFC 9162 section 2.1.1).</summary>
public static class MerkleHash
{
    /// <summary>Length of every hash, in bytes.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    const byte LeafPrefix = 0;
    const byte NodePrefix = 1;
    const int StackBytesMax = 1024;

    /// <summary>The root of a tree without leaves: SHA-256 of nothing.</summary>
    public static byte[] EmptyRoot() => SHA256.HashData([]);

    /// <summary>SHA-256(0x00 ‖ data).</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> data)
    {
        var hash = new byte[Size];
        Leaf(data, hash);
        return hash;
    }

    /// <summary>SHA-256(0x00 ‖ data), written to <paramref name="destination"/>.</summary>
    public static void Leaf(ReadOnlySpan<byte> data, Span<byte> destination)
    {
        var length = data.Length + 1;
        Span<byte> buffer = length <= StackBytesMax ? stackalloc byte[length] : new byte[length];
        buffer[0] = LeafPrefix;
        data.CopyTo(buffer[1..]);
        SHA256.HashData(buffer, destination);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right), written to <paramref name="destination"/>, which may overlap an input.</summary>
    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(left.Length, Size);
        ArgumentOutOfRangeException.ThrowIfNotEqual(right.Length, Size);
        Span<byte> pair = stackalloc byte[Size + Size];
        left.CopyTo(pair);
        right.CopyTo(pair[Size..]);
        Pair(pair, destination);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right) of two hashes that stand one behind the other.</summary>
    internal static void Pair(ReadOnlySpan<byte> pair, Span<byte> destination)
    {
        Span<byte> buffer = stackalloc byte[1 + Size + Size];
        buffer[0] = NodePrefix;
        pair.CopyTo(buffer[1..]);
        SHA256.HashData(buffer, destination);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right).</summary>
    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var hash = new byte[Size];
        Node(left, right, hash);
        return hash;
    }
}
