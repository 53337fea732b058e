using System.Numerics;
using System.Text;

namespace Salus.Ledger.Evm;

/// <summary>
/// Decodes values of the Solidity contract ABI. Refuses what Solidity's own decoder refuses (values out of range,
/// offsets and lengths beyond the data) and dirty padding besides.
/// </summary>
public static class AbiDecoder
{
    // Nested offsets can point many times at the same bytes, so that few bytes describe much
    const int ValuesMax = 1 << 16;

    /// <summary>Reads a tuple of values. Bytes behind what is referenced are allowed, as the specification does.</summary>
    /// <exception cref="FormatException">Not such an encoding; the message says why.</exception>
    public static object[] Decode(IReadOnlyList<AbiType> types, ReadOnlySpan<byte> data)
    {
        ArgumentNullException.ThrowIfNull(types);
        var left = ValuesMax;
        return ReadSequence(types, data, ref left);
    }

    static object[] ReadSequence(IReadOnlyList<AbiType> types, ReadOnlySpan<byte> data, ref int left)
    {
        var values = new object[types.Count];
        var head = 0;
        for (var i = 0; i < types.Count; i++)
        {
            var at = types[i].IsDynamic ? Count(Slice(data, head, 32), data.Length) : head;
            values[i] = Read(types[i], data[Math.Min(at, data.Length)..], ref left);
            head += types[i].HeadBytes;
        }
        return values;
    }

    static object Read(AbiType type, ReadOnlySpan<byte> data, ref int left)
    {
        if (--left < 0)
            throw new FormatException($"The data holds more than {ValuesMax} values.");
        return type switch
        {
            AbiType.Number integer => ReadInteger(integer, Slice(data, 0, 32)),
            AbiType.Account => new Address(Padded(Slice(data, 0, 32), 0, 32 - Address.Size)[12..]),
            AbiType.Boolean => ReadBoolean(Slice(data, 0, 32)),
            AbiType.FixedBytes { Length: var length } => Padded(Slice(data, 0, 32), length, 32)[..length].ToArray(),
            AbiType.Blob blob => ReadBlob(blob, data),
            AbiType.Array array => ReadArray(array, data, ref left),
            AbiType.Tuple tuple => ReadSequence(tuple.Components, data, ref left),
            _ => throw new FormatException($"Type {type.Name} cannot be read."),
        };
    }

    static BigInteger ReadInteger(AbiType.Number type, ReadOnlySpan<byte> word)
    {
        var number = new BigInteger(word, isUnsigned: !type.IsSigned, isBigEndian: true);
        var limit = BigInteger.One << (type.IsSigned ? type.Bits - 1 : type.Bits);
        return number < limit && (number.Sign >= 0 || number >= -limit) ? number : throw new FormatException($"{number} is not a {type.Name}.");
    }

    static bool ReadBoolean(ReadOnlySpan<byte> word)
    {
        var flag = Padded(word, 0, 31)[31];
        return flag <= 1 ? flag == 1 : throw new FormatException($"{flag} is not a bool.");
    }

    static object ReadBlob(AbiType.Blob type, ReadOnlySpan<byte> data)
    {
        var length = Count(Slice(data, 0, 32), data.Length - 32);
        var padded = Slice(data, 32, length);
        var rest = data[(32 + length)..];
        var padding = (32 - length % 32) % 32;
        if (rest.Length < padding)
            throw new FormatException("The data ends within a padding.");
        _ = Padded(rest, 0, padding);
        if (!type.IsText)
            return padded.ToArray();
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(padded);
        }
        catch (DecoderFallbackException cause)
        {
            throw new FormatException("A string is not valid UTF-8.", cause);
        }
    }

    static object[] ReadArray(AbiType.Array type, ReadOnlySpan<byte> data, ref int left)
    {
        if (type.Length is { } length)
            return ReadSequence([.. Enumerable.Repeat(type.Element, length)], data, ref left);
        var count = Count(Slice(data, 0, 32), Math.Min(ValuesMax, (data.Length - 32) / Math.Max(1, type.Element.HeadBytes)));
        return ReadSequence([.. Enumerable.Repeat(type.Element, count)], data[32..], ref left);
    }

    static int Count(ReadOnlySpan<byte> word, int most)
    {
        var value = new BigInteger(word, isUnsigned: true, isBigEndian: true);
        return value <= most ? (int)value : throw new FormatException("An offset or a length reaches beyond the data.");
    }

    static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> data, int start, int length) =>
        data.Length - start >= length ? data.Slice(start, length) : throw new FormatException("The data is too short.");

    static ReadOnlySpan<byte> Padded(ReadOnlySpan<byte> word, int from, int to) =>
        word[from..to].ContainsAnyExcept((byte)0) ? throw new FormatException("A padding is not zero.") : word;
}
