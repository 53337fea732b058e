using Npgsql;
using Salus.Platform.Anchoring;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Erasure;

/// <summary>The SQL of erasures and of the files that they leave to be removed.</summary>
static class ErasureStore
{
    public static Task AddAsync(NpgsqlConnection connection, string entry, LeafRanges leaves, DateTimeOffset made, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "INSERT INTO erasure (entry, positions, made) VALUES ($1, $2::text::int8multirange, $3)", entry, leaves.ToMultirange(), made);

    public static async Task<IReadOnlyList<(SealedEntry Entry, long? Position)>> ListAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => (SealedStore.Read(row), row.NullableValue<long>(12)),
            $"""
            SELECT {SealedStore.Columns}, l.position FROM erasure r JOIN entry e ON e.type = 'Erasure' AND e.id = r.entry AND e.version = 1
            LEFT JOIN leaf l USING (type, id, version) ORDER BY r.made DESC, r.entry DESC LIMIT $1
            """, countMax);

    public static async Task QueueBlobsAsync(NpgsqlConnection connection, IReadOnlyList<byte[]> hashes, DateTimeOffset now, CancellationToken cancellation)
    {
        if (hashes.Count > 0)
        {
            await connection.ExecuteAsync(cancellation, "INSERT INTO blob_removal (hash, queued) SELECT hash, $2 FROM unnest($1::bytea[]) AS hash ON CONFLICT DO NOTHING", hashes.ToArray(), now);
        }
    }

    public static async Task<IReadOnlyList<byte[]>> QueuedBlobsAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => row.GetFieldValue<byte[]>(0), "SELECT hash FROM blob_removal ORDER BY queued LIMIT $1", countMax);

    public static Task RemovedBlobAsync(NpgsqlConnection connection, byte[] hash, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM blob_removal WHERE hash = $1", hash);
}
