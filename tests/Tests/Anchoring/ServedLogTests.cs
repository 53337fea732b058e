using System.Net;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;
using Xunit;

namespace Salus.Tests.Anchoring;

/// <summary>The log as strangers see it: tiles, proofs and policy, and nothing of what a leaf tells.</summary>
public sealed class ServedLogTests
{
    [Fact]
    public async Task The_tiles_make_the_root_that_the_checkpoint_signs()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        for (var i = 0; i < 25; i++)
        {
            await node.RecordAsync(doctor);
        }
        await node.WaitUntilAnchoredAsync();
        using var client = await node.ClientAsync();
        var checkpoint = Checkpoint.Parse(SignedNote.Parse(await client.GetStringAsync("/log/checkpoint", default)).Text);
        Assert.True(checkpoint.Size > 256, "The test needs more than a tile.");
        var tree = new MerkleTree();
        var full = await BytesAsync(client, "/log/tile/0/000");
        var rest = await BytesAsync(client, $"/log/tile/0/001.p/{checkpoint.Size - 256}");
        tree.Append([.. full.Concat(rest).Chunk(MerkleHash.Size)]);
        Assert.Equal(checkpoint.Root.ToArray(), tree.Root());
        Assert.Equal(tree.Root(256), await BytesAsync(client, "/log/tile/1/000.p/1"));
        var proof = TlogProof.Parse(await client.GetStringAsync("/log/proof/77", default));
        Assert.Equal(ProofVerdict.Valid, InclusionProof.Verify(full.AsSpan(77 * 32, 32), 77, checkpoint.Size, proof.Path, checkpoint.Root.Span));
        var consistency = (await client.GetStringAsync($"/log/consistency/100/{checkpoint.Size}", default)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Convert.FromBase64String).ToList();
        Assert.Equal(ProofVerdict.Valid, ConsistencyProof.Verify(100, checkpoint.Size, tree.Root(100), tree.Root(), consistency));

        async Task<byte[]> BytesAsync(HttpClient http, string path)
        {
            using var response = await http.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, path);
            Assert.Contains("immutable", response.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            return await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task What_the_log_has_not_is_not_found()
    {
        await using var node = await TestNode.StartAsync();
        await node.RecordAsync(await node.AddAsync(Role.Practitioner));
        await node.WaitUntilAnchoredAsync();
        using var client = await node.ClientAsync();
        foreach (var path in new[]
        {
            "tile/0/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/255", "tile/0/001.p/1", "tile/0/x000/x000/x000/x000/x000/000", "tile/0/1",
            "tile/1/000.p/1", "tile/7/000.p/1", "tile/0/x999/x999/x999/x999/999", "tile/entries/000", "proof/1000000", "consistency/5/4", "consistency/0/1000000",
        })
        {
            using var response = await client.GetAsync($"/log/{path}", TestContext.Current.CancellationToken);
            Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"{path}: {response.StatusCode}");
        }
    }

    [Fact]
    public async Task A_proof_file_holds_offline_and_shows_the_bytes_only_when_asked_for()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var account = await node.AddAsync(Role.Patient, patient);
        var record = records.First(each => each.Type == "Condition");
        await node.WaitUntilAnchoredAsync();
        using var client = await node.ClientAsync(account);
        var policy = ProofPolicy.Read(await client.GetByteArrayAsync("/log/policy", TestContext.Current.CancellationToken));
        ProofFile? file = null;
        await TestNode.UntilAsync(async () =>
            (file = ProofFile.Read(await client.GetByteArrayAsync($"/fhir/Condition/{record.Id}/$proof", TestContext.Current.CancellationToken))).Anchor is not null,
            "a proof with evidence of its anchor");
        var header = BlockHeader.Decode(file!.Anchor!.Header);
        var report = ProofCheck.Run(file, policy, [header.Hash]);
        Assert.True(report.Holds, string.Join(' ', report.Claims));
        Assert.Equal(ClaimState.Holds, report.Claims[^1].State);
        Assert.Equal(record.Bytes, file.Content!.Bytes);
        Assert.Equal(ProofStep.Block, ProofCheck.Run(file, policy).Failed);
        var blind = ProofFile.Read(await client.GetByteArrayAsync($"/fhir/Condition/{record.Id}/_history/1/$proof?content=false", TestContext.Current.CancellationToken));
        Assert.Null(blind.Content);
        Assert.True(ProofCheck.Run(blind, policy, [header.Hash]).Holds);

        // A read like any other: decided and audited
        var stranger = await node.AddAsync(Role.Practitioner);
        Assert.IsType<ProofOutcome.Refused>(await node.Records.MakeProofAsync(stranger, "Condition", record.Id, null, false, Purpose.Treatment, default));
        var lines = await node.Records.AccessesAsync(account, patient, 100, default);
        Assert.Contains(lines!, line => line.Fact.Account == account.Account && line.Fact.Entity == $"Condition/{record.Id}");
        Assert.Contains(lines!, line => line.Fact.Account == stranger.Account && !line.Fact.Succeeded);
    }
}
