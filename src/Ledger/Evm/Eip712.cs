using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>The domain of EIP-712 typed data: who asks for the signature, on which chain.</summary>
public sealed record Eip712Domain(string Name, string Version, ulong ChainId, Address VerifyingContract)
{
    /// <summary>The domain separator, 32 bytes.</summary>
    public byte[] Separator() => Eip712.StructHash(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        Name, Version, new BigInteger(ChainId), VerifyingContract);

    /// <summary>The hash that is signed for a struct's hash, 32 bytes.</summary>
    public byte[] Digest(ReadOnlySpan<byte> structHash) => Keccak256.Hash([0x19, 0x01, .. Separator(), .. structHash]);
}

/// <summary>Hashes typed data (EIP-712), for structs without nested structs and arrays.</summary>
public static class Eip712
{
    /// <summary>hashStruct of a struct whose type is written as "Name(type name,…)".</summary>
    /// <exception cref="FormatException">The type is not written so, or has members of other types.</exception>
    public static byte[] StructHash(string type, params IReadOnlyList<object> values)
    {
        ArgumentNullException.ThrowIfNull(type);
        var open = type.IndexOf('(', StringComparison.Ordinal);
        if (open <= 0 || type[^1] != ')')
            throw new FormatException($"'{type}' is not a struct's type.");
        AbiType[] types = [.. type[(open + 1)..^1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Member)];
        if (types.Length != values.Count)
            throw new ArgumentException($"{types.Length} values were expected, not {values.Count}.", nameof(values));
        var members = types.Zip(values, Word);
        return Keccak256.Hash([.. Keccak256.Hash(type), .. members.SelectMany(member => member)]);
    }

    static AbiType Member(string member) => AbiType.Parse(member.Split(' ')[0]) switch
    {
        AbiType.Array => throw new FormatException($"The member '{member}' is an array."),
        var type => type,
    };

    static byte[] Word(AbiType type, object value) => (type, value) switch
    {
        (AbiType.Blob { IsText: true }, string text) => Keccak256.Hash(text),
        (AbiType.Blob { IsText: false }, byte[] bytes) => Keccak256.Hash(bytes),
        _ => AbiEncoder.Encode([type], value),
    };
}
