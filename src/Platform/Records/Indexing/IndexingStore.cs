using Npgsql;
using Salus.Platform.Schema;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Indexing;

/// <summary>A key's row.</summary>
sealed record KeyRow(int Number, Guid Owner, DateTimeOffset Made, DateTimeOffset? Active);

/// <summary>A parameter's row.</summary>
sealed record ParameterRow(string Id, int Version, DateTimeOffset? Ready);

/// <summary>A pass over the index.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Parameter">The SearchParameter it is for; null for a key.</param>
/// <param name="Version">The SearchParameter's version.</param>
/// <param name="Types">The types it goes through; null for all.</param>
/// <param name="Asked">When it was asked for.</param>
/// <param name="Total">Rows to go through, as counted at the beginning; null before.</param>
/// <param name="Done">Rows gone through.</param>
/// <param name="Type">The type it has come to.</param>
/// <param name="After">The id it has come to.</param>
/// <param name="Ended">When it was done.</param>
sealed record PassRow(long Id, string? Parameter, int? Version, string[]? Types, DateTimeOffset Asked, long? Total, long Done, string Type, string After, DateTimeOffset? Ended);

/// <summary>The SQL of the index's keys, parameters and passes.</summary>
static class IndexingStore
{
    const long KeysLock = 0x53616c757301;
    /// <summary>The name under which the packages' parameters stand together; no record has it.</summary>
    public const string Packages = "packages";

    const string PassColumns = "id, parameter, version, types, asked, total, done, type, after, ended";

