using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>The contracts a transaction may go to.</summary>
public enum ChainContract
{
    /// <summary>The consortium.</summary>
    Members,
    /// <summary>Who may sign for patients.</summary>
    Subjects,
    /// <summary>Patients' consents.</summary>
    Consents,
    /// <summary>Log heads.</summary>
    Anchor,
}

/// <summary>How far a transaction has come.</summary>
public enum ChainState : short
{
    /// <summary>Waiting to be sent.</summary>
    Queued = 0,
    /// <summary>Sent; no receipt yet.</summary>
    Sent = 1,
    /// <summary>In a block that could still be lost.</summary>
    Mined = 2,
    /// <summary>In a block that a durable snapshot or the configured depth holds.</summary>
    Durable = 3,
    /// <summary>The contract refused it.</summary>
    Refused = 4,
}

/// <summary>The chain log of one transaction, as it is shown.</summary>
public sealed record ChainReceipt(
    long Id, string Purpose, string Reference, ChainContract Contract, ChainState State, byte[]? TransactionHash, long? BlockNumber,
    byte[]? BlockHash, long? GasUsed, DateTimeOffset? Mined, string? Refusal, DateTimeOffset Created);

/// <summary>
/// Transactions waiting for the chain. A row is written in the caller's database transaction; <c>ChainRelay</c> sends it afterwards
/// and as often as it takes, so every call queued here must be one that its contract takes twice without harm.
/// </summary>
public sealed class ChainOutbox(NpgsqlDataSource database, TimeProvider time)
{
    const string Columns = "id, purpose, reference, contract, state, transaction_hash, block_number, block_hash, gas_used, mined, refusal, created";

    /// <summary>Queues a call; a second one of the same purpose and reference is ignored. The purpose and reference identify nobody.</summary>
    public Task EnqueueAsync(NpgsqlConnection connection, string purpose, string reference, ChainContract contract, byte[] data, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "INSERT INTO chain_transaction (purpose, reference, contract, data, created) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (purpose, reference) DO NOTHING",
            purpose, reference, contract.ToString(), data, time.GetUtcNow());

    /// <summary>The chain log of one call.</summary>
    public async Task<ChainReceipt?> FindAsync(string purpose, string reference, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var found = await connection.QueryAsync(cancellation, Read,
            $"SELECT {Columns} FROM chain_transaction WHERE purpose = $1 AND reference = $2", purpose, reference);
        return found.SingleOrDefault();
    }

    /// <summary>The newest calls, newest first.</summary>
    public async Task<IReadOnlyList<ChainReceipt>> ListAsync(int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await connection.QueryAsync(cancellation, Read,
            $"SELECT {Columns} FROM chain_transaction ORDER BY id DESC LIMIT $1", countMax);
    }

    internal static ChainReceipt Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), Enum.Parse<ChainContract>(row.GetString(3)), (ChainState)row.GetInt16(4),
        row.Nullable<byte[]>(5), row.NullableValue<long>(6), row.Nullable<byte[]>(7), row.NullableValue<long>(8),
        row.NullableValue<DateTimeOffset>(9), row.Nullable<string>(10), row.GetFieldValue<DateTimeOffset>(11));
}
