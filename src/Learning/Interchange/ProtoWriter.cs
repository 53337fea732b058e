using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Salus.Learning.Interchange;

/// <summary>Writes the fields of one Protocol Buffers message: varints, packed numbers, strings and messages within.</summary>
sealed class ProtoWriter
{
    const int Varint = 0;
    const int LengthDelimited = 2;
    const int FourBytes = 5;

    readonly ArrayBufferWriter<byte> bytes = new();

    public void Int(int field, long value)
    {
        Key(field, Varint);
        Raw((ulong)value);
    }

    public void String(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Ints(int field, IEnumerable<long> values)
    {
        var packed = new ProtoWriter();
        foreach (var value in values)
            packed.Raw((ulong)value);
        Message(field, packed);
    }

    public void Floats(int field, IReadOnlyCollection<float> values)
    {
        var packed = new byte[values.Count * sizeof(float)];
        var at = 0;
        foreach (var value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(packed.AsSpan(at), value);
            at += sizeof(float);
        }
        Bytes(field, packed);
    }

    /// <summary>A number in its own four bytes.</summary>
    public void Fixed(int field, float value)
    {
        Key(field, FourBytes);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.GetSpan(sizeof(float)), value);
        bytes.Advance(sizeof(float));
    }

    public void Message(int field, ProtoWriter message) => Bytes(field, message.bytes.WrittenSpan);

    public void CopyTo(Stream into) => into.Write(bytes.WrittenSpan);

    void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Key(field, LengthDelimited);
        Raw((ulong)value.Length);
        bytes.Write(value);
    }

    void Key(int field, int wireType) => Raw((ulong)((field << 3) | wireType));

    void Raw(ulong value)
    {
        Span<byte> varint = stackalloc byte[10];
        var length = 0;
        for (; value > 0x7F; value >>= 7)
            varint[length++] = (byte)(value | 0x80);
        varint[length++] = (byte)value;
        bytes.Write(varint[..length]);
    }
}
