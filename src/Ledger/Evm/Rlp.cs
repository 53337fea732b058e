using System.Buffers.Binary;
using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>An item of the Recursive Length Prefix encoding: a string of bytes or a list of items.</summary>
public abstract record RlpItem
{
    RlpItem() { }

    /// <summary>A string of bytes.</summary>
    public sealed record Bytes(byte[] Value) : RlpItem;

    /// <summary>A list.</summary>
    public sealed record List(params IReadOnlyList<RlpItem> Items) : RlpItem;

    /// <summary>Bytes as they are.</summary>
    public static RlpItem Of(byte[] value) => new Bytes(value);

    /// <summary>A number, big-endian without leading zeros; zero is the empty string.</summary>
    public static RlpItem Of(BigInteger value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        return new Bytes(value.IsZero ? [] : value.ToByteArray(isUnsigned: true, isBigEndian: true));
    }
}

/// <summary>Recursive Length Prefix (Ethereum Yellow Paper, appendix B): exactly one encoding of every item is accepted.</summary>
public static class Rlp
{
    const int DepthMax = 64;
    const byte StringBase = 0x80;
    const byte ListBase = 0xC0;
    const int ShortMax = 55;

    /// <summary>The encoding of an item.</summary>
    public static byte[] Encode(RlpItem item)
    {
        var stream = new MemoryStream();
        Write(item, stream);
        return stream.ToArray();
    }

    /// <summary>Reads one item that fills the bytes.</summary>
    /// <exception cref="FormatException">Not a canonical encoding; the message says why.</exception>
    public static RlpItem Decode(ReadOnlySpan<byte> bytes)
    {
        var item = Read(ref bytes, 0);
        return bytes.IsEmpty ? item : throw new FormatException($"{bytes.Length} bytes follow the RLP item.");
    }

    static void Write(RlpItem item, MemoryStream stream)
    {
        switch (item)
        {
            case RlpItem.Bytes { Value: [< StringBase] single }:
                stream.Write(single);
                break;
            case RlpItem.Bytes bytes:
                WriteHeader(StringBase, bytes.Value.Length, stream);
                stream.Write(bytes.Value);
                break;
            case RlpItem.List list:
                var inner = new MemoryStream();
                foreach (var element in list.Items)
                    Write(element, inner);
                WriteHeader(ListBase, (int)inner.Length, stream);
                inner.WriteTo(stream);
                break;
        }
    }

    static void WriteHeader(byte kind, int length, MemoryStream stream)
    {
        if (length <= ShortMax)
        {
            stream.WriteByte((byte)(kind + length));
            return;
        }
        Span<byte> digits = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(digits, length);
        digits = digits.TrimStart((byte)0);
        stream.WriteByte((byte)(kind + ShortMax + digits.Length));
        stream.Write(digits);
    }

    static RlpItem Read(ref ReadOnlySpan<byte> bytes, int depth)
    {
        if (depth > DepthMax)
            throw new FormatException($"RLP lists are nested deeper than {DepthMax}.");
        if (bytes.IsEmpty)
            throw new FormatException("RLP ends where an item should begin.");
        var first = bytes[0];
        if (first < StringBase)
        {
            bytes = bytes[1..];
            return new RlpItem.Bytes([first]);
        }

        var payload = Payload(ref bytes, first < ListBase ? StringBase : ListBase);
        if (first < ListBase)
        {
            return payload is [< StringBase]
                ? throw new FormatException("A single byte below 0x80 stands for itself in RLP.")
                : new RlpItem.Bytes(payload.ToArray());
        }
        var items = new List<RlpItem>();
        while (!payload.IsEmpty)
            items.Add(Read(ref payload, depth + 1));
        return new RlpItem.List(items);
    }

    static ReadOnlySpan<byte> Payload(ref ReadOnlySpan<byte> bytes, byte kind)
    {
        var length = bytes[0] - kind;
        var header = 1;
        if (length > ShortMax)
        {
            var digits = length - ShortMax;
            if (digits > 4 || bytes.Length < 1 + digits)
                throw new FormatException("An RLP length is longer than its input.");
            long value = 0;
            foreach (var digit in bytes.Slice(1, digits))
                value = (value << 8) | digit;
            if (bytes[1] == 0 || value <= ShortMax)
                throw new FormatException("An RLP length is not in its shortest form.");
            if (value > int.MaxValue)
                throw new FormatException("An RLP length is longer than its input.");
            length = (int)value;
            header += digits;
        }
        if (bytes.Length - header < length)
            throw new FormatException("An RLP item is longer than its input.");
        var payload = bytes.Slice(header, length);
        bytes = bytes[(header + length)..];
        return payload;
    }
}
