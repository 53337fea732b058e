using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Salus.Platform.Identity;

/// <summary>
/// Reports rows whose binding does not hold, in a transaction of their own, for the one that met them comes to nothing. Each is reported once
/// an hour, lest whoever altered it fills the trail by knocking again and again.
/// </summary>
sealed partial class AlteredRows(NpgsqlDataSource database, IdentityHooks hooks, TimeProvider time, ILogger logger)
{
    const int RememberedMax = 1_000;
    static readonly TimeSpan Every = TimeSpan.FromHours(1);

    readonly ConcurrentDictionary<(string Table, Guid? Account), DateTimeOffset> reported = new();

    /// <summary>Reports a row of the table that concerns the account.</summary>
    public async Task ReportAsync(string table, Guid? account, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (reported.TryGetValue((table, account), out var last) && now - last < Every)
        {
            return;
        }
        if (reported.Count >= RememberedMax)
        {
            reported.Clear();
        }
        reported[(table, account)] = now;
        LogAltered(logger, table, account);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.RowAltered, account, null, now), cancellation);
        await transaction.CommitAsync(cancellation);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A row of table {Table} was altered in the database and is refused; it concerns account {Account}")]
    static partial void LogAltered(ILogger logger, string table, Guid? account);
}
