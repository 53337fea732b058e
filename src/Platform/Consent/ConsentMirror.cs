using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent.Delegates;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent;

/// <summary>
/// Keeps the consents' table at what the chain's events say, block by block, and checks it against the contract's own answer now and then.
/// A chain that has lost blocks makes it read again what came after the last block that is still there; a revocation, once seen, stands.
/// </summary>
public sealed partial class ConsentMirror(
    NpgsqlDataSource database, ChainLink link, IChainFinality finality, ConsentOptions options, ChainHealth health, TimeProvider time, ILogger<ConsentMirror> logger)
    : BackgroundService
{
    const int ConsentsPerCheckMax = 500;
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan CheckEvery = TimeSpan.FromMinutes(1);
    static readonly TimeSpan FaultWait = TimeSpan.FromSeconds(1);

    readonly LogFollower follower = new(link.Rpc, [link.Contracts[ChainContract.Subjects], link.Contracts[ChainContract.Consents]], link.DeploymentBlock, finality.ReorganizationMax);

    long lastRead;
    long lastCheck;

    /// <summary>Whether the mirror has heard from the chain recently enough to be believed.</summary>
    public bool IsFresh => Volatile.Read(ref lastRead) is > 0 and var at && time.GetElapsedTime(at).TotalSeconds < options.StaleAfterSeconds;

    /// <summary>The newest block whose events are in the table.</summary>
    public ulong Block { get; private set; }

    internal Eip712Domain Domain { get; } = ConsentsContract.Domain(link.ChainId, link.Contracts[ChainContract.Consents]);

    internal Eip712Domain SubjectsDomain { get; } = SubjectsContract.Domain(link.ChainId, link.Contracts[ChainContract.Subjects]);

    /// <summary>Whether the contract itself says now that a consent counts for exactly these terms.</summary>
    /// <exception cref="HttpRequestException">The chain does not answer.</exception>
    internal Task<bool> HoldsAsync(ConsentRow row, CancellationToken cancellation) =>
        ConsentsContract.IsActiveAsync(link.Rpc, link.Contracts[ChainContract.Consents], row.Id, row.Commitment, cancellationToken: cancellation);

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
            catch (Exception fault) when (fault is NpgsqlException or HttpRequestException or EvmRpcException or FormatException or ChainSplitException
                || (fault is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                health.Mirrors(fault.Message);
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
        await link.Agreement.RequireAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var latest = await link.Rpc.BlockNumberAsync(cancellation);
        var upTo = latest >= (ulong)options.GrantDepth ? latest - (ulong)options.GrantDepth : 0;
        for (var known = await ConsentStore.NewestBlockAsync(connection, cancellation); ;)
        {
            switch (await follower.NextAsync(upTo, known, token => ConsentStore.BlocksAsync(connection, token), cancellation))
            {
                case LogReading.Read read:
                    await KeepAsync(connection, read, cancellation);
                    known = read.UpTo;
                    break;
                case LogReading.Rewound back:
                    LogRewound(logger, (long)known!.Number, (long)(back.Common?.Number ?? 0));
                    await using (var transaction = await connection.BeginTransactionAsync(cancellation))
                    {
                        await ConsentStore.RewindAsync(connection, (long)(back.Common?.Number ?? 0), cancellation);
                        await ConsentKeyStore.RewindAsync(connection, (long)(back.Common?.Number ?? 0), cancellation);
                        await DelegateStore.RewindAsync(connection, (long)(back.Common?.Number ?? 0), cancellation);
                        await RecoveryStore.RewindAsync(connection, (long)(back.Common?.Number ?? 0), cancellation);
                        await transaction.CommitAsync(cancellation);
                    }
                    known = back.Common;
                    break;
                case LogReading.TooDeep deep:
                    // What was read stays as it is and goes stale: which of the two histories counts is for somebody to find out.
                    throw new ChainSplitException($"{deep} No consent is read until somebody has looked: is --ledger the right network? If it is, let Salus:Ledger:ReorganizationMax be larger.");
                case LogReading.Moved:
                    return;
                case LogReading.Nothing:
                    Block = upTo;
                    Volatile.Write(ref lastRead, time.GetTimestamp());
                    health.Mirrors(null);
                    return;
            }
        }
    }

    async Task KeepAsync(NpgsqlConnection connection, LogReading.Read read, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var log in read.Logs)
        {
            await ApplyAsync(connection, log, cancellation);
        }
        await ConsentStore.AddBlockAsync(connection, (long)read.UpTo.Number, read.UpTo.Hash, read.Logs.Count > 0, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    async Task ApplyAsync(NpgsqlConnection connection, EventLog log, CancellationToken cancellation)
    {
        var block = (long)log.BlockNumber;
        if (log.Address == link.Contracts[ChainContract.Subjects])
        {
            await SubjectMirror.ApplyAsync(connection, SubjectsContract.TryDecode(log), time.GetUtcNow(), block, cancellation);
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

    /// <summary>Asks the contract itself about consents that the table calls active; one that it denies is taken out of force.</summary>
    async Task CheckAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        foreach (var row in await ConsentStore.ActiveAsync(connection, ConsentsPerCheckMax, cancellation))
        {
            if (time.GetUtcNow() <= row.NotAfter
                && !await HoldsAsync(row, cancellation))
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
