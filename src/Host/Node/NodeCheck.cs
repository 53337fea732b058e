using Salus.Platform.Anchoring;
using Salus.Platform.Monitoring;
using Salus.Vault.Blobs;

namespace Salus.Host.Node;

/// <summary>The check of a node's data folder as a process of its own, beside a running node or alone. It needs no key.</summary>
static class NodeCheck
{
    const int FindingsExitCode = 2;

    /// <summary>Checks everything that the log covers, and writes the report.</summary>
    public static async Task<int> VerifyAsync(string[] args)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var (options, ledger) = NodeSettings.Read(configuration);
        if (!Directory.Exists(options.Data))
        {
            throw new NodeException($"There is no data folder at {options.Data}. Name it with --data.");
        }
        var verifierKey = await RunningNode.VerifierKeyAsync(options.Data)
            ?? throw new NodeException($"{options.Data} is no data folder of a node that was ever started. Name another with --data.");
        var kept = KeptCheckpoint.Read(configuration["Salus:Checkpoint"], verifierKey);
        using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.None));
        await using var engines = await OpenAsync(options, ledger, loggers);
        using var log = new LogFiles(options.LogFolder);
        var place = await ChainPlace.FindAsync(engines.Database, engines.Rpc, NodeKeys.LogIdOf(verifierKey), CancellationToken.None);
        var check = new IntegrityCheck(engines.Database, log, new BlobStore(options.BlobFolder), verifierKey, TimeProvider.System);
        var report = await check.RunAsync(place is null ? null : new ChainEvidence(engines.Rpc, place.Anchor, place.LogId, place.FromBlock), kept,
            new Progress<long>(leaves => Progress.Write(new { Event = "progress", Leaves = leaves })), CancellationToken.None);
        Progress.Write(new { Event = "report", report.Holds, report.Leaves, report.Heads, report.Anchors, report.Blobs, report.Erased, report.Truncated, Findings = report.Findings.Select(finding => new
        {
            Kind = finding.Kind.ToString(), finding.Record, finding.Leaf, finding.Difference,
        }) });
        return report.Holds ? 0 : FindingsExitCode;
    }

    /// <summary>The engines of a folder's node: those of the one that runs, or its own, started for this.</summary>
    public static async Task<NodeEngines> OpenAsync(NodeOptions options, ChainOptions ledger, ILoggerFactory loggers)
    {
        if (await RunningNode.FindAsync(options.Data) is { } running)
        {
            return NodeEngines.Beside(running.Database, running.Chain, ledger);
        }
        return options.EnginesObjection(ledger.Addresses.Count > 0) is { } objection
            ? throw new NodeException(objection)
            : await NodeEngines.StartAsync(options, ledger, loggers, CancellationToken.None);
    }
}
