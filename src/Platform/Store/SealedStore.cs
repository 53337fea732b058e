using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Salus.Ledger.Evidence;
using Salus.Ledger.Proofs;
using Salus.Platform.Schema;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Store;

/// <summary>One version to be sealed.</summary>
/// <param name="Kind">What its leaf is.</param>
/// <param name="Type">The FHIR resource type.</param>
/// <param name="Id">The logical id: random, it names nobody.</param>
/// <param name="Version">From 1.</param>
/// <param name="Owner">The key it is sealed under.</param>
/// <param name="Patient">The patient it is about, or, for the audit trail, the patient's alias.</param>
/// <param name="Written">The time, to the microsecond.</param>
/// <param name="Bytes">The exact UTF-8 bytes to be returned later; empty for a deletion.</param>
/// <param name="Deleted">Whether this version says that the resource is gone.</param>
/// <param name="Blob">The sealed hash of the content it refers to.</param>
/// <param name="Salt">32 random bytes, where the commitment was made before the entry; fresh ones otherwise.</param>
sealed record NewEntry(
    LeafKind Kind, string Type, string Id, int Version, OwnerKey Owner, string? Patient, DateTimeOffset Written, ReadOnlyMemory<byte> Bytes,
    bool Deleted = false, byte[]? Blob = null, byte[]? Salt = null)
{
    /// <summary>Whether it is stored unsealed, for everyone to read who checks the log: it must name nobody.</summary>
    public bool IsOpen { get; init; }
}

/// <summary>One version as it stands in the database.</summary>
sealed record SealedEntry(
    LeafKind Kind, string Type, string Id, int Version, Guid Owner, string? Patient, DateTimeOffset Written, bool Deleted, byte[] Content, byte[] Sealed,
    byte[]? Blob, byte[] Ciphertext)
{
    public SealContext Context => new(Type, Id, Version);

    /// <summary>The hash of everything that stands in the row beside its key and the content's commitment, as it stands there now.</summary>
    public byte[] HashAsStored() => SealedStore.RowHash(Owner, Deleted, Patient, Blob, Ciphertext);

    /// <summary>The bytes of an entry that was stored unsealed. They prove nothing by themselves: whoever reads them checks their signature.</summary>
    public ReadOnlySpan<byte> OpenBytes => Ciphertext.AsSpan(Math.Min(SealedStore.SaltBytes, Ciphertext.Length));

    public LeafEnvelope Envelope(byte[] sealedHash) => new(Kind, $"{Type}/{Id}", (uint)Version, SealedStore.Microseconds(Written), Content, sealedHash);
}

/// <summary>
/// Sealed versions and their leaves. A row holds <c>content = SHA-256(salt ‖ bytes)</c>, with the salt inside the ciphertext, and
/// <c>sealed = SHA-256(row)</c>, by which the database can be checked without a key. Used by the features that own a door to it; nothing else may.
/// </summary>
sealed class SealedStore(KeyVault vault)
{
    internal const int SaltBytes = 32;
    internal const string Columns = "e.kind, e.type, e.id, e.version, e.owner, e.patient, e.written, e.deleted, e.content, e.sealed, e.blob, e.ciphertext";

    /// <summary>From this many on, rows are streamed rather than sent with a statement.</summary>
    internal const int StreamedMin = 33;

    /// <summary>To begin a hash costs as much as to hash a short row, so each thread begins one and goes on with it.</summary>
    [ThreadStatic]
    static IncrementalHash? rowSha;

    /// <summary>Much at once may wait for the disk longer than a statement does.</summary>
    internal static readonly TimeSpan StreamedPatience = TimeSpan.FromMinutes(2);

    /// <summary>Seals the versions and writes them with their pending leaves, in the caller's transaction.</summary>
    /// <exception cref="PostgresException">Unique violation (23505): a version stands there already.</exception>
    public static async Task AppendAsync(NpgsqlConnection connection, IReadOnlyList<NewEntry> entries, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        await AppendAsync(batch, entries, cancellation);
        await batch.RunAsync(cancellation);
    }

    /// <summary>Seals the versions and writes them with their pending leaves: few of them with the batch, many at once on its connection.</summary>
    public static async Task AppendAsync(NpgsqlBatch batch, IReadOnlyList<NewEntry> entries, CancellationToken cancellation)
    {
        if (entries.Count == 0)
        {
            return;
        }
        if (entries.Count >= StreamedMin)
        {
            await StreamAsync(batch.Connection!, entries, cancellation);
            return;
        }
        Append(batch, [.. entries.Select(SealedRow.Of)]);
    }

