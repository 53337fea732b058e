using System.Security.Cryptography;

namespace Salus.Ledger.Merkle;

/// <summary>The domain-separated SHA-256 of a Merkle tree's leaves and nodes (RFC 9162 section 2.1.1).</summary>
public static class MerkleHash
{
    /// <summary>Length of every hash, in bytes.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    static ReadOnlySpan<byte> LeafPrefix => [0];
    static ReadOnlySpan<byte> NodePrefix => [1];

    /// <summary>To begin a hash costs as much as to hash a node, so each thread begins one and goes on with it.</summary>
    [ThreadStatic]
    static IncrementalHash? sha;

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
        var hash = Begun();
        hash.AppendData(LeafPrefix);
        hash.AppendData(data);
        hash.GetHashAndReset(destination);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right), written to <paramref name="destination"/>, which may overlap an input.</summary>
    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(left.Length, Size);
        ArgumentOutOfRangeException.ThrowIfNotEqual(right.Length, Size);
        var hash = Begun();
        hash.AppendData(NodePrefix);
        hash.AppendData(left);
        hash.AppendData(right);
        hash.GetHashAndReset(destination);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right) of two hashes that stand one behind the other.</summary>
    internal static void Pair(ReadOnlySpan<byte> pair, Span<byte> destination)
    {
        var hash = Begun();
        hash.AppendData(NodePrefix);
        hash.AppendData(pair);
        hash.GetHashAndReset(destination);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right).</summary>
    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var hash = new byte[Size];
        Node(left, right, hash);
        return hash;
    }

    static IncrementalHash Begun() => sha ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
}
