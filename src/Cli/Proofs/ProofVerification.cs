using System.Text.Json;
using System.Text.Json.Serialization;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;

namespace Salus.Cli.Proofs;

/// <summary>Checks a proof file against a policy, offline unless a chain is named.</summary>
static class ProofVerification
{
    static readonly TimeSpan ChainWaitMax = TimeSpan.FromSeconds(30);
    static readonly JsonSerializerOptions JsonText = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>Checks and tells; the exit code is that of the first step that failed (<see cref="ProofStep"/>), or 0.</summary>
    public static async Task<int> RunAsync(string file, string policy, string? rpc, bool json, CancellationToken cancellation)
    {
        var trusted = await ReadAsync(policy, ProofStep.Policy, bytes => ProofPolicy.Read(bytes), cancellation);
        var proof = await ReadAsync(file, ProofStep.File, bytes => ProofFile.Read(bytes), cancellation);
        var vouched = rpc is null ? [] : await VouchedAsync(proof, trusted, rpc, cancellation);
        var report = ProofCheck.Run(proof, trusted, vouched);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                holds = report.Holds,
                record = report.Leaf.Id,
                version = report.Leaf.EntityVersion,
                kind = report.Leaf.Kind,
                written = TimeOf(report),
                claims = report.Claims,
            }, JsonText));
        }
        else
        {
            Tell(report);
        }
        return (int)report.Failed;
    }

    static void Tell(ProofReport report)
    {
        Console.WriteLine($"{report.Leaf.Id}, version {report.Leaf.EntityVersion}, written {TimeOf(report):u}");
        foreach (var claim in report.Claims)
        {
            var mark = claim.State switch { ClaimState.Holds => '✓', ClaimState.Fails => '✗', _ => '–' };
            Console.WriteLine($"{mark} {claim.Name,-9} {claim.Sentence}");
        }
        Console.WriteLine(report.Holds
            ? "The proof holds. It tells that nothing was changed since it was logged; not that it was true, nor that all was logged."
            : $"The proof does not hold (exit code {(int)report.Failed}: {report.Failed}).");
    }

    static DateTimeOffset TimeOf(ProofReport report) => DateTimeOffset.UnixEpoch.AddTicks(report.Leaf.UnixTimeMicroseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>The block of the evidence, when the chain that was named has it at its height and is the chain that the policy means.</summary>
    static async Task<IReadOnlyList<byte[]>> VouchedAsync(ProofFile proof, ProofPolicy policy, string endpoint, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new CliException($"'{endpoint}' is no address of a chain. Give --rpc one such as http://localhost:8545.");
        }
        if (proof.Anchor is not { } anchor || policy.Chain is not { } chain)
        {
            return [];
        }
        using var http = new HttpClient { Timeout = ChainWaitMax };
        var rpc = new EvmRpc(http, address);
        try
        {
            var id = await rpc.ChainIdAsync(cancellation);
            if (id != chain.ChainId)
            {
                throw new CliException($"The chain at {endpoint} is {id}, the policy's is {chain.ChainId}.", (int)ProofStep.Chain);
            }
            var header = BlockHeader.Decode(anchor.Header);
            return await rpc.BlockAsync(BlockTag.At(header.Number), cancellation) is { } block ? [block.Hash] : [];
        }
        catch (Exception fault) when (fault is HttpRequestException or EvmRpcException or FormatException || (fault is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new CliException($"The chain at {endpoint} gave no answer that can be used: {fault.Message}");
        }
    }

    static async Task<T> ReadAsync<T>(string path, ProofStep step, Func<byte[], T> read, CancellationToken cancellation)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= ProofFile.BytesMax
                ? read(await File.ReadAllBytesAsync(path, cancellation))
                : throw new FormatException($"It is longer than {ProofFile.BytesMax >> 20} MiB.");
        }
        catch (Exception unreadable) when (unreadable is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path}: {unreadable.Message}", (int)step);
        }
    }
}
