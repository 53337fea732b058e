using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Anchoring;

/// <summary>What became of the log while the node opened.</summary>
public abstract record LogRecoveryOutcome
{
    LogRecoveryOutcome() { }

    /// <summary>It goes on where it was.</summary>
    public sealed record Whole : LogRecoveryOutcome;

    /// <summary>The database had been restored; the log's files kept the hashes of what it lacks, and the log goes on after the gap.</summary>
    public sealed record Gap(long From, long To) : LogRecoveryOutcome;

    /// <summary>Neither database nor files reach what is anchored: another log has taken the place of the old one.</summary>
    public sealed record Succeeded(LogName Old, LogName New) : LogRecoveryOutcome;
}

/// <summary>
/// Compares the log at hand with what is anchored, before anything is appended. A database that was restored to before its last anchored head
/// leaves a gap that stays visible; nothing is ever put in the place of what was anchored.
/// </summary>
public sealed class LogRecovery(NpgsqlDataSource database, KeyVault vault, NodeKeys keys, ChainLink link, IChainFinality finality, LogFiles files, TimeProvider time)
{
    const int NamesMax = 1_000;
    static readonly TimeSpan DurableWait = TimeSpan.FromMilliseconds(200);

    /// <summary>Finds the log's names, and what is missing of it.</summary>
    /// <exception cref="SetupException">The database holds another history than the one that was anchored.</exception>
    public async Task<LogRecoveryOutcome> RunAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenUnpooledAsync(cancellation);
        var names = await NamesAsync(connection, cancellation);
        // Who holds the lock sequences and has looked already; this process waits for its turn.
        var isAlone = (await connection.QueryAsync(cancellation, row => row.GetBoolean(0), "SELECT pg_try_advisory_lock($1)", Sequencer.LockKey))[0];
        LogRecoveryOutcome outcome = new LogRecoveryOutcome.Whole();
        if (isAlone)
        {
            names = await FollowChainAsync(connection, names, cancellation);
            names = await EndPendingAsync(connection, names, cancellation);
            keys.Take(Show(names));
            outcome = await CompareAsync(connection, names, cancellation);
            names = await NamesAsync(connection, cancellation);
        }
        keys.Take(Show(names));
        return outcome;
    }

    async Task<LogRecoveryOutcome> CompareAsync(NpgsqlConnection connection, List<NamedLog> names, CancellationToken cancellation)
    {
        var head = await LogStore.HeadAsync(connection, cancellation);
        var (size, root) = (head?.Size ?? 0, head?.Root ?? MerkleHash.EmptyRoot());
        var anchored = await AnchorContract.HeadAsync(link.Rpc, link.Contracts[ChainContract.Anchor], keys.LogId, cancellationToken: cancellation);
        var (onFile, onChain) = (files.LeafCount, (long)anchored.Size);
        if (Math.Max(onFile, onChain) <= size)
        {
            return new LogRecoveryOutcome.Whole();
        }
        var leadsToChain = onFile >= onChain && (onChain == 0 || await LeadsAsync(onChain, anchored.Root, cancellation));
        if (onFile > size && leadsToChain)
        {
            if (!await LeadsAsync(size, root, cancellation))
            {
                throw new SetupException($"The database's log of {size} leaves is no part of the log in the files, which is anchored with {onChain}. Restore another backup, or run: salus verify");
            }
            return await AddGapAsync(connection, size, onFile, cancellation);
        }
        return onChain > size ? await SucceedAsync(connection, names, size, onChain, anchored.Root, cancellation) : new LogRecoveryOutcome.Whole();
    }

    async Task<bool> LeadsAsync(long size, byte[] root, CancellationToken cancellation) =>
        (await TreeProofs.RootAsync(size, files.ReadAsync, cancellation)).AsSpan().SequenceEqual(root);

    async Task<LogRecoveryOutcome> AddGapAsync(NpgsqlConnection connection, long from, long to, CancellationToken cancellation)
    {
        var now = SealedStore.Now(time);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // Lest a process that lost the lock without knowing it has just committed what looks missing, or does so now.
        await connection.ExecuteAsync(cancellation, "LOCK TABLE log_head IN SHARE ROW EXCLUSIVE MODE");
        var root = await TreeProofs.RootAsync(to, files.ReadAsync, cancellation);
        if (!await LogStore.AddHeadAsync(connection, from, to, root, now, cancellation))
        {
            return new LogRecoveryOutcome.Whole();
        }
        var hashes = new byte[(to - from) * MerkleHash.Size];
        for (var position = from; position < to; position++)
        {
            files.Leaf(position)!.CopyTo(hashes, (position - from) * MerkleHash.Size);
        }
        var notice = keys.Sign(new LogNotice.Gap(keys.Origin, now, new LeafRanges([(from, to - 1)])));
        await connection.ExecuteAsync(cancellation,
            "INSERT INTO log_gap (from_position, to_position, leaf_hashes, notice, noticed) VALUES ($1, $2, $3, $4, $5)", from, to, hashes, notice, now);
        await AppendNoticeAsync(connection, LeafKind.Gap, notice, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return new LogRecoveryOutcome.Gap(from, to);
    }

    async Task<LogRecoveryOutcome> SucceedAsync(
        NpgsqlConnection connection, List<NamedLog> names, long kept, long endedSize, byte[] endedRoot, CancellationToken cancellation)
    {
        var now = SealedStore.Now(time);
        var old = names[^1];
        var origin = OriginOf(names[0].Origin, old.Number + 1);
        var next = new NamedLog(old.Number + 1, origin, kept, null, keys.Sign(new LogNotice.Succession(origin, now, old.Origin, endedSize, endedRoot, kept)), false);
        await using (var transaction = await connection.BeginTransactionAsync(cancellation))
        {
            await EndAsync(connection, old.Number, endedSize, endedRoot, cancellation);
            await AddAsync(connection, next, now, cancellation);
            await transaction.CommitAsync(cancellation);
        }
        names = await EndPendingAsync(connection, await NamesAsync(connection, cancellation), cancellation);
        var shown = Show(names);
        return new LogRecoveryOutcome.Succeeded(shown[^2], shown[^1]);
    }

    /// <summary>Takes a succession that was begun to its end: on the chain, durable there, and told in a leaf.</summary>
    async Task<List<NamedLog>> EndPendingAsync(NpgsqlConnection connection, List<NamedLog> names, CancellationToken cancellation)
    {
        if (names is not [.., { } old, { IsOnChain: false, Notice: { } notice } next])
        {
            return names;
        }
        var contract = link.Contracts[ChainContract.Anchor];
        var (oldId, newId) = (IdOf(old.Origin), IdOf(next.Origin));
        var lineage = await AnchorContract.LineageAsync(link.Rpc, contract, oldId, cancellationToken: cancellation);
        if (!lineage.Successor.AsSpan().SequenceEqual(newId))
        {
            var reason = SHA256.HashData(Encoding.UTF8.GetBytes(notice));
            var receipt = await link.SendAsync(contract, AnchorContract.Succeed(oldId, newId, (ulong)next.Kept, reason), cancellation);
            if (!receipt.Succeeded)
            {
                throw new SetupException($"The contract refused to let the log {next.Origin} take the place of {old.Origin}. Check that the node's account is still the member that owns the log.");
            }
            while (await finality.DurableBlockAsync(link.Rpc, cancellation) < receipt.BlockNumber)
            {
                await Task.Delay(DurableWait, time, cancellation);
            }
        }
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(cancellation, "UPDATE log_name SET on_chain = true WHERE number = $1", next.Number);
        await AppendNoticeAsync(connection, LeafKind.Gap, notice, SealedStore.Now(time), cancellation);
        await transaction.CommitAsync(cancellation);
        return await NamesAsync(connection, cancellation);
    }

    /// <summary>The names that the chain knows and a restored database does not: a succession is found again by the contract's event.</summary>
    async Task<List<NamedLog>> FollowChainAsync(NpgsqlConnection connection, List<NamedLog> names, CancellationToken cancellation)
    {
        var contract = link.Contracts[ChainContract.Anchor];
        while (names.Count < NamesMax && names[^1] is { IsOnChain: true } last)
        {
            var lineage = await AnchorContract.LineageAsync(link.Rpc, contract, IdOf(last.Origin), cancellationToken: cancellation);
            if (lineage.Successor.All(digit => digit == 0))
            {
                break;
            }
            var origin = OriginOf(names[0].Origin, last.Number + 1);
            if (!lineage.Successor.AsSpan().SequenceEqual(IdOf(origin))
                || await SuccessionAsync(IdOf(last.Origin), cancellation) is not { } ended)
            {
                throw new SetupException($"On the chain the log {last.Origin} was succeeded by one that this node does not know. Restore a newer backup.");
            }
            var now = SealedStore.Now(time);
            var size = (await LogStore.HeadAsync(connection, cancellation))?.Size ?? 0;
            // What this database holds of the old log may be less than what was kept then; the newer log is compared with its own head next.
            var kept = Math.Min((long)ended.Kept, size);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await EndAsync(connection, last.Number, (long)ended.OldSize, ended.OldRoot, cancellation);
            await AddAsync(connection, new NamedLog(last.Number + 1, origin, kept, null, null, true), now, cancellation);
            await transaction.CommitAsync(cancellation);
            names = await NamesAsync(connection, cancellation);
        }
        return names;
    }

    async Task<AnchorEvent.Succeeded?> SuccessionAsync(byte[] log, CancellationToken cancellation)
    {
        const ulong blocksPerReadMax = 5_000;
        var latest = await link.Rpc.BlockNumberAsync(cancellation);
        for (var from = link.DeploymentBlock; from <= latest; from += blocksPerReadMax)
        {
            var logs = await link.Rpc.LogsAsync(
                new Ledger.Evm.LogFilter([link.Contracts[ChainContract.Anchor]], from, Math.Min(latest, from + blocksPerReadMax - 1)), cancellation);
            if (logs.Select(AnchorContract.TryDecode).OfType<AnchorEvent.Succeeded>().FirstOrDefault(found => found.OldLog.AsSpan().SequenceEqual(log)) is { } found)
            {
                return found;
            }
        }
        return null;
    }

    /// <summary>The names in the database; the first one is written at the first start.</summary>
    async Task<List<NamedLog>> NamesAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation,
            "INSERT INTO log_name (number, origin, log_id, kept, opened, on_chain) SELECT 1, $1, $2, 0, $3, true WHERE NOT EXISTS (SELECT FROM log_name) ON CONFLICT DO NOTHING",
            keys.Origin, keys.LogId, time.GetUtcNow());
        return await connection.QueryAsync(cancellation,
            row => new NamedLog(row.GetInt32(0), row.GetString(1), row.GetInt64(2), row.NullableValue<long>(3), row.Nullable<string>(4), row.GetBoolean(5)),
            "SELECT number, origin, kept, ended_size, notice, on_chain FROM log_name ORDER BY number");
    }

    Task<int> AddAsync(NpgsqlConnection connection, NamedLog log, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "INSERT INTO log_name (number, origin, log_id, kept, notice, opened, on_chain) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            log.Number, log.Origin, IdOf(log.Origin), log.Kept, log.Notice, now, log.IsOnChain);

    static Task<int> EndAsync(NpgsqlConnection connection, int number, long size, byte[] root, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE log_name SET ended_size = $2, ended_root = $3 WHERE number = $1", number, size, root);

    async Task AppendNoticeAsync(NpgsqlConnection connection, LeafKind kind, string notice, DateTimeOffset now, CancellationToken cancellation)
    {
        var owner = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(kind, kind.ToString(), Guid.CreateVersion7().ToString(), 1, owner, null, now, Encoding.UTF8.GetBytes(notice)) { IsOpen = true }], cancellation);
    }

    byte[] IdOf(string origin) => keys.Name(origin, 0, null).LogId;

    List<LogName> Show(List<NamedLog> names) => [.. names.Select(log => keys.Name(log.Origin, log.Kept, log.EndedSize))];

    static string OriginOf(string first, int number) => $"{first}/{number}";

    sealed record NamedLog(int Number, string Origin, long Kept, long? EndedSize, string? Notice, bool IsOnChain);
}
