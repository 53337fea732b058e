using System.Buffers.Binary;
using System.IO.Compression;

namespace Salus.Fhir.Definitions;

/// <summary>The embedded file: packed parts behind a table of their lengths, each opened when it is needed.</summary>
sealed class DefinitionsFile
{
    readonly byte[] _packed;
    readonly (int Start, int PackedLength, int Length)[] _parts;

    DefinitionsFile(byte[] packed, int parts)
    {
        _packed = packed;
        _parts = new (int, int, int)[parts];
        var start = 8 * parts;
        for (var part = 0; part < parts; part++)
        {
            var header = packed.AsSpan(8 * part, 8);
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            var packedLength = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
            _parts[part] = (start, packedLength, length);
            start += packedLength;
        }
    }

    /// <summary>The file that this assembly embeds.</summary>
    public static DefinitionsFile Embedded()
    {
        using var stream = typeof(DefinitionsFile).Assembly.GetManifestResourceStream("r4.bin")
            ?? throw new InvalidOperationException("The assembly lacks its embedded definitions.");
        var packed = new byte[stream.Length];
        stream.ReadExactly(packed);
        return new DefinitionsFile(packed, parts: 3);
    }

    /// <summary>One part, unpacked.</summary>
    public byte[] Part(int part)
    {
        var (start, packedLength, length) = _parts[part];
        var plain = new byte[length];
        return BrotliDecoder.TryDecompress(_packed.AsSpan(start, packedLength), plain, out var written) && written == length
            ? plain
            : throw new InvalidOperationException("The embedded definitions cannot be unpacked.");
    }
}
