using Npgsql;
using Salus.Ledger.Evm;
using Salus.Platform.Consent.Delegates;
using Salus.Platform.Consent.Emergencies;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Identity;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent;

/// <summary>One row of the mirror.</summary>
sealed record ConsentRow(
    byte[] Id, string Patient, string Resource, string Grantee, byte[] Commitment, DateTimeOffset NotAfter, DateTimeOffset Requested,
    byte[] GrantedBy, long? GrantedBlock = null, DateTimeOffset? Revoked = null, byte[]? RevokedBy = null, long? RevokedBlock = null)
{
    public bool IsActive => GrantedBlock is not null && Revoked is null;
}

/// <summary>The SQL of consents and of their mirror.</summary>
static class ConsentStore
{
    const int BlocksKeptMax = 1_000;
    internal const string Columns = "id, patient, resource, grantee, commitment, not_after, requested, granted_by, granted_block, revoked, revoked_by, revoked_block";

    public static Task AddAsync(NpgsqlConnection connection, ConsentRow row, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "INSERT INTO consent (id, patient, resource, grantee, commitment, not_after, requested, granted_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            row.Id, row.Patient, row.Resource, row.Grantee, row.Commitment, row.NotAfter, row.Requested, row.GrantedBy);

    public static Task RevokeAsync(NpgsqlConnection connection, byte[] id, DateTimeOffset time, byte[] by, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent SET revoked = coalesce(revoked, $2), revoked_by = coalesce(revoked_by, $3) WHERE id = $1", id, time, by);

    /// <summary>Forgets a patient's consents, pseudonym, passkeys, delegates, recoveries and signing key; how many consents there were. What the chain holds then leads to nobody.</summary>
    public static async Task<int> RemoveOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation)
    {
        await ConsentKeyStore.RemoveOfPatientAsync(connection, patient, cancellation);
        await EmergencyStore.RemoveOfPatientAsync(connection, patient, cancellation);
        await DelegateStore.RemoveOfPatientAsync(connection, patient, cancellation);
        await RecoveryStore.RemoveOfPatientAsync(connection, patient, cancellation);
        await connection.ExecuteAsync(cancellation, "DELETE FROM consent_subject WHERE patient = $1", patient);
        return await connection.ExecuteAsync(cancellation, "DELETE FROM consent WHERE patient = $1", patient);
    }

    public static async Task<long> CountOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM consent WHERE patient = $1", patient))[0];

    public static async Task<ConsentRow?> FindAsync(NpgsqlConnection connection, string resource, bool forUpdate, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read,
            $"SELECT {Columns} FROM consent WHERE resource = $1{(forUpdate ? " FOR UPDATE" : "")}", resource)).SingleOrDefault();

    public static async Task<IReadOnlyList<ConsentRow>> OfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM consent WHERE patient = $1 ORDER BY requested DESC LIMIT 1000", patient);

    public static async Task<IReadOnlyList<ConsentRow>> ForGranteeAsync(
        NpgsqlConnection connection, string patient, IReadOnlyList<string> grantees, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read,
            $"SELECT {Columns} FROM consent WHERE patient = $1 AND grantee = ANY($2) AND granted_block IS NOT NULL AND revoked IS NULL", patient, grantees.ToArray());

    public static async Task<IReadOnlyList<string>> PatientsForAsync(NpgsqlConnection connection, IReadOnlyList<string> grantees, DateTimeOffset now, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => row.GetString(0),
            "SELECT DISTINCT patient FROM consent WHERE grantee = ANY($1) AND granted_block IS NOT NULL AND revoked IS NULL AND not_after >= $2 LIMIT 10000",
            grantees.ToArray(), now);

    public static async Task<IReadOnlyList<ConsentRow>> ActiveAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read,
            $"SELECT {Columns} FROM consent WHERE granted_block IS NOT NULL AND revoked IS NULL ORDER BY requested DESC LIMIT $1", countMax);

    public static Task<int> GrantedAsync(NpgsqlConnection connection, byte[] id, byte[] commitment, byte[] by, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent SET granted_block = $4, granted_by = $3 WHERE id = $1 AND commitment = $2", id, commitment, by, block);

    public static Task RevokedAsync(NpgsqlConnection connection, byte[] id, byte[] by, DateTimeOffset time, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent SET revoked = coalesce(revoked, $3), revoked_by = $2, revoked_block = $4 WHERE id = $1", id, by, time, block);

    /// <summary>
    /// Forgets what the chain has said after a block. Grants up to it stay in force; revocations stand, whatever becomes of the block that held them.
    /// </summary>
    public static async Task RewindAsync(NpgsqlConnection connection, long block, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "UPDATE consent SET granted_block = NULL WHERE granted_block > $1", block);
        await connection.ExecuteAsync(cancellation, "UPDATE consent SET revoked_block = NULL WHERE revoked_block > $1", block);
        await connection.ExecuteAsync(cancellation, "DELETE FROM consent_block WHERE number > $1", block);
    }

    /// <summary>The blocks at which readings ended, oldest first. The last is how far the mirror has read.</summary>
    public static async Task<IReadOnlyList<BlockMark>> BlocksAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => new BlockMark((ulong)row.GetInt64(0), row.GetFieldValue<byte[]>(1)), "SELECT number, hash FROM consent_block ORDER BY number");

    /// <summary>How far the mirror has read.</summary>
    public static async Task<BlockMark?> NewestBlockAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => new BlockMark((ulong)row.GetInt64(0), row.GetFieldValue<byte[]>(1)),
            "SELECT number, hash FROM consent_block ORDER BY number DESC LIMIT 1")).SingleOrDefault();

    /// <summary>Notes the end of a reading. Of those long past, only the ones that had something to tell are kept.</summary>
    public static async Task AddBlockAsync(NpgsqlConnection connection, long number, byte[] hash, bool hasEvents, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "INSERT INTO consent_block (number, hash, has_events) VALUES ($1, $2, $3)", number, hash, hasEvents);
        await connection.ExecuteAsync(cancellation, "DELETE FROM consent_block WHERE number < $1 AND NOT has_events", number - BlocksKeptMax);
    }

    static ConsentRow Read(NpgsqlDataReader row) => Read(row, 0);

    /// <summary>Reads <see cref="Columns"/> from a column on.</summary>
    internal static ConsentRow Read(NpgsqlDataReader row, int at) => new(
        row.GetFieldValue<byte[]>(at), row.GetString(at + 1), row.GetString(at + 2), row.GetString(at + 3), row.GetFieldValue<byte[]>(at + 4),
        row.GetFieldValue<DateTimeOffset>(at + 5), row.GetFieldValue<DateTimeOffset>(at + 6), row.GetFieldValue<byte[]>(at + 7), row.NullableValue<long>(at + 8),
        row.NullableValue<DateTimeOffset>(at + 9), row.Nullable<byte[]>(at + 10), row.NullableValue<long>(at + 11));
}