    /// <summary>Adds few sealed versions with their pending leaves to a batch.</summary>
    public static void Append(NpgsqlBatch batch, IReadOnlyList<SealedRow> rows)
    {
        T[] All<T>(Func<SealedRow, T> value) => [.. rows.Select(value)];
        var (types, ids, versions) = (All(row => row.Entry.Type), All(row => row.Entry.Id), All(row => row.Entry.Version));
        batch.Add(
            """
            INSERT INTO entry (type, id, version, kind, owner, patient, written, deleted, content, sealed, blob, ciphertext)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """, types, ids, versions, All(row => (short)row.Entry.Kind), All(row => row.Entry.Owner.Id), All(row => row.Entry.Patient), All(row => row.Entry.Written),
            All(row => row.Entry.Deleted), All(row => row.Content), All(row => row.SealedHash), All(row => row.Entry.Blob), All(row => row.Ciphertext));
        batch.Add("INSERT INTO leaf_pending (type, id, version, envelope) SELECT * FROM unnest($1, $2, $3, $4)", types, ids, versions, All(row => row.Envelope));
    }

    static async Task StreamAsync(NpgsqlConnection connection, IReadOnlyList<NewEntry> entries, CancellationToken cancellation)
    {
        List<byte[]> envelopes = new(entries.Count);
        await using (var writer = await connection.BeginBinaryImportAsync(
            "COPY entry (type, id, version, kind, owner, patient, written, deleted, content, sealed, blob, ciphertext) FROM STDIN (FORMAT binary)", cancellation))
        {
            writer.Timeout = StreamedPatience;
            foreach (var entry in entries)
            {
                // One is sealed while the database takes those before it
                var row = SealedRow.Of(entry);
                await row.WriteAsync(writer, cancellation);
                envelopes.Add(row.Envelope);
            }
            await writer.CompleteAsync(cancellation);
        }
        await using var pending = await connection.BeginBinaryImportAsync(
            "COPY leaf_pending (type, id, version, envelope) FROM STDIN (FORMAT binary)", cancellation);
        foreach (var (entry, envelope) in entries.Zip(envelopes))
        {
            await pending.StartRowAsync(cancellation);
            await pending.WriteAsync(entry.Type, NpgsqlDbType.Text, cancellation);
            await pending.WriteAsync(entry.Id, NpgsqlDbType.Text, cancellation);
            await pending.WriteAsync(entry.Version, NpgsqlDbType.Integer, cancellation);
            await pending.WriteAsync(envelope, NpgsqlDbType.Bytea, cancellation);
        }
        await pending.CompleteAsync(cancellation);
    }

    /// <summary>The commitment to content, as its leaf and the chain hold it: <c>SHA-256(salt ‖ bytes)</c>.</summary>
    public static byte[] Commit(byte[] salt, byte[] bytes) => SHA256.HashData([.. salt, .. bytes]);

    /// <summary>One version, or the newest when none is named.</summary>
    public static async Task<SealedEntry?> FindAsync(NpgsqlConnection connection, string type, string id, int? version, CancellationToken cancellation)
    {
        var found = version is { } wanted
            ? await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM entry e WHERE type = $1 AND id = $2 AND version = $3", type, id, wanted)
            : await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM entry e WHERE type = $1 AND id = $2 ORDER BY version DESC LIMIT 1", type, id);
        return found.SingleOrDefault();
    }

    /// <summary>Removes all that was sealed under an owner's key: the places its leaves have in the log, and the sealed files that its rows named.</summary>
    /// <remarks>Nothing of the owner's may wait for its place in the log: <see cref="CountPendingAsync"/>.</remarks>
    public static async Task<(IReadOnlyList<long> Positions, IReadOnlyList<byte[]> Blobs)> RemoveOfOwnerAsync(NpgsqlConnection connection, Guid owner, CancellationToken cancellation)
    {
        var positions = await connection.QueryAsync(cancellation, row => row.GetInt64(0),
            "SELECT l.position FROM leaf l JOIN entry e USING (type, id, version) WHERE e.owner = $1 ORDER BY l.position", owner);
        var blobs = await connection.QueryAsync(cancellation, row => row.Nullable<byte[]>(0), "DELETE FROM entry WHERE owner = $1 RETURNING blob", owner);
        return (positions, [.. blobs.OfType<byte[]>().DistinctBy(Convert.ToHexString)]);
    }

