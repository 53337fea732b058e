using System.Numerics;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Consent;
using Salus.Tests.Platform;
using static Salus.Tests.Anchoring.LogStory;

namespace Salus.Tests.Anchoring;

/// <summary>What a node makes of a chain that drops, forks, forgets, or tells the wrong time.</summary>
public sealed class ChainFaultTests
{
    static readonly ChainOptions Hurried = new() { RaiseAfterSeconds = 1 };

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transaction_that_no_block_takes_is_raised_by_an_eighth_at_least_and_anchors_once()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        ground.Sending = Hurried;
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.WaitUntilAnchoredAsync();
        await ground.Chain.CommandAsync("evm_setAutomine", false);
        await WriteAsync(node, doctor, writers: 1, each: 5);
        var first = await WaitingPriceAsync(ground, node, price => price > 0);
        var second = await WaitingPriceAsync(ground, node, price => price > first);
        Assert.True(second * 8 >= first * 9, $"{second} is less than an eighth above {first}.");
        await TestNode.UntilAsync(() => Task.FromResult(Status(node).Result is { PendingLeaves: 0 } status && status.AnchoredSize < status.LogSize), "the log waits for the chain");

        await ground.Chain.CommandAsync("evm_setAutomine", true);
        await ground.Chain.CommandAsync("evm_mine");
        await node.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(node);
        await HeadsOnChainExtendEachOtherAsync(node);
    }

    [Fact]
    public async Task Transactions_that_the_network_drops_are_handed_in_again()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.WaitUntilAnchoredAsync();
        await ground.Chain.CommandAsync("evm_setAutomine", false);
        await WriteAsync(node, doctor, writers: 1, each: 5);
        for (var round = 0; round < 2; round++)
        {
            await WaitingPriceAsync(ground, node, price => price > 0);
            await ground.Chain.CommandAsync("anvil_dropAllTransactions");
        }
        await ground.Chain.CommandAsync("evm_setAutomine", true);
        await node.WaitUntilAnchoredAsync();
        await HeadsOnChainExtendEachOtherAsync(node);
    }

    [Fact]
    public async Task A_call_that_a_block_holds_though_its_row_does_not_say_so_is_recognised_and_not_sent_twice()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var node = await TestNode.StartAsync(ground);
        await node.AddAsync(Role.Practitioner);
        await node.WaitUntilAnchoredAsync();
        const string rows = "SELECT string_agg((id, transaction_hash, block_number, block_hash, gas_used, mined)::text, ' ' ORDER BY id) FROM chain_transaction WHERE state = 3";
        var before = await node.Database.ValueAsync<string>(rows);
        var sent = await ground.Chain.Direct.TransactionCountAsync(node.Keys.Chain.Address, cancellationToken: Cancellation);

        await node.Database.ExecuteAsync("UPDATE chain_transaction SET state = 1, transaction_hash = NULL, block_number = NULL, block_hash = NULL, gas_used = NULL, mined = NULL");
        await node.WaitUntilAnchoredAsync();
        Assert.Equal(before, await node.Database.ValueAsync<string>(rows));
        Assert.Equal(sent, await ground.Chain.Direct.TransactionCountAsync(node.Keys.Chain.Address, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task A_reorganised_chain_ends_with_every_head_extending_the_last_and_every_grant_in_force()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        await story.Node.GrantAsync(story.Account, story.Doctor);
        await WriteAsync(story.Node, story.Doctor, writers: 1, each: 5);
        await TestNode.UntilAsync(async () => (await Status(story.Node)) is var status && status.AnchoredSize == status.LogSize && status.PendingLeaves == 0, "the head is on the chain");
        await ground.Chain.CommandAsync("anvil_reorg", 3, Array.Empty<object>());
        ground.Finality.Durable = ulong.MaxValue / 4;
        await story.Node.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(story.Node);
        await HeadsOnChainExtendEachOtherAsync(story.Node);
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens");
    }

    [Fact]
    public async Task A_chain_that_lost_more_than_a_reorganisation_may_is_not_followed_until_somebody_has_looked()
    {
        await using var ground = await TestGround.NewWithChainAsync(staleAfterSeconds: 5);
        ground.Finality.ReorganizationMax = 3;
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.GrantAsync(story.Account, story.Doctor);
        await story.Node.WaitUntilAnchoredAsync();
        var mark = await ground.Chain.MarkAsync();
        var newest = await ground.Chain.Direct.BlockNumberAsync(Cancellation);
        for (var block = 0; block < 10; block++)
        {
            await ground.Chain.CommandAsync("evm_mine");
        }
        await TestNode.UntilAsync(() => Task.FromResult(story.Node.Get<ConsentMirror>().Block >= newest + 10), "the mirror has read them");
        ground.Chain.IsCut = true;
        await ground.Chain.RewindAsync(mark);
        await ground.Chain.CommandAsync("evm_increaseTime", 7);
        await ground.Chain.CommandAsync("anvil_mine", "0xa");
        ground.Chain.IsCut = false;
        await TestNode.UntilAsync(async () => (await Status(story.Node)).ChainFault?.Contains("Salus:Ledger:ReorganizationMax", StringComparison.Ordinal) == true, "the node says so");
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Forbidden, "the stale mirror refuses");
        await WriteAsync(story.Node, story.Doctor, writers: 1, each: 3);
    }

    [Fact]
    public async Task A_chain_whose_clock_runs_a_day_ahead_refuses_a_short_grant_and_takes_every_head()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await ConsentStory.StartAsync(ground);
        await ground.Chain.CommandAsync("evm_increaseTime", 86_400);
        await ground.Chain.CommandAsync("evm_mine");
        await story.Node.RequestAsync(story.Account, story.Doctor, period: TimeSpan.FromHours(1));
        await TestNode.UntilAsync(async () => (await Status(story.Node)).RefusedTransactions == 1, "the contract has refused the grant");
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        await story.Node.GrantAsync(story.Account, story.Doctor, period: TimeSpan.FromDays(3));
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Found, "a longer one opens");
        await story.Node.WaitUntilAnchoredAsync();
        await HeadsOnChainExtendEachOtherAsync(story.Node);
    }

    internal static Task<AnchoringStatus> Status(TestNode node) => node.Get<BlockLog>().StatusAsync(CancellationToken.None);

    /// <summary>What the node's account offers for a unit of gas in the transaction that waits.</summary>
    static async Task<BigInteger> WaitingPriceAsync(TestGround ground, TestNode node, Func<BigInteger, bool> wanted)
    {
        var price = BigInteger.Zero;
        await TestNode.UntilAsync(async () =>
        {
            price = await ground.Chain.Direct.CallAsync("txpool_content", content => content.GetProperty("pending").EnumerateObject()
                .Where(account => string.Equals(account.Name, node.Keys.Chain.Address.ToString(), StringComparison.OrdinalIgnoreCase))
                .SelectMany(account => account.Value.EnumerateObject())
                .Select(transaction => Hex.Quantity(transaction.Value.GetProperty("maxFeePerGas").GetString()))
                .FirstOrDefault(), Cancellation);
            return wanted(price);
        }, "a transaction waits at the price wanted");
        return price;
    }
}
