using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Cohorts;

/// <summary>A data set as it stands in the database.</summary>
sealed record DataSetRow(Guid Id, Guid Account, DateTimeOffset Created, string? Entry);

/// <summary>A version as it stands in the database; <paramref name="About"/> is sealed.</summary>
sealed record DataSetVersionRow(Guid DataSet, int Version, DateTimeOffset Created, byte[] About, byte[] Blob, long Length, long SealedLength);

/// <summary>The SQL of data sets.</summary>
static class CohortStore
{
    const string RowColumns = "id, account, created, entry";
    const string VersionColumns = "data_set, version, created, about, blob, length, sealed_length";

    public static Task AddAsync(NpgsqlConnection connection, DataSetRow row, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, $"INSERT INTO data_set ({RowColumns}) VALUES ($1, $2, $3, $4)", row.Id, row.Account, row.Created, row.Entry);

    public static Task AddVersionAsync(NpgsqlConnection connection, DataSetVersionRow row, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, $"INSERT INTO data_set_version ({VersionColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            row.DataSet, row.Version, row.Created, row.About, row.Blob, row.Length, row.SealedLength);

    public static async Task<DataSetRow?> FindAsync(NpgsqlConnection connection, Guid id, bool forUpdate, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Row, $"SELECT {RowColumns} FROM data_set WHERE id = $1{(forUpdate ? " FOR UPDATE" : "")}", id)).SingleOrDefault();

    public static async Task<IReadOnlyList<DataSetRow>> OfAccountAsync(NpgsqlConnection connection, Guid account, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Row, $"SELECT {RowColumns} FROM data_set WHERE account = $1 ORDER BY created DESC", account);

    public static async Task<long> CountAsync(NpgsqlConnection connection, Guid account, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM data_set WHERE account = $1", account))[0];

    public static async Task<IReadOnlyList<DataSetVersionRow>> VersionsAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => new DataSetVersionRow(
            row.GetGuid(0), row.GetInt32(1), row.GetFieldValue<DateTimeOffset>(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<byte[]>(4), row.GetInt64(5), row.GetInt64(6)),
            $"SELECT {VersionColumns} FROM data_set_version WHERE data_set = $1 ORDER BY version", id);

    public static Task SealAsync(NpgsqlConnection connection, Guid id, string entry, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE data_set SET entry = $2 WHERE id = $1", id, entry);

    public static async Task RemoveAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM data_set_version WHERE data_set = $1", id);
        await connection.ExecuteAsync(cancellation, "DELETE FROM data_set WHERE id = $1", id);
    }

    static DataSetRow Row(NpgsqlDataReader row) => new(row.GetGuid(0), row.GetGuid(1), row.GetFieldValue<DateTimeOffset>(2), row.IsDBNull(3) ? null : row.GetString(3));
}