    /// <summary>How many versions are sealed under an owner's key, by resource type, and how many sealed files they name.</summary>
    public static async Task<(IReadOnlyDictionary<string, long> Versions, long Blobs)> CountOfOwnerAsync(NpgsqlConnection connection, Guid owner, CancellationToken cancellation)
    {
        var rows = await connection.QueryAsync(cancellation, row => (Type: row.GetString(0), Count: row.GetInt64(1), Blobs: row.GetInt64(2)),
            "SELECT type, count(*), count(DISTINCT blob) FROM entry WHERE owner = $1 GROUP BY type ORDER BY type", owner);
        return (rows.ToDictionary(row => row.Type, row => row.Count), rows.Sum(row => row.Blobs));
    }

    /// <summary>How many versions of an owner wait for their place in the log.</summary>
    public static async Task<long> CountPendingAsync(NpgsqlConnection connection, Guid owner, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0),
            "SELECT count(*) FROM leaf_pending p JOIN entry e USING (type, id, version) WHERE e.owner = $1", owner))[0];

    /// <summary>The stored bytes; null when the owner's key was erased or the row was altered.</summary>
    public async ValueTask<byte[]?> OpenAsync(SealedEntry entry, CancellationToken cancellation) =>
        await OpenSaltedAsync(entry, cancellation) is { } salted ? salted[SaltBytes..] : null;

    /// <summary>The stored bytes with the salt of their commitment, for a proof of them; null like <see cref="OpenAsync"/>.</summary>
    public async ValueTask<ProvenContent?> OpenWithSaltAsync(SealedEntry entry, CancellationToken cancellation) =>
        await OpenSaltedAsync(entry, cancellation) is { } salted ? new ProvenContent(salted[SaltBytes..], salted[..SaltBytes]) : null;

    async ValueTask<byte[]?> OpenSaltedAsync(SealedEntry entry, CancellationToken cancellation)
    {
        var owner = await vault.FindOwnerAsync(entry.Owner, cancellation);
        return owner is not null && Belongs(entry, owner) && owner.TryOpen(entry.Context, entry.Ciphertext, out var salted)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(salted), entry.Content)
            ? salted
            : null;
    }

    /// <summary>
    /// Whether the row names the patient whose key it is sealed under: who may read is decided on that column, which whoever writes to the
    /// database can change, while the key cannot be exchanged.
    /// </summary>
    static bool Belongs(SealedEntry entry, OwnerKey owner) => owner.Kind switch
    {
        OwnerKind.Patient => entry.Patient == owner.Id.ToString(),
        OwnerKind.Audit => entry.Type == "AuditEvent",
        _ => entry.Patient is null,
    };

    /// <summary>The time now, to the microsecond that PostgreSQL keeps and the leaf commits to.</summary>
    public static DateTimeOffset Now(TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>Microseconds since 1970, as a leaf holds them.</summary>
    public static long Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    internal static SealedEntry Read(NpgsqlDataReader row) => Read(row, 0);

    internal static SealedEntry Read(NpgsqlDataReader row, int first) => new(
        (LeafKind)row.GetInt16(first), row.GetString(first + 1), row.GetString(first + 2), row.GetInt32(first + 3), row.GetGuid(first + 4), row.Nullable<string>(first + 5),
        row.GetFieldValue<DateTimeOffset>(first + 6), row.GetBoolean(first + 7), row.GetFieldValue<byte[]>(first + 8), row.GetFieldValue<byte[]>(first + 9),
        row.Nullable<byte[]>(first + 10), row.GetFieldValue<byte[]>(first + 11));

    internal static byte[] RowHash(Guid owner, bool deleted, string? patient, byte[]? blob, ReadOnlySpan<byte> ciphertext)
    {
        const int ownerBytes = 16, lengthBytes = 2, onStackMax = 256;
        var headerMax = ownerBytes + 1 + lengthBytes + Encoding.UTF8.GetMaxByteCount(patient?.Length ?? 0) + lengthBytes + (blob?.Length ?? 0);
        var header = headerMax <= onStackMax ? stackalloc byte[onStackMax] : new byte[headerMax];
        owner.TryWriteBytes(header, bigEndian: true, out _);
        header[ownerBytes] = deleted ? (byte)1 : (byte)0;
        var length = ownerBytes + 1;
        var patientBytes = Encoding.UTF8.GetBytes(patient, header[(length + lengthBytes)..]);
        BinaryPrimitives.WriteUInt16BigEndian(header[length..], (ushort)patientBytes);
        length += lengthBytes + patientBytes;
        BinaryPrimitives.WriteUInt16BigEndian(header[length..], (ushort)(blob?.Length ?? 0));
        length += lengthBytes;
        blob.CopyTo(header[length..]);
        length += blob?.Length ?? 0;
        rowSha ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        rowSha.AppendData(header[..length]);
        rowSha.AppendData(ciphertext);
        return rowSha.GetHashAndReset();
    }
}
