using Salus.Host.Node;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Consent;
using Salus.Tests.Platform;
using static Salus.Tests.Anchoring.LogStory;

namespace Salus.Tests.Anchoring;

/// <summary>A node with two endpoints of its network.</summary>
public sealed class EndpointTests
{
    static Uri Other(Uri address) => new UriBuilder(address) { Host = "localhost" }.Uri;

    [Fact]
    public void Endpoints_are_given_with_commas_or_one_by_one_and_each_once()
    {
        var options = new ChainOptions { Endpoint = "http://a:1, http://b:2,", Endpoints = ["http://c:3", "http://a:1", ""] };
        Assert.Equal(["http://a:1", "http://b:2", "http://c:3"], options.Addresses);
        Assert.Equal(3, ExternalChain.Parse(options.Addresses).Count);
        Assert.Empty(ExternalChain.Parse(new ChainOptions().Addresses));
        Assert.Throws<NodeException>(() => ExternalChain.Parse(["http://a:1", "ftp://b"]));
        Assert.Throws<NodeException>(() => ExternalChain.Parse([.. Enumerable.Range(1, 9).Select(port => $"http://a:{port}")]));
    }

    [Fact]
    public async Task Endpoints_of_different_networks_are_refused_and_one_that_is_away_is_waited_for()
    {
        await using var one = await TestChain.StartAsync();
        await using var other = await TestChain.StartAsync(ChainKind.Hardhat);
        using var http = new HttpClient();
        var refused = await Assert.ThrowsAsync<NodeException>(() => ExternalChain.RequireAsync(http, [one.Endpoint, other.Endpoint], default));
        Assert.Contains("different networks", refused.Message, StringComparison.Ordinal);
        var away = new Uri("http://127.0.0.1:1/");
        await ExternalChain.RequireAsync(http, [away, one.Endpoint], default);
        await Assert.ThrowsAnyAsync<NodeException>(() => ExternalChain.RequireAsync(http, [away], default));
    }

    [Fact]
    public async Task A_node_goes_on_with_the_endpoint_that_answers_and_back()
    {
        await using var ground = TestGround.On(await TestDatabase.NewAsync(), await TestChain.StartAsync(address => [address, Other(address)]));
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        foreach (var away in new[] { "127.0.0.1", "localhost", null })
        {
            ground.Chain.Wire.CutHost = away;
            await WriteAsync(node, doctor, writers: 1, each: 3);
            await node.WaitUntilAnchoredAsync();
            Assert.Equal(away == "127.0.0.1", ground.Chain.Rpc.Endpoints[0].Fault is not null);
        }
        await LogIsWholeAsync(node);
        await HeadsOnChainExtendEachOtherAsync(node);
    }

    [Fact]
    public async Task Endpoints_that_tell_of_different_chains_stop_anchoring_and_consents_and_nothing_else()
    {
        await using var fork = await TestChain.StartAsync();
        // Two chains begun in one second are one until something happens on them.
        await fork.FundAsync(Address.OfContract(default, 1), TestContext.Current.CancellationToken);
        await fork.CommandAsync("evm_mine");
        await using var ground = TestGround.On(await TestDatabase.NewAsync(), await TestChain.StartAsync(address => [address, Other(address)]));
        await using var story = await ConsentStory.StartAsync(ground);
        await story.Node.WaitUntilAnchoredAsync();
        var (size, port) = ((await ChainFaultTests.Status(story.Node)).AnchoredSize, fork.Endpoint.Port);

        ground.Chain.Wire.Redirects = address => address.Host == "localhost" ? new UriBuilder(address) { Port = port }.Uri : address;
        await TestNode.UntilAsync(async () => (await ChainFaultTests.Status(story.Node)).ChainFault?.Contains("different chains", StringComparison.Ordinal) == true, "the node says so");
        await WriteAsync(story.Node, story.Doctor, writers: 1, each: 5);
        await TestNode.UntilAsync(async () => (await ChainFaultTests.Status(story.Node)) is { PendingLeaves: 0 } status && status.LogSize > status.AnchoredSize, "the log goes on without the chain");
        Assert.Equal(size, (await ChainFaultTests.Status(story.Node)).AnchoredSize);

        ground.Chain.Wire.Redirects = null;
        await story.Node.WaitUntilAnchoredAsync();
        await HeadsOnChainExtendEachOtherAsync(story.Node);
    }
}
