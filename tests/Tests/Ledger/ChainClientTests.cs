using System.Net;
using System.Numerics;
using Salus.Ledger.Evm;
using Salus.Tests.Platform;

namespace Salus.Tests.Ledger;

/// <summary>Endpoints, the follower of events and the sender of transactions, on a chain of their own.</summary>
public sealed class ChainClientTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // Emits the event with no topics and no data that anybody may call for: LOG0 at deployment
    static readonly byte[] Emits = [0x5f, 0x5f, 0xa0, 0x00];

    [Fact]
    public async Task An_endpoint_of_another_chain_is_not_asked()
    {
        await using var chain = await TestChain.StartAsync();
        await using var other = await TestChain.StartAsync(ChainKind.Hardhat);
        using var http = new HttpClient();
        var rpc = new EvmRpc(http, [other.Endpoint, chain.Endpoint], TimeProvider.System);
        rpc.RequireChain(await chain.Direct.ChainIdAsync(Cancellation));
        Assert.Equal(await chain.Direct.BlockAsync(BlockTag.At(0), Cancellation) is { } block ? Hex.Of(block.Hash) : null, Hex.Of((await rpc.BlockAsync(BlockTag.At(0), Cancellation))!.Hash));
        Assert.Contains("answers for the chain 31337", rpc.Endpoints[0].Fault, StringComparison.Ordinal);
        Assert.Null(rpc.Endpoints[1].Fault);
    }

    [Fact]
    public async Task With_no_endpoint_that_answers_the_question_fails_and_each_says_why()
    {
        using var http = new HttpClient();
        var rpc = new EvmRpc(http, [new Uri("http://127.0.0.1:1/"), new Uri("http://localhost:1/")], TimeProvider.System);
        for (var question = 0; question < 3; question++)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => rpc.ChainIdAsync(Cancellation));
        }
        Assert.All(rpc.Endpoints, endpoint => Assert.NotNull(endpoint.Fault));
        Assert.Throws<ArgumentException>(() => new EvmRpc(http, [], TimeProvider.System));
        Assert.Throws<ArgumentException>(() => new EvmRpc(http, [.. Enumerable.Range(1, 9).Select(port => new Uri($"http://127.0.0.1:{port}/"))], TimeProvider.System));
    }

    [Fact]
    public async Task The_follower_reads_on_goes_back_with_the_chain_and_says_when_it_went_too_far()
    {
        await using var chain = await TestChain.StartAsync();
        using var key = Secp256k1Key.Create();
        await chain.FundAsync(key.Address, Cancellation);
        using var sender = new TransactionSender(chain.Rpc, key, new FeePolicy(), SendPolicy.Default, TimeProvider.System);
        var emitter = Address.OfContract(key.Address, 0);
        List<BlockMark> marks = [];
        var follower = new LogFollower(chain.Rpc, [emitter], 0, lostMax: 3);
        async Task<LogReading> NextAsync() => await follower.NextAsync(
            await chain.Rpc.BlockNumberAsync(Cancellation), marks.LastOrDefault(), _ => Task.FromResult<IReadOnlyList<BlockMark>>(marks), Cancellation);

        await sender.SendAsync(null, Emits, null, Cancellation);
        var logs = 0;
        while (await NextAsync() is LogReading.Read read)
        {
            logs += read.Logs.Count;
            marks.Add(read.UpTo);
        }
        Assert.Equal(1, logs);
        Assert.Equal(await chain.Rpc.BlockNumberAsync(Cancellation), marks[^1].Number);

        var mark = await chain.MarkAsync();
        await chain.CommandAsync("evm_mine");
        marks.Add(Assert.IsType<LogReading.Read>(await NextAsync()).UpTo);
        await chain.RewindAsync(mark);
        var back = Assert.IsType<LogReading.Rewound>(await NextAsync());
        Assert.Equal(marks[^2], back.Common);
        marks.RemoveAt(marks.Count - 1);
        Assert.IsType<LogReading.Nothing>(await NextAsync());

        mark = await chain.MarkAsync();
        for (var block = 0; block < 4; block++)
        {
            await chain.CommandAsync("evm_mine");
            marks.Add(Assert.IsType<LogReading.Read>(await NextAsync()).UpTo);
        }
        await chain.RewindAsync(mark);
        var deep = Assert.IsType<LogReading.TooDeep>(await NextAsync());
        Assert.Equal((marks[^1].Number, marks[^5].Number, 3UL), (deep.Newest, deep.Common, deep.BlocksMax));
        Assert.Contains("has lost 4 blocks", $"{deep}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sender_takes_the_place_of_what_an_earlier_process_left_waiting()
    {
        await using var chain = await TestChain.StartAsync();
        using var key = Secp256k1Key.Create();
        await chain.FundAsync(key.Address, Cancellation);
        await chain.CommandAsync("evm_setAutomine", false);
        var left = await new TransactionBuilder(chain.Rpc, new FeePolicy(PriorityWei: 3_000_000_000)).BuildAsync(key, 0, key.Address, new byte[] { 1 }, Cancellation);
        await chain.Rpc.SendRawTransactionAsync(left.Raw, Cancellation);

        List<SignedTransaction> announced = [];
        using var sender = new TransactionSender(chain.Rpc, key, new FeePolicy(), new SendPolicy(TimeSpan.FromMinutes(1)), TimeProvider.System);
        var sending = sender.SendAsync(key.Address, new byte[] { 2 }, (signed, _) =>
        {
            announced.Add(signed);
            return Task.CompletedTask;
        }, Cancellation);
        await TestNode.UntilAsync(() => chain.Direct.CallAsync("txpool_content", content => content.GetRawText().Contains("\"0x02\"", StringComparison.Ordinal), Cancellation), "it took the place");
        await chain.CommandAsync("evm_mine");
        var receipt = await sending;
        Assert.Equal(Hex.Of(announced[^1].Hash.Span), Hex.Of(receipt.TransactionHash));
        Assert.All(announced, signed => Assert.Equal(0UL, signed.Transaction.Nonce));
        Assert.Null(await chain.Rpc.ReceiptAsync(left.Hash, Cancellation));
    }

    [Fact]
    public async Task A_sender_gives_up_when_the_chain_has_lost_what_came_before_its_transaction()
    {
        await using var chain = await TestChain.StartAsync();
        using var key = Secp256k1Key.Create();
        await chain.FundAsync(key.Address, Cancellation);
        using var sender = new TransactionSender(chain.Rpc, key, new FeePolicy(), new SendPolicy(TimeSpan.FromMinutes(1)), TimeProvider.System);
        var mark = await chain.MarkAsync();
        await sender.SendAsync(key.Address, new byte[] { 1 }, null, Cancellation);
        await chain.CommandAsync("evm_setAutomine", false);
        var sending = sender.SendAsync(key.Address, new byte[] { 2 }, null, Cancellation);
        await TestNode.UntilAsync(() => chain.Direct.CallAsync("txpool_content", content => content.GetRawText().Contains("\"0x02\"", StringComparison.Ordinal), Cancellation), "it waits for a block");
        await chain.RewindAsync(mark);
        await chain.CommandAsync("evm_setAutomine", true);
        var lost = await Assert.ThrowsAsync<TimeoutException>(() => sending);
        Assert.Contains("no longer holds", lost.Message, StringComparison.Ordinal);
        Assert.True((await sender.SendAsync(key.Address, new byte[] { 3 }, null, Cancellation)).Succeeded);
    }

    [Fact]
    public async Task Calls_sent_at_once_take_a_nonce_each()
    {
        await using var chain = await TestChain.StartAsync();
        using var key = Secp256k1Key.Create();
        await chain.FundAsync(key.Address, Cancellation);
        using var sender = new TransactionSender(chain.Rpc, key, new FeePolicy(), new SendPolicy(TimeSpan.FromMinutes(1)), TimeProvider.System);
        var receipts = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => sender.SendAsync(key.Address, new byte[] { (byte)i }, null, Cancellation)));
        Assert.Equal(5, receipts.Select(receipt => Hex.Of(receipt.TransactionHash)).Distinct().Count());
        Assert.Equal(5UL, await chain.Rpc.TransactionCountAsync(key.Address, BlockTag.Latest, Cancellation));
    }

    [Fact]
    public async Task A_sender_gives_up_for_now_at_the_highest_price_allowed()
    {
        await using var chain = await TestChain.StartAsync();
        using var key = Secp256k1Key.Create();
        await chain.FundAsync(key.Address, Cancellation);
        await chain.CommandAsync("evm_setAutomine", false);
        const ulong most = 4_000_000_000;
        List<GasPrice> offered = [];
        using var sender = new TransactionSender(chain.Rpc, key, new FeePolicy(PerGasMaxWei: most), new SendPolicy(TimeSpan.FromMilliseconds(50), TriesMax: 4), TimeProvider.System);
        await Assert.ThrowsAsync<TimeoutException>(() => sender.SendAsync(key.Address, new byte[] { 1 }, (signed, _) =>
        {
            offered.Add(signed.Transaction.Price);
            return Task.CompletedTask;
        }, Cancellation));
        Assert.Equal(4, offered.Count);
        Assert.All(offered, price => Assert.InRange(Assert.IsType<GasPrice.Dynamic>(price).Max, BigInteger.One, most));
    }

    [Fact]
    public void A_raise_is_an_eighth_at_least_follows_the_market_and_ends_at_the_limit()
    {
        var policy = new FeePolicy(PerGasMaxWei: 1_000);
        Assert.Equal(new GasPrice.Legacy(113), policy.Raise(new GasPrice.Legacy(100), new GasPrice.Legacy(0)));
        Assert.Equal(new GasPrice.Legacy(500), policy.Raise(new GasPrice.Legacy(100), new GasPrice.Legacy(500)));
        Assert.Equal(new GasPrice.Dynamic(12, 200), policy.Raise(new GasPrice.Dynamic(10, 100), new GasPrice.Dynamic(1, 200)));
        Assert.Null(policy.Raise(new GasPrice.Dynamic(10, 900), new GasPrice.Dynamic(10, 900)));
        Assert.Null(policy.Raise(new GasPrice.Legacy(0), new GasPrice.Legacy(0)));
        Assert.Equal(new GasPrice.Dynamic(113, 300), policy.Raise(new GasPrice.Legacy(100), new GasPrice.Dynamic(1, 300)));
        Assert.Equal(new GasPrice.Legacy(1_000), policy.Price(0, 5_000));
    }
}
