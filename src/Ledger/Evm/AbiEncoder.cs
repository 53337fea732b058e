using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Salus.Ledger.Evm;

/// <summary>Encodes values by the Solidity contract ABI specification.</summary>
public static class AbiEncoder
{
    /// <summary>The encoding of a tuple of values: a call's arguments without the selector.</summary>
    /// <exception cref="ArgumentException">A value is not of its type.</exception>
    public static byte[] Encode(IReadOnlyList<AbiType> types, params IReadOnlyList<object> values)
    {
        ArgumentNullException.ThrowIfNull(types);
        if (types.Count != values.Count)
            throw new ArgumentException($"{types.Count} values were expected, not {values.Count}.", nameof(values));
        var stream = new MemoryStream();
        WriteSequence(types, values, stream);
        return stream.ToArray();
    }

    static void WriteSequence(IReadOnlyList<AbiType> types, IReadOnlyList<object> values, MemoryStream stream)
    {
        var tail = new MemoryStream();
        var headBytes = types.Sum(type => type.HeadBytes);
        for (var i = 0; i < types.Count; i++)
        {
            if (types[i].IsDynamic)
            {
                WriteWord(headBytes + tail.Length, stream);
                Write(types[i], values[i], tail);
            }
            else
            {
                Write(types[i], values[i], stream);
            }
        }
        tail.WriteTo(stream);
    }

    static void Write(AbiType type, object value, MemoryStream stream)
    {
        switch (type, value)
        {
            case (AbiType.Number integer, _):
                WriteWord(InRange(integer, value), stream);
                break;
            case (AbiType.Account, Address address):
                stream.Write(new byte[32 - Address.Size]);
                stream.Write(address.ToArray());
                break;
            case (AbiType.Boolean, bool flag):
                WriteWord(flag ? 1 : 0, stream);
                break;
            case (AbiType.FixedBytes { Length: var length }, _) when Bytes(value) is { } bytes && bytes.Length == length:
                stream.Write(bytes);
                stream.Write(new byte[32 - length]);
                break;
            case (AbiType.Blob { IsText: false }, _) when Bytes(value) is { } bytes:
                WriteBlob(bytes, stream);
                break;
            case (AbiType.Blob { IsText: true }, string text):
                WriteBlob(Encoding.UTF8.GetBytes(text), stream);
                break;
            case (AbiType.Array array, IEnumerable list and not string):
                WriteArray(array, [.. list.Cast<object>()], stream);
                break;
            case (AbiType.Tuple tuple, IReadOnlyList<object> members) when members.Count == tuple.Components.Count:
                WriteSequence(tuple.Components, members, stream);
                break;
            default:
                throw Mismatch(type, value);
        }
    }

    static void WriteArray(AbiType.Array array, object[] elements, MemoryStream stream)
    {
        if (array.Length is null)
            WriteWord(elements.Length, stream);
        else if (array.Length != elements.Length)
            throw Mismatch(array, elements);
        WriteSequence([.. Enumerable.Repeat(array.Element, elements.Length)], elements, stream);
    }

    static void WriteBlob(byte[] bytes, MemoryStream stream)
    {
        WriteWord(bytes.Length, stream);
        stream.Write(bytes);
        stream.Write(new byte[(32 - bytes.Length % 32) % 32]);
    }

    static void WriteWord(BigInteger value, MemoryStream stream)
    {
        Span<byte> word = stackalloc byte[32];
        Secp256k1.WordOf(value.Sign < 0 ? value + (BigInteger.One << 256) : value, word);
        stream.Write(word);
    }

    static BigInteger InRange(AbiType.Number type, object value)
    {
        var number = value switch
        {
            BigInteger big => big,
            ulong or long or uint or int or ushort or short or byte => BigInteger.Parse(Convert.ToString(value, CultureInfo.InvariantCulture)!, CultureInfo.InvariantCulture),
            _ => throw Mismatch(type, value),
        };
        var limit = BigInteger.One << (type.IsSigned ? type.Bits - 1 : type.Bits);
        return number < limit && number >= (type.IsSigned ? -limit : 0) ? number : throw Mismatch(type, value);
    }

    static byte[]? Bytes(object value) => value switch
    {
        byte[] bytes => bytes,
        ReadOnlyMemory<byte> memory => memory.ToArray(),
        _ => null,
    };

    static ArgumentException Mismatch(AbiType type, object? value) => new($"A value of {value?.GetType().Name ?? "null"} does not fit the type {type.Name}.");
}
