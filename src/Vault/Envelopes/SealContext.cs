using System.Buffers.Binary;
using System.Text;

namespace Salus.Vault.Envelopes;

/// <summary>What a ciphertext belongs to: bound into it as associated data, so that it opens nowhere else.</summary>
/// <param name="Kind">The kind of thing sealed, such as a FHIR resource type.</param>
/// <param name="Id">Its identifier.</param>
/// <param name="Version">Its version, from 1.</param>
public readonly record struct SealContext(string Kind, string Id, int Version)
{
    const int PartMaxBytes = 256;

    /// <summary>Owner (16 bytes), then kind, id (each UTF-8 behind a two-byte length) and version, big-endian.</summary>
    internal byte[] Encode(Guid owner)
    {
        var kind = Encoding.UTF8.GetBytes(Kind);
        var id = Encoding.UTF8.GetBytes(Id);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(kind.Length, PartMaxBytes, nameof(Kind));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(id.Length, PartMaxBytes, nameof(Id));
        var encoded = new byte[16 + 2 + kind.Length + 2 + id.Length + 4];
        owner.TryWriteBytes(encoded, bigEndian: true, out _);
        var rest = encoded.AsSpan(16);
        rest = Append(rest, kind);
        rest = Append(rest, id);
        BinaryPrimitives.WriteInt32BigEndian(rest, Version);
        return encoded;
    }

    static Span<byte> Append(Span<byte> target, byte[] part)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)part.Length);
        part.CopyTo(target[2..]);
        return target[(2 + part.Length)..];
    }
}
