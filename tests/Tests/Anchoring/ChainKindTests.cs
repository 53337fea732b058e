using System.Text.Json.Nodes;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Consent;
using Salus.Tests.Platform;
using static Salus.Tests.Anchoring.LogStory;

namespace Salus.Tests.Anchoring;

/// <summary>The same promises on every engine: the embedded one, another implementation, and one behind a consortium engine's limits.</summary>
public sealed class ChainKindTests
{
    [Theory]
    [InlineData(ChainKind.Anvil)]
    [InlineData(ChainKind.Hardhat)]
    [InlineData(ChainKind.BesuLimits)]
    public async Task Heads_are_anchored_with_evidence_that_holds(ChainKind kind)
    {
        await using var ground = await TestGround.NewWithChainAsync(kind: kind);
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        for (var round = 0; round < 4; round++)
        {
            await WriteAsync(node, doctor, writers: 1, each: 5);
            await node.WaitUntilAnchoredAsync();
        }
        await LogIsWholeAsync(node);
        await HeadsOnChainExtendEachOtherAsync(node);
        var evidence = await node.Database.RowsAsync(row => (Size: row.GetInt64(0), Root: row.GetFieldValue<byte[]>(1), Bytes: row.GetFieldValue<byte[]>(2)),
            "SELECT size, root, evidence FROM anchor_evidence JOIN log_head USING (size)");
        Assert.NotEmpty(evidence);
        Assert.All(evidence, kept => Assert.Null(AnchorEvidence.Read(kept.Bytes).Check(kept.Size, kept.Root, out _)));
        if (kind == ChainKind.BesuLimits)
        {
            var paid = await node.Database.RowsAsync(row => row.GetFieldValue<byte[]>(0), "SELECT transaction_hash FROM anchor");
            foreach (var hash in paid)
            {
                Assert.True((await ground.Chain.Direct.ReceiptAsync(hash, TestContext.Current.CancellationToken))!.EffectiveGasPrice.IsZero);
            }
        }
    }

    [Fact]
    public async Task Evidence_of_another_block_s_state_is_not_kept_but_asked_for_again()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var node = await TestNode.StartAsync(ground);
        await node.WaitUntilAnchoredAsync();
        var (chain, before, asked) = (ground.Chain, await ground.Chain.Direct.BlockNumberAsync(TestContext.Current.CancellationToken), 0);
        chain.Wire.Answers = async (call, cancellation) =>
        {
            if (call["method"]!.GetValue<string>() != "eth_getProof" || Interlocked.Increment(ref asked) > 2)
            {
                return null;
            }
            var proof = await chain.Direct.BatchAsync([new RpcCall("eth_getProof", call["params"]![0], call["params"]![1], Hex.Of(before))], cancellation);
            return new JsonObject { ["result"] = JsonNode.Parse(proof[0].GetRawText()) };
        };
        await WriteAsync(node, await node.AddAsync(Role.Practitioner), writers: 1, each: 5);
        await node.WaitUntilAnchoredAsync();
        Assert.True(asked > 2);
        var evidence = await node.Database.RowsAsync(row => (Size: row.GetInt64(0), Root: row.GetFieldValue<byte[]>(1), Bytes: row.GetFieldValue<byte[]>(2)),
            "SELECT size, root, evidence FROM anchor_evidence JOIN log_head USING (size) ORDER BY size");
        Assert.All(evidence, kept => Assert.Null(AnchorEvidence.Read(kept.Bytes).Check(kept.Size, kept.Root, out _)));
        Assert.Equal(await node.Database.ValueAsync<long>("SELECT max(size) FROM anchor"), evidence[^1].Size);
    }

    [Theory]
    [InlineData(ChainKind.Hardhat)]
    [InlineData(ChainKind.BesuLimits)]
    public async Task A_grant_opens_and_its_revocation_closes(ChainKind kind)
    {
        await using var ground = await TestGround.NewWithChainAsync(kind: kind);
        await using var story = await ConsentStory.StartAsync(ground);
        var consent = await story.Node.GrantAsync(story.Account, story.Doctor);
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens");
        await story.Node.Consents.RevokeAsync(story.Account, consent, default);
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        await story.Node.WaitUntilAnchoredAsync();
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT bool_and(revoked_block IS NOT NULL) FROM consent"), "the mirror reports the revocation");
        await LogIsWholeAsync(story.Node);
    }

    [Fact]
    public async Task What_another_implementation_loses_is_sent_again()
    {
        await using var ground = await TestGround.NewWithChainAsync(kind: ChainKind.Hardhat);
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var mark = await ground.Chain.MarkAsync();
        await story.Node.GrantAsync(story.Account, story.Doctor);
        ground.Chain.CutMethod = "eth_getLogs";
        ground.Chain.IsCut = true;
        await ground.Chain.RewindAsync(mark);
        ground.Chain.IsCut = false;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Forbidden, "the lost grant is out of force");
        ground.Chain.CutMethod = null;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens again");
        ground.Finality.Durable = ulong.MaxValue / 4;
        await story.Node.WaitUntilAnchoredAsync();
        await HeadsOnChainExtendEachOtherAsync(story.Node);
    }
}
