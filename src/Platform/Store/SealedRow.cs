using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;
using Salus.Ledger.Proofs;
using Salus.Vault.Envelopes;

namespace Salus.Platform.Store;

/// <summary>One version sealed, as its row and its leaf will hold it.</summary>
sealed record SealedRow(NewEntry Entry, byte[] Content, byte[] SealedHash, byte[] Ciphertext, byte[] Envelope)
{
    /// <summary>Seals a version.</summary>
    public static SealedRow Of(NewEntry entry)
    {
        var salted = new byte[SealedStore.SaltBytes + entry.Bytes.Length];
        if (entry.Salt is { } salt)
        {
            salt.CopyTo(salted, 0);
        }
        else
        {
            RandomNumberGenerator.Fill(salted.AsSpan(0, SealedStore.SaltBytes));
        }
        entry.Bytes.CopyTo(salted.AsMemory(SealedStore.SaltBytes));
        var ciphertext = entry.IsOpen ? salted : entry.Owner.Seal(new SealContext(entry.Type, entry.Id, entry.Version), salted);
        var content = SHA256.HashData(salted);
        var sealedHash = SealedStore.RowHash(entry.Owner.Id, entry.Deleted, entry.Patient, entry.Blob, ciphertext);
        var envelope = new LeafEnvelope(entry.Kind, $"{entry.Type}/{entry.Id}", (uint)entry.Version, SealedStore.Microseconds(entry.Written), content, sealedHash).Encode();
        return new SealedRow(entry, content, sealedHash, ciphertext, envelope);
    }

    /// <summary>Streams the row of <c>entry</c>.</summary>
    public async Task WriteAsync(NpgsqlBinaryImporter writer, CancellationToken cancellation)
    {
        await writer.StartRowAsync(cancellation);
        await writer.WriteAsync(Entry.Type, NpgsqlDbType.Text, cancellation);
        await writer.WriteAsync(Entry.Id, NpgsqlDbType.Text, cancellation);
        await writer.WriteAsync(Entry.Version, NpgsqlDbType.Integer, cancellation);
        await writer.WriteAsync((short)Entry.Kind, NpgsqlDbType.Smallint, cancellation);
        await writer.WriteAsync(Entry.Owner.Id, NpgsqlDbType.Uuid, cancellation);
        await WriteNullableAsync(writer, Entry.Patient, NpgsqlDbType.Text, cancellation);
        await writer.WriteAsync(Entry.Written, NpgsqlDbType.TimestampTz, cancellation);
        await writer.WriteAsync(Entry.Deleted, NpgsqlDbType.Boolean, cancellation);
        await writer.WriteAsync(Content, NpgsqlDbType.Bytea, cancellation);
        await writer.WriteAsync(SealedHash, NpgsqlDbType.Bytea, cancellation);
        await WriteNullableAsync(writer, Entry.Blob, NpgsqlDbType.Bytea, cancellation);
        await writer.WriteAsync(Ciphertext, NpgsqlDbType.Bytea, cancellation);
    }

    static Task WriteNullableAsync<T>(NpgsqlBinaryImporter writer, T? value, NpgsqlDbType type, CancellationToken cancellation) where T : class =>
        value is null ? writer.WriteNullAsync(cancellation) : writer.WriteAsync(value, type, cancellation);
}
