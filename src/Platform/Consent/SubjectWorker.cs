using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Identity;

namespace Salus.Platform.Consent;

/// <summary>
/// Tells the contract of recoveries whose time has come, and finds the way back where the contract has refused a change of a patient's keys. What is
/// due stands in the tables and what is sent in the outbox, so that a kill costs a moment only.
/// </summary>
public sealed partial class SubjectWorker(
    NpgsqlDataSource database, ChainLink link, ChainOutbox outbox, AccountDesk accounts, IdentityHooks hooks, TimeProvider time, ILogger<SubjectWorker> logger) : BackgroundService
{
    static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    static readonly TimeSpan FaultWait = TimeSpan.FromSeconds(5);

    /// <summary>The chain's clock may be behind this one: then it refuses, and is asked again, each time after twice as long.</summary>
    static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(8);
    const int DoublingsMax = 9;

    /// <summary>The newest refused change of each pseudonym after which its number was looked at; the worker's own.</summary>
    readonly Dictionary<string, long> aligned = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = Poll;
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                await CompleteAsync(connection, stoppingToken);
                await RealignAsync(connection, stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or HttpRequestException or EvmRpcException or FormatException
                || (fault is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                LogFault(logger, fault.GetType().Name, fault.Message);
                wait = FaultWait;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Two nodes that come here at once name the same attempt, and the outbox takes it once.</summary>
    async Task CompleteAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        foreach (var (id, patient, subject) in await RecoveryStore.DueAsync(connection, now, cancellation))
        {
            var (count, last, underWay) = await RecoveryStore.CompletionsAsync(connection, id, cancellation);
            if (underWay || last + (AskAgainAfter * (1 << (int)Math.Min(count, DoublingsMax))) > now)
            {
                continue;
            }
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await outbox.EnqueueAsync(connection, RecoveryStore.CompletePurpose, $"{id}/{count}", ChainContract.Subjects, SubjectsContract.CompleteRecovery(subject), cancellation);
            if (count == 0)
            {
                var account = await accounts.FindOfPatientAsync(patient, cancellation);
                await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.Recovered, account?.Id, null, now), cancellation);
            }
            await transaction.CommitAsync(cancellation);
        }
    }

    /// <summary>A change that was refused has used up no sequence number at the contract; here it has, and every later one would be refused too.</summary>
    async Task RealignAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        foreach (var (patient, subject, sequence, refused) in await RecoveryStore.RefusedAsync(connection, cancellation))
        {
            if (aligned.GetValueOrDefault(patient) == refused)
            {
                continue;
            }
            var next = (await SubjectsContract.SubjectOfAsync(link.Rpc, link.Contracts[ChainContract.Subjects], subject, cancellationToken: cancellation)).Sequence;
            if (next != sequence)
            {
                LogRealigned(logger, (long)sequence, (long)next);
                await RecoveryStore.RealignAsync(connection, patient, sequence, next, cancellation);
            }
            aligned[patient] = refused;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Changes of patients' keys cannot be brought to an end ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The contract has refused a change of a patient's keys; the next is number {Next}, not {Sequence}")]
    static partial void LogRealigned(ILogger logger, long sequence, long next);
}
