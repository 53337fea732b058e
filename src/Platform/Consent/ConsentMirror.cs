using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent;

/// <summary>
/// Keeps the consents' table at what the chain's events say, block by block, and checks it against the contract's own answer now and then.
/// A chain that has lost blocks makes it read again what came after the last block that is still there; a revocation, once seen, stands.
/// </summary>
public sealed partial class ConsentMirror(
    NpgsqlDataSource database, ChainLink link, ConsentOptions options, TimeProvider time, ILogger<ConsentMirror> logger) : BackgroundService
{
    const ulong BlocksPerReadMax = 5_000;
    const int ConsentsPerCheckMax = 500;
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan CheckEvery = TimeSpan.FromMinutes(1);
    static readonly TimeSpan FaultWait = TimeSpan.FromSeconds(1);

    long lastRead;
    long lastCheck;

    /// <summary>Whether the mirror has heard from the chain recently enough to be believed.</summary>
    public bool IsFresh => Volatile.Read(ref lastRead) is > 0 and var at && time.GetElapsedTime(at).TotalSeconds < options.StaleAfterSeconds;

    /// <summary>The newest block whose events are in the table.</summary>
    public ulong Block { get; private set; }

    internal Eip712Domain Domain { get; } = ConsentsContract.Domain(link.ChainId, link.Contracts[ChainContract.Consents]);

    internal Eip712Domain SubjectsDomain { get; } = SubjectsContract.Domain(link.ChainId, link.Contracts[ChainContract.Subjects]);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(stoppingToken);
                if (lastCheck == 0 || time.GetElapsedTime(lastCheck) > CheckEvery)
                {
                    await CheckAsync(stoppingToken);
                    lastCheck = time.GetTimestamp();
                }
                await Task.Delay(Poll, time, stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or HttpRequestException or EvmRpcException or FormatException
                || (fault is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                LogFault(logger, fault.GetType().Name, fault.Message);
                await Task.Delay(FaultWait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task ReadAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var latest = await link.Rpc.BlockNumberAsync(cancellation);
        var upTo = latest >= (ulong)options.GrantDepth ? latest - (ulong)options.GrantDepth : 0;
        var known = await ConsentStore.NewestBlockAsync(connection, cancellation);
        if (known is { } last && !await StandsAsync(last, cancellation))
        {
            known = await RewindAsync(connection, cancellation);
        }
        var from = known is { } read ? (ulong)read.Number + 1 : link.DeploymentBlock;
        while (from <= upTo)
        {
            var to = Math.Min(upTo, from + BlocksPerReadMax - 1);
            var newest = await link.Rpc.BlockAsync(BlockTag.At(to), cancellation)
                ?? throw new FormatException($"The chain has no block {to}, though it says that it has {latest}.");
            var logs = await link.Rpc.LogsAsync(new LogFilter([link.Contracts[ChainContract.Subjects], link.Contracts[ChainContract.Consents]], from, to), cancellation);
            if (!await StandsAsync(((long)to, newest.Hash), cancellation))
            {
                return; // the chain went back while it was read; the next reading sees which blocks are left
            }
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            foreach (var log in logs)
            {
                await ApplyAsync(connection, log, cancellation);
            }
            await ConsentStore.AddBlockAsync(connection, (long)to, newest.Hash, logs.Count > 0, cancellation);
            await transaction.CommitAsync(cancellation);
            from = to + 1;
        }
        Block = upTo;
        Volatile.Write(ref lastRead, time.GetTimestamp());
    }

    /// <summary>
    /// Goes back to the newest block read that the chain still has. A block stands on all before it, so halving finds it: what was granted up to
    /// there is as it was, what came after is read again.
    /// </summary>
    async Task<(long Number, byte[] Hash)?> RewindAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var blocks = await ConsentStore.BlocksAsync(connection, cancellation);
        var (standing, fallen) = (0, blocks.Count); // how many stand at least; the index of one that does not
        while (standing < fallen)
        {
            var middle = standing + ((fallen - standing) / 2);
            (standing, fallen) = await StandsAsync(blocks[middle], cancellation) ? (middle + 1, fallen) : (standing, middle);
        }
        var common = standing == 0 ? ((long Number, byte[] Hash)?)null : blocks[standing - 1];
        LogRewound(logger, blocks[^1].Number, common?.Number ?? 0);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ConsentStore.RewindAsync(connection, common?.Number ?? 0, cancellation);
        await ConsentKeyStore.RewindAsync(connection, common?.Number ?? 0, cancellation);
        await transaction.CommitAsync(cancellation);
        return common;
    }

    async Task<bool> StandsAsync((long Number, byte[] Hash) read, CancellationToken cancellation) =>
        await link.Rpc.BlockAsync(BlockTag.At((ulong)read.Number), cancellation) is { } block && block.Hash.AsSpan().SequenceEqual(read.Hash);

    async Task ApplyAsync(NpgsqlConnection connection, EventLog log, CancellationToken cancellation)
    {
        var block = (long)log.BlockNumber;
        if (log.Address == link.Contracts[ChainContract.Subjects])
        {
            await ApplyAsync(connection, SubjectsContract.TryDecode(log), block, cancellation);
            return;
        }
        switch (ConsentsContract.TryDecode(log))
        {
            case ConsentsEvent.Granted granted:
                await ConsentStore.GrantedAsync(connection, granted.Id, granted.Commitment, granted.By, block, cancellation);
                break;
            case ConsentsEvent.Revoked revoked:
                await ConsentStore.RevokedAsync(connection, revoked.Id, revoked.By, time.GetUtcNow(), block, cancellation);
                break;
        }
    }

    static async Task ApplyAsync(NpgsqlConnection connection, SubjectsEvent? happened, long block, CancellationToken cancellation)
    {
        switch (happened)
        {
            case SubjectsEvent.Enrolled enrolled:
                await ConsentKeyStore.AddedAsync(connection, enrolled.Key, block, cancellation);
                break;
            case SubjectsEvent.KeyAdded added:
                await ConsentKeyStore.AddedAsync(connection, added.Key, block, cancellation);
                break;
            case SubjectsEvent.KeyRemoved removed:
                await ConsentKeyStore.RemovedAsync(connection, removed.Key, block, cancellation);
                await ConsentKeyStore.ForgetNodeKeyAsync(connection, removed.Subject, removed.Key, cancellation);
                break;
        }
    }

    /// <summary>Asks the contract itself about consents that the table calls active; one that it denies is taken out of force.</summary>
    async Task CheckAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        foreach (var row in await ConsentStore.ActiveAsync(connection, ConsentsPerCheckMax, cancellation))
        {
            if (time.GetUtcNow() <= row.NotAfter
                && !await ConsentsContract.IsActiveAsync(link.Rpc, link.Contracts[ChainContract.Consents], row.Id, row.Commitment, cancellationToken: cancellation))
            {
                LogDenied(logger, row.Resource);
                await connection.ExecuteAsync(cancellation, "UPDATE consent SET granted_block = NULL WHERE id = $1 AND granted_block IS NOT NULL", row.Id);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mirror of consents cannot read the chain ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chain no longer has block {Block} as it was; consents granted after block {Common} are read again")]
    static partial void LogRewound(ILogger logger, long block, long common);

    [LoggerMessage(Level = LogLevel.Error, Message = "Consent {Consent} stood as active here, but the contract denies it; it is out of force")]
    static partial void LogDenied(ILogger logger, string consent);
}
