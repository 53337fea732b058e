using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Vault.Blobs;

namespace Salus.Platform.Monitoring;

/// <summary>Settings under <c>Salus:Monitoring</c>.</summary>
public sealed record MonitoringOptions
{
    /// <summary>Minutes between two checks of everything that the log covers.</summary>
    [Range(1, 10_080)]
    public int CheckEveryMinutes { get; init; } = 15;
}

/// <summary>Runs the check again and again and keeps the newest report.</summary>
public sealed partial class IntegrityWatch(
    NpgsqlDataSource database, LogFiles files, BlobStore blobs, ChainLink link, NodeKeys keys, IdentityTables identity, MonitoringOptions options,
    TimeProvider time,
    ILogger<IntegrityWatch> logger) : BackgroundService
{
    static readonly TimeSpan SettleWait = TimeSpan.FromSeconds(20);

    const int AlteredMax = 1_000;

    readonly SemaphoreSlim running = new(1, 1);

    /// <summary>The newest report, or null before the first.</summary>
    public IntegrityReport? Newest { get; private set; }

    /// <summary>Runs a check now; callers meeting here share none, each waits for its own.</summary>
    public async Task<IntegrityReport> CheckAsync(CancellationToken cancellation)
    {
        await running.WaitAsync(cancellation);
        try
        {
            var evidence = new ChainEvidence(link.Rpc, link.Contracts[ChainContract.Anchor], keys.LogId, link.DeploymentBlock);
            var report = await new IntegrityCheck(database, files, blobs, keys.VerifierKey, time).RunAsync(evidence, [], null, cancellation);
            var altered = await identity.FindAlteredAsync(cancellation);
            report = report with { Findings = [.. report.Findings, .. altered.Take(AlteredMax).Select(Finding)], Truncated = report.Truncated || altered.Count > AlteredMax };
            if (!report.Holds)
            {
                LogAlarm(logger, report.Findings.Count);
            }
            return Newest = report;
        }
        finally
        {
            running.Release();
        }
    }

    /// <summary>No leaf covers these tables; the node, which has the key, checks what binds their rows.</summary>
    static Finding Finding(AlteredRow row) =>
        new(FindingKind.Changed, $"Account/{row.Account}", null, $"A row of table {row.Table} that concerns this account was not written by the node. It opens nothing.");

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (var wait = SettleWait; ; wait = TimeSpan.FromMinutes(options.CheckEveryMinutes))
            {
                await Task.Delay(wait, time, stoppingToken);
                try
                {
                    await CheckAsync(stoppingToken);
                }
                catch (Exception fault) when (fault is NpgsqlException or IOException)
                {
                    LogFault(logger, fault.GetType().Name, fault.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "ALARM: the record was tampered with; {Count} findings. Run: salus verify")]
    static partial void LogAlarm(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The integrity check could not run ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);
}
