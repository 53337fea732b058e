using System.CommandLine;
using System.Text.Json;
using Salus.Cli.Api;
using Salus.Cli.Node;
using Salus.Cli.Proofs;
using Salus.Cli.Terminal;
using Salus.Ledger.Evm;

namespace Salus.Cli.Commands;

/// <summary>
/// <c>salus verify</c>: a proof file by itself, a node's log from outside, or a node's data against its log, the chain and a checkpoint
/// kept elsewhere.
/// </summary>
static class VerifyCommand
{
    static readonly TimeSpan ChainWaitMax = TimeSpan.FromSeconds(30);

    static readonly Argument<string?> Proof = new("FILE") { Description = "A proof file, checked offline against --policy.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
    static readonly Option<string?> Policy = new("--policy") { Description = "Whom to trust: logs, witnesses, chain. Without it, --node trusts what the node said when it was first audited.", HelpName = "FILE" };
    static readonly Option<string?> Rpc = new("--rpc") { Description = "A chain of your choice to ask for the block, or for the head.", HelpName = "URL" };
    static readonly Option<string?> Node = new("--node") { Description = "Audit a node's whole log from outside, and keep what was seen.", HelpName = "URL" };
    static readonly Option<string?> Keep = new("--keep") { Description = "Where --node keeps what it saw (default: by log, under the user's data folder).", HelpName = "DIR" };
    static readonly Option<string> Data = new("--data") { Description = "The node's data folder.", HelpName = "DIR", DefaultValueFactory = _ => NodeSettings.DefaultData };
    static readonly Option<string?> Checkpoint = new("--checkpoint") { Description = "A checkpoint kept elsewhere (see salus checkpoint).", HelpName = "FILE" };
    static readonly Option<string?> Database = new("--database") { Description = "The node's external PostgreSQL, when it has one and does not run.", HelpName = "CONNECTION" };
    static readonly Option<string?> Ledger = new("--ledger") { Description = "The node's external chain, when it has one and does not run.", HelpName = "URL" };
    static readonly Option<bool> Json = new("--json") { Description = "The report as one JSON object." };

    public static Command Create()
    {
        var command = new Command("verify",
            "Check a proof FILE offline; or, with --node, a node's log from outside; or else recompute every leaf and head of a node's data, against the chain and a checkpoint kept elsewhere.")
        {
            Proof, Policy, Rpc, Node, Keep, Data, Checkpoint, Database, Ledger, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    static Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation) => (arguments.GetValue(Proof), arguments.GetValue(Node)) switch
    {
        ({ }, { }) => throw new CliException("Name a proof FILE or --node, not both.", ExitCodes.Usage),
        ({ } file, null) => ProofVerification.RunAsync(
            file, arguments.GetValue(Policy) ?? throw new CliException("Whom do you trust? Name a policy with --policy FILE; a node gives its own at /log/policy, to be compared with what you have from elsewhere.", ExitCodes.Usage),
            arguments.GetValue(Rpc), arguments.GetValue(Json), cancellation),
        (null, { } node) => AuditAsync(arguments, node, cancellation),
        _ => CheckDataAsync(arguments, cancellation),
    };

    static async Task<int> CheckDataAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var settings = new NodeSettings(Path.GetFullPath(arguments.GetValue(Data)!), "") { Database = arguments.GetValue(Database), Ledger = arguments.GetValue(Ledger) };
        var checkpoint = arguments.GetValue(Checkpoint) is { } file ? Path.GetFullPath(file) : null;
        if (arguments.GetValue(Json))
        {
            var found = await Verification.RunAsync(settings, checkpoint, _ => { }, cancellation);
            Console.WriteLine(JsonSerializer.Serialize(found, JsonSerializerOptions.Web));
            return ExitCodeOf(found);
        }
        var report = await StepTeller.RunAsync("Checking", (at, _) => Verification.RunAsync(settings, checkpoint, at, cancellation));
        Console.Write(VerifyText.Of(report, checkpoint));
        return ExitCodeOf(report);
    }

    static async Task<int> AuditAsync(ParseResult arguments, string address, CancellationToken cancellation)
    {
        using var node = NodeClient.Anonymous(address);
        using var http = new HttpClient { Timeout = ChainWaitMax };
        var rpc = arguments.GetValue(Rpc) is { } endpoint ? new EvmRpc(http, ProofVerification.ChainAddress(endpoint)) : null;
        var policy = arguments.GetValue(Policy) is { } file ? await File.ReadAllBytesAsync(file, cancellation) : null;
        var audit = new LogAudit(node, Path.GetFullPath(arguments.GetValue(Keep) ?? LogAudit.DefaultFolder(address)));
        if (arguments.GetValue(Json))
        {
            var found = await audit.RunAsync(policy, rpc, _ => { }, cancellation);
            Console.WriteLine(JsonSerializer.Serialize(found, JsonSerializerOptions.Web));
            return found.Fault is null ? ExitCodes.Done : ExitCodes.Findings;
        }
        var report = await StepTeller.RunAsync("Reading the log", (at, _) => audit.RunAsync(policy, rpc, at, cancellation));
        Console.Write(report.ToText());
        return report.Fault is null ? ExitCodes.Done : ExitCodes.Findings;
    }

    static int ExitCodeOf(VerifyReport report) => !report.Holds ? ExitCodes.Findings : report.IsWhole ? ExitCodes.Done : ExitCodes.Unchecked;
}
