using System.CommandLine;
using Salus.Cli.Api;
using Salus.Ledger.Proofs;

namespace Salus.Cli.Commands;

/// <summary><c>salus checkpoint</c>: keeps the newest head of a node's log elsewhere.</summary>
static class CheckpointCommand
{
    static readonly Option<string> Url = new("--url") { Description = "The node's address.", HelpName = "URL", Required = true };
    static readonly Option<string> Out = new("--out") { Description = "The file to write; best on another machine than the node's.", HelpName = "FILE", Required = true };

    public static Command Create()
    {
        var command = new Command("checkpoint", "Keep the newest signed head of a node's log, for salus verify --checkpoint. Its signature is checked first.") { Url, Out };
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        using var client = NodeClient.Anonymous(arguments.GetValue(Url)!);
        var place = await client.GetAsync<PlaceAnswer>("/api/log/place", cancellation);
        var answer = await client.AskAsync(HttpMethod.Get, "/log/checkpoint", (object?)null, cancellation);
        if (!answer.IsSuccess)
        {
            throw new CliException(answer.Status == System.Net.HttpStatusCode.NotFound ? "The node's log is empty; there is no checkpoint yet." : answer.Reason);
        }
        using var verifier = NoteVerifier.Parse(place.VerifierKey);
        var checkpoint = Checkpoint.Verify(System.Text.Encoding.UTF8.GetString(answer.Body), verifier.Name, verifier)
            ?? throw new CliException("The checkpoint is not signed by the key that the node names.");
        var file = Path.GetFullPath(arguments.GetValue(Out)!);
        await File.WriteAllBytesAsync(file, answer.Body, cancellation);
        Console.WriteLine($"✓ {file}: {checkpoint.Size:N0} leaves under {Convert.ToHexStringLower(checkpoint.Root.Span)}");
        return 0;
    }
}