    public static async Task<IReadOnlyList<KeyRow>> KeysAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => new KeyRow(row.GetInt32(0), row.GetGuid(1), row.GetFieldValue<DateTimeOffset>(2), row.NullableValue<DateTimeOffset>(3)),
            "SELECT number, owner, made, active FROM index_key ORDER BY number");

    /// <summary>Makes the key of an empty index, unless another process has.</summary>
    public static async Task<IReadOnlyList<KeyRow>> FirstKeyAsync(NpgsqlConnection connection, KeyVault vault, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(cancellation, "SELECT pg_advisory_xact_lock($1)", KeysLock);
        if ((await KeysAsync(connection, cancellation)).Count == 0)
        {
            var owner = await vault.CreateOwnerAsync(connection, Guid.NewGuid(), OwnerKind.Index, cancellation);
            await connection.ExecuteAsync(cancellation, "INSERT INTO index_key (number, owner, made, active) VALUES (1, $1, $2, $2)", owner.Id, now);
        }
        await transaction.CommitAsync(cancellation);
        return await KeysAsync(connection, cancellation);
    }

    /// <summary>Announces the next key; false while there is more than one.</summary>
    public static async Task<bool> AnnounceKeyAsync(NpgsqlConnection connection, KeyVault vault, DateTimeOffset now, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "SELECT pg_advisory_xact_lock($1)", KeysLock);
        if (await KeysAsync(connection, cancellation) is not [var only])
        {
            return false;
        }
        var owner = await vault.CreateOwnerAsync(connection, Guid.NewGuid(), OwnerKind.Index, cancellation);
        await connection.ExecuteAsync(cancellation, "INSERT INTO index_key (number, owner, made) VALUES ($1, $2, $3)", only.Number + 1, owner.Id, now);
        return true;
    }

    /// <summary>Lets rows be written under a key that was announced before a time, and asks for the pass that rewrites the others.</summary>
    public static Task<int> ActivateKeyAsync(NpgsqlConnection connection, DateTimeOffset announcedBefore, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "WITH active AS (UPDATE index_key SET active = $2 WHERE active IS NULL AND made <= $1 RETURNING number) INSERT INTO index_pass (asked) SELECT $2 FROM active",
            announcedBefore, now);

    /// <summary>Destroys the keys before the newest, in the caller's transaction; false while rows stand under them.</summary>
    public static async Task<bool> RetireKeysAsync(NpgsqlConnection connection, KeyVault vault, int newest, CancellationToken cancellation)
    {
        if ((await connection.QueryAsync(cancellation, row => row.GetBoolean(0), "SELECT EXISTS (SELECT FROM search_value WHERE key < $1)", newest))[0])
        {
            return false;
        }
        foreach (var old in (await KeysAsync(connection, cancellation)).Where(key => key.Number < newest))
        {
            await connection.ExecuteAsync(cancellation, "DELETE FROM index_key WHERE number = $1", old.Number);
            await vault.EraseOwnerAsync(connection, old.Owner, cancellation);
        }
        return true;
    }

    public static async Task<IReadOnlyList<ParameterRow>> ParametersAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => new ParameterRow(row.GetString(0), row.GetInt32(1), row.NullableValue<DateTimeOffset>(2)),
            "SELECT id, version, ready FROM index_parameter ORDER BY id");

    /// <summary>Notes the version of a SearchParameter that counts from now on, and asks for the pass that makes it ready.</summary>
    public static async Task NoteParameterAsync(NpgsqlConnection connection, string id, int version, string[] types, DateTimeOffset now, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation,
            "INSERT INTO index_parameter (id, version) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET version = excluded.version, ready = NULL", id, version);
        await connection.ExecuteAsync(cancellation, "INSERT INTO index_pass (parameter, version, types, asked) VALUES ($1, $2, $3, $4)", id, version, types, now);
    }

    /// <summary>Notes which parameters the packages bring, and asks for the pass that makes them ready where they are others than before.</summary>
    public static async Task NotePackagesAsync(NpgsqlConnection connection, int version, string[] types, DateTimeOffset now, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "SELECT pg_advisory_xact_lock($1)", KeysLock);
        var before = (await ParametersAsync(connection, cancellation)).FirstOrDefault(row => row.Id == Packages);
        if (types.Length == 0 && before is not null)
        {
            await RemoveParameterAsync(connection, Packages, cancellation);
        }
        else if (types.Length > 0 && before?.Version != version)
        {
            await NoteParameterAsync(connection, Packages, version, types, now, cancellation);
            if (await CountAsync(connection, null, cancellation) == 0)
            {
                await MakeReadyAsync(connection, Packages, version, now, cancellation);
            }
        }
    }

    /// <summary>Forgets a SearchParameter that was deleted, and the passes for it.</summary>
    public static async Task RemoveParameterAsync(NpgsqlConnection connection, string id, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM index_parameter WHERE id = $1", id);
        await connection.ExecuteAsync(cancellation, "DELETE FROM index_pass WHERE parameter = $1 AND ended IS NULL", id);
    }

    public static Task MakeReadyAsync(NpgsqlConnection connection, string id, int version, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE index_parameter SET ready = $3 WHERE id = $1 AND version = $2", id, version, now);

    public static async Task<IReadOnlyList<PassRow>> PassesAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, ReadPass, $"SELECT {PassColumns} FROM index_pass ORDER BY id DESC LIMIT $1", countMax);

    /// <summary>Notes for passes asked for before a time which transactions had begun by now: until those have ended, rows may come that they missed.</summary>
    public static Task<int> SetBarriersAsync(NpgsqlConnection connection, DateTimeOffset askedBefore, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE index_pass SET barrier = pg_snapshot_xmax(pg_current_snapshot()) WHERE barrier IS NULL AND ended IS NULL AND asked <= $1", askedBefore);

    /// <summary>Takes the oldest pass that can go on, for this transaction. A barrier from before a restoration lies beyond all transactions and counts for nothing.</summary>
    public static async Task<PassRow?> TakeAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadPass,
            $"""
            SELECT {PassColumns} FROM index_pass
            WHERE ended IS NULL AND (barrier <= pg_snapshot_xmin(pg_current_snapshot()) OR barrier > pg_snapshot_xmax(pg_current_snapshot()))
            ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
            """)).SingleOrDefault();

    /// <summary>Forgets passes that ended before a time.</summary>
    public static Task<int> ForgetAsync(NpgsqlConnection connection, DateTimeOffset endedBefore, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM index_pass WHERE ended < $1", endedBefore);

    public static async Task<bool> IsBusyAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetBoolean(0),
            "SELECT EXISTS (SELECT FROM index_pass WHERE ended IS NULL) OR EXISTS (SELECT FROM index_key WHERE active IS NULL)"))[0];

    public static async Task<long> CountAsync(NpgsqlConnection connection, string[]? types, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM search_value WHERE $1::text[] IS NULL OR type = ANY($1)", (object?)types))[0];

    public static Task MoveAsync(NpgsqlConnection connection, PassRow pass, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE index_pass SET total = $2, done = $3, type = $4, after = $5, ended = $6 WHERE id = $1",
            pass.Id, pass.Total, pass.Done, pass.Type, pass.After, pass.Ended);

    /// <summary>The names of the next rows in the order of type and id.</summary>
    public static async Task<List<(string Type, string Id)>> NextAsync(NpgsqlConnection connection, PassRow pass, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => (row.GetString(0), row.GetString(1)),
            "SELECT type, id FROM search_value WHERE (type, id) > ($1, $2) AND ($3::text[] IS NULL OR type = ANY($3)) ORDER BY type, id LIMIT $4",
            pass.Type, pass.After, pass.Types, countMax);

    /// <summary>Holds rows for this transaction: those that nobody writes now, or all of them after a wait.</summary>
    public static async Task<List<(string Type, string Id)>> HoldAsync(NpgsqlConnection connection, IReadOnlyList<(string Type, string Id)> rows, bool waits, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => (row.GetString(0), row.GetString(1)),
            $"""
            SELECT s.type, s.id FROM search_value s JOIN unnest($1::text[], $2::text[]) AS wanted (type, id) USING (type, id) FOR UPDATE OF s {(waits ? "" : "SKIP LOCKED")}
            """, rows.Select(row => row.Type).ToArray(), rows.Select(row => row.Id).ToArray());

    static PassRow ReadPass(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.Nullable<string>(1), row.NullableValue<int>(2), row.Nullable<string[]>(3), row.GetFieldValue<DateTimeOffset>(4), row.NullableValue<long>(5), row.GetInt64(6),
        row.GetString(7), row.GetString(8), row.NullableValue<DateTimeOffset>(9));
}
