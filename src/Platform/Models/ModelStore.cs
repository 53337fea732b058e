using Npgsql;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

/// <summary>The SQL of models: entries of their own kind. A Library is a model, a Provenance its release, a Basic how it fares.</summary>
static class ModelStore
{
    public static async Task<IReadOnlyList<SealedEntry>> NewestAsync(NpgsqlConnection connection, string type, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"SELECT {SealedStore.Columns} FROM entry e WHERE kind = 4 AND type = $1 ORDER BY written DESC, id DESC LIMIT $2", type, countMax);

    /// <summary>Names of entries of a type, newest first: what is known of one by its name need not be opened again.</summary>
    public static async Task<IReadOnlyList<string>> NewestIdsAsync(NpgsqlConnection connection, string type, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => row.GetString(0), "SELECT id FROM entry WHERE kind = 4 AND type = $1 ORDER BY written DESC, id DESC LIMIT $2", type, countMax);

    public static async Task<SealedEntry?> FindAsync(NpgsqlConnection connection, string type, string id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, SealedStore.Read,
            $"SELECT {SealedStore.Columns} FROM entry e WHERE type = $1 AND id = $2 AND kind = 4 ORDER BY version LIMIT 1", type, id)).SingleOrDefault();

    /// <summary>The salted commitments of versions, in the order of type, id and version.</summary>
    public static async Task<IReadOnlyList<byte[]>> CommitmentsAsync(
        NpgsqlConnection connection, IReadOnlyList<(string Type, string Id, int Version)> versions, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => row.GetFieldValue<byte[]>(0),
            """
            SELECT content FROM entry JOIN unnest($1::text[], $2::text[], $3::int[]) AS wanted(type, id, version) USING (type, id, version)
            ORDER BY type COLLATE "C", id COLLATE "C", version
            """,
            versions.Select(version => version.Type).ToArray(), versions.Select(version => version.Id).ToArray(), versions.Select(version => version.Version).ToArray());
}
