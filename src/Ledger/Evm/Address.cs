using System.Buffers.Binary;

namespace Salus.Ledger.Evm;

/// <summary>The 20-byte address of an account or a contract. Prints with the mixed-case checksum of EIP-55.</summary>
public readonly record struct Address
{
    /// <summary>Length of an address, in bytes.</summary>
    public const int Size = 20;

    readonly ulong high;
    readonly ulong middle;
    readonly uint low;

    /// <summary>An address from its 20 bytes.</summary>
    public Address(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        middle = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        low = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    /// <summary>Its 20 bytes.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), middle);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), low);
        return bytes;
    }

    /// <summary>The address whose contract is created by <paramref name="sender"/>'s transaction with this nonce.</summary>
    public static Address OfContract(Address sender, ulong nonce) =>
        new(Keccak256.Hash(Rlp.Encode(new RlpItem.List(RlpItem.Of(sender.ToArray()), RlpItem.Of(nonce)))).AsSpan(12));

    /// <summary>Reads "0x" and 40 digits; mixed case must carry the right EIP-55 checksum.</summary>
    /// <exception cref="FormatException">Not an address, or its checksum is wrong.</exception>
    public static Address Parse(string? text)
    {
        var address = new Address(Hex.Data(text, Size));
        var digits = text.AsSpan(2);
        var isMixed = digits.ContainsAnyInRange('A', 'F') && digits.ContainsAnyInRange('a', 'f');
        if (isMixed && !string.Equals(address.ToString(), text, StringComparison.Ordinal))
            throw new FormatException($"The checksum of address {text} is wrong.");
        return address;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var digits = Convert.ToHexStringLower(ToArray()).ToCharArray();
        var hash = Keccak256.Hash(new string(digits));
        for (var i = 0; i < digits.Length; i++)
        {
            var nibble = (i & 1) == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15;
            if (nibble >= 8)
                digits[i] = char.ToUpperInvariant(digits[i]);
        }
        return "0x" + new string(digits);
    }
}
