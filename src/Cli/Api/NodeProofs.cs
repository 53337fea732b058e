using System.Net;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;

namespace Salus.Cli.Api;

/// <summary>Proof files of a node, each checked here before it counts.</summary>
/// <remarks>The policy and the blocks are the node's own word here: what is checked is that its proofs hold under what it says itself.</remarks>
sealed class NodeProofs
{
    const int BlocksMax = 1000;

    readonly NodeClient reader;
    readonly NodeClient nobody;
    readonly ProofPolicy policy;
    HashSet<string> blocks = [];

    NodeProofs(NodeClient reader, NodeClient nobody, ProofPolicy policy) => (this.reader, this.nobody, this.policy) = (reader, nobody, policy);

    /// <summary>Reads the node's policy; <paramref name="reader"/> is who may read the records.</summary>
    public static async Task<NodeProofs> OpenAsync(NodeClient reader, NodeClient nobody, CancellationToken cancellation)
    {
        var answer = await nobody.AskAsync(HttpMethod.Get, "/log/policy", (object?)null, cancellation);
        return answer.IsSuccess ? new NodeProofs(reader, nobody, ProofPolicy.Read(answer.Body)) : throw new CliException($"GET /log/policy: {answer.Reason}");
    }

    /// <summary>The proof of a record's newest version, checked; null as long as the chain does not hold it.</summary>
    /// <exception cref="CliException">The node refuses, or the proof does not hold.</exception>
    public async Task<ProofAnswer?> CheckAsync(string record, CancellationToken cancellation)
    {
        var answer = await reader.AskAsync(HttpMethod.Get, $"/fhir/{record}/$proof", (object?)null, cancellation);
        if (answer.Status == HttpStatusCode.ServiceUnavailable)
        {
            return null;
        }
        if (!answer.IsSuccess)
        {
            throw new CliException($"The proof of {record}: {answer.Reason}");
        }
        var file = ProofFile.Read(answer.Body);
        if (file.Anchor is not { } anchor)
        {
            return null;
        }
        var header = BlockHeader.Decode(anchor.Header);
        if (!blocks.Contains(Hex.Of(header.Hash)))
        {
            blocks = [.. (await nobody.GetAsync<List<BlockAnswer>>($"/api/log/blocks?count={BlocksMax}", cancellation)).Select(block => block.BlockHash)];
        }
        var report = ProofCheck.Run(file, policy, [.. blocks.Select(hash => Hex.Data(hash))]);
        return report.Holds
            ? new ProofAnswer("anchored", file.Proof.Index, null, (long)header.Number, Hex.Of(anchor.TransactionHash), null)
            : throw new CliException($"The proof of {record} does not hold: {report.Claims.First(claim => claim.State == ClaimState.Fails).Sentence}");
    }
}
