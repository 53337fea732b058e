using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Salus.Learning;

/// <summary>Bytes that are not what a reader expects.</summary>
sealed class FormatRefusedException(string reason) : Exception(reason);

/// <summary>
/// Reads little-endian values from untrusted bytes. Every count is checked against its limit and against the bytes
/// that are left before anything is allocated.
/// </summary>
ref struct BoundedReader(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> bytes = bytes;
    int position;

    public readonly int Left => bytes.Length - position;

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > Left)
            throw new FormatRefusedException($"the bytes end at {bytes.Length}, {count} more were expected at {position}");
        var read = bytes.Slice(position, count);
        position += count;
        return read;
    }

    public byte Byte() => Bytes(1)[0];

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Bytes(8));

    public double Finite(string what)
    {
        var value = Double();
        return double.IsFinite(value) ? value : throw new FormatRefusedException($"{what} is not finite at {position - 8}");
    }

    public bool Boolean() => Byte() switch
    {
        0 => false,
        1 => true,
        var other => throw new FormatRefusedException($"a yes or no is {other} at {position - 1}"),
    };

    /// <summary>A count of things that each need at least <paramref name="bytesEach"/> bytes.</summary>
    public int Count(string what, int min, int max, int bytesEach)
    {
        var count = Int32();
        if (count < min || count > max)
            throw new FormatRefusedException($"{count} {what} are claimed; {min} to {max} are allowed");
        if ((long)count * bytesEach > Left)
            throw new FormatRefusedException($"{count} {what} are claimed, but only {Left} bytes are left");
        return count;
    }

    public string String(string what, int max)
    {
        var length = Count($"bytes of {what}", 0, max, 1);
        try
        {
            return new UTF8Encoding(false, true).GetString(Bytes(length));
        }
        catch (DecoderFallbackException)
        {
            throw new FormatRefusedException($"{what} is not UTF-8");
        }
    }

    public void Magic(string magic, byte version)
    {
        if (Left < magic.Length + 1 || !Bytes(magic.Length).SequenceEqual(Encoding.ASCII.GetBytes(magic)))
            throw new FormatRefusedException($"the bytes do not begin with {magic}");
        if (Byte() is var found && found != version)
            throw new FormatRefusedException($"the format's version is {found}; {version} can be read");
    }

    /// <summary>Reads a whole value out of a reader.</summary>
    public delegate T Part<out T>(ref BoundedReader reader);

    /// <summary>Reads bytes that are one value and nothing else, or gives the reason why they are not.</summary>
    public static bool TryRead<T>(ReadOnlySpan<byte> bytes, Part<T> read, [NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? refusal)
        where T : class
    {
        try
        {
            var reader = new BoundedReader(bytes);
            value = read(ref reader);
            reader.End();
            refusal = null;
            return true;
        }
        catch (FormatRefusedException refused)
        {
            (value, refusal) = (null, refused.Message);
            return false;
        }
    }
    public readonly bool BeginsWith(string magic) =>
        Left >= magic.Length && bytes.Slice(position, magic.Length).SequenceEqual(Encoding.ASCII.GetBytes(magic));

    public readonly void End()
    {
        if (Left > 0)
            throw new FormatRefusedException($"{Left} bytes follow the end");
    }
}

/// <summary>Writes what <see cref="BoundedReader"/> reads.</summary>
sealed class BoundedWriter(Stream stream)
{
    public void Magic(string magic, byte version)
    {
        stream.Write(Encoding.ASCII.GetBytes(magic));
        stream.WriteByte(version);
    }

    public void Byte(byte value) => stream.WriteByte(value);

    public void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public void Int64(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public void Double(double value) => Int64(BitConverter.DoubleToInt64Bits(value));

    public void Boolean(bool value) => stream.WriteByte(value ? (byte)1 : (byte)0);

    public void Block(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        stream.Write(value);
    }

    public void String(string value) => Block(Encoding.UTF8.GetBytes(value));
}
