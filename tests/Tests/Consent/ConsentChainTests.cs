using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;
using ConsentState = Salus.Platform.Consent.ConsentState;

namespace Salus.Tests.Consent;

public sealed class ConsentChainTests
{
    [Fact]
    public async Task A_node_that_has_lost_sight_of_the_chain_refuses_until_it_is_back()
    {
        await using var ground = await TestGround.NewWithChainAsync(staleAfterSeconds: 5);
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.GrantAsync(story.Account, story.Doctor);
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens");
        ground.Chain.IsCut = true;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Forbidden refused
            && refused.Reason.Contains("lost sight of the chain", StringComparison.Ordinal), "the stale mirror refuses");
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition", Purpose.PatientRequest, story.Account));
        ground.Chain.IsCut = false;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens again");
    }

    [Fact]
    public async Task A_grant_that_the_chain_has_lost_is_out_of_force_until_it_was_sent_again()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var mark = await ground.Chain.MarkAsync();
        await story.Node.GrantAsync(story.Account, story.Doctor);
        var view = Assert.Single(await story.Node.Consents.ListAsync(story.Account, default));
        var contract = story.Node.Chain.Contracts[ChainContract.Consents];

        ground.Chain.IsCut = true;
        await ground.Chain.RewindAsync(mark);
        Assert.False(await ConsentsContract.IsActiveAsync(ground.Chain.Direct, contract, view.ChainId, view.Commitment, cancellationToken: TestContext.Current.CancellationToken));
        ground.Chain.IsCut = false;

        await TestNode.UntilAsync(() => ConsentsContract.IsActiveAsync(ground.Chain.Direct, contract, view.ChainId, view.Commitment), "the grant was sent again");
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens again");
        ground.Finality.Durable = ulong.MaxValue / 4;
        await story.Node.WaitUntilAnchoredAsync();
    }

    [Fact]
    public async Task A_grant_in_a_block_that_the_chain_still_has_stays_in_force_while_later_blocks_are_read_again()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await ConsentStory.StartAsync(ground);
        var revoked = await story.Node.GrantAsync(story.Account, story.Doctor);
        var early = await story.Node.AddAsync(Role.Practitioner);
        var late = await story.Node.AddAsync(Role.Practitioner);
        await story.Node.GrantAsync(story.Account, early);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var mark = await ground.Chain.MarkAsync();
        await story.Node.GrantAsync(story.Account, late);
        await story.Node.Consents.RevokeAsync(story.Account, revoked, default);
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM consent WHERE revoked_block IS NOT NULL)"), "the chain has the revocation");
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition", by: late));

        ground.Chain.CutMethod = "eth_getLogs"; // what the chain has lost cannot be read again for now
        ground.Chain.IsCut = true;
        await ground.Chain.RewindAsync(mark);
        ground.Chain.IsCut = false;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition", by: late) is ReadOutcome.Forbidden, "the lost grant is out of force");
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition", by: early));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));

        ground.Chain.CutMethod = null;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition", by: late) is ReadOutcome.Found, "the lost grant was sent again");
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition", by: early));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
    }

    [Fact]
    public async Task A_chain_that_lost_every_block_the_mirror_knows_is_read_from_its_beginning()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.GrantAsync(story.Account, story.Doctor);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Chain.CutMethod = "eth_getLogs";
        await story.Node.Database.ExecuteAsync("UPDATE consent_block SET hash = sha256(hash)");
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Forbidden, "no known block stands");
        ground.Chain.CutMethod = null;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant is read again");
    }

    [Fact]
    public async Task A_revocation_stands_though_the_chain_has_lost_it_and_is_sent_again()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await ConsentStory.StartAsync(ground);
        var consent = await story.Node.GrantAsync(story.Account, story.Doctor);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var view = Assert.Single(await story.Node.Consents.ListAsync(story.Account, default));
        var contract = story.Node.Chain.Contracts[ChainContract.Consents];
        Task<bool> IsActiveAsync() => ConsentsContract.IsActiveAsync(ground.Chain.Direct, contract, view.ChainId, view.Commitment);

        var mark = await ground.Chain.MarkAsync();
        Assert.IsType<RevokeOutcome.Revoked>(await story.Node.Consents.RevokeAsync(story.Account, consent, default));
        await TestNode.UntilAsync(async () => !await IsActiveAsync(), "the chain has the revocation");
        ground.Chain.IsCut = true;
        await ground.Chain.RewindAsync(mark);
        Assert.True(await IsActiveAsync(), "the chain has lost the revocation");
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        ground.Chain.IsCut = false;

        await TestNode.UntilAsync(async () => !await IsActiveAsync(), "the revocation was sent again");
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        Assert.Equal(ConsentState.Revoked, Assert.Single(await story.Node.Consents.ListAsync(story.Account, default)).State);
    }

    [Fact]
    public async Task The_chain_sees_commitments_only()
    {
        await using var story = await ConsentStory.StartAsync();
        var consent = await story.Node.GrantAsync(story.Account, story.Doctor, [RecordCategory.Medications, RecordCategory.Predictions], [Purpose.Treatment]);
        await story.Node.Consents.RevokeAsync(story.Account, consent, default);
        await story.Node.WaitUntilAnchoredAsync();

        var hashes = await story.Node.Database.RowsAsync(row => row.GetFieldValue<byte[]>(0),
            "SELECT transaction_hash FROM chain_transaction UNION SELECT transaction_hash FROM anchor");
        var view = Assert.Single(await story.Node.Consents.ListAsync(story.Account, default));
        List<byte> seen = [];
        foreach (var hash in hashes)
        {
            seen.AddRange(await story.Node.Chain.Rpc.CallAsync("eth_getTransactionByHash",
                json => Convert.FromHexString(json.GetProperty("input").GetString()!.AsSpan(2)), CancellationToken.None, "0x" + Convert.ToHexStringLower(hash)));
            foreach (var log in (await story.Node.Chain.Rpc.ReceiptAsync(hash))!.Logs)
            {
                seen.AddRange(log.Data);
                seen.AddRange(log.Topics.SelectMany(topic => topic));
            }
        }
        var everything = seen.ToArray();
        Assert.True(everything.AsSpan().IndexOf(view.Commitment) >= 0, "the search reaches the grant's calldata");
        foreach (var word in new[]
        {
            story.Doctor.Account.ToString(), story.Account.Account.ToString(), story.Patient, consent, "Medications", "Predictions", "Treatment", "TREAT", "Winterbourne",
            "Persistent cough",
        })
        {
            Assert.True(new Needle(word).FindIn(everything) is null, $"'{word}' stands on the chain");
        }
    }
}
