using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Host.Engines;

namespace Salus.Tests.Engines;

public sealed class EmbeddedChainTests : IDisposable
{
    const string Address = "0x1111111111111111111111111111111111111111";

    readonly string folder = Directory.CreateTempSubdirectory("salus-test-").FullName;
    readonly HttpClient http = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Blocks_transactions_and_receipts_survive_a_restart_and_the_chain_goes_on_from_them()
    {
        string hash, block, receipt;
        await using (var first = await StartAsync())
        {
            hash = await SendAsync(first);
            block = await CallAsync(first, "eth_getBlockByNumber", "0x1", true);
            receipt = await CallAsync(first, "eth_getTransactionReceipt", hash);
        }

        await using var second = await StartAsync();
        Assert.Equal(1ul, second.DurableBlock);
        Assert.Equal(block, await CallAsync(second, "eth_getBlockByNumber", "0x1", true));
        Assert.Equal(receipt, await CallAsync(second, "eth_getTransactionReceipt", hash));
        await SendAsync(second);
        Assert.Equal(2ul, await second.SnapshotAsync(Cancellation));
    }

    [Fact]
    public async Task A_killed_anvil_comes_back_on_the_same_port_with_every_durable_block_and_no_other()
    {
        await using var chain = await StartAsync();
        var genesis = await CallAsync(chain, "eth_getBlockByNumber", "0x0", false);
        await SendAsync(chain);
        Assert.Equal(1ul, await chain.SnapshotAsync(Cancellation));
        await SendAsync(chain);

        var killed = chain.Pid;
        Process.GetProcessById(killed).Kill();
        await WaitUntilAsync(() => chain.Pid != killed);

        Assert.Equal("\"0x1\"", await CallAsync(chain, "eth_blockNumber"));
        Assert.Equal(1ul, chain.DurableBlock);
        Assert.Equal(genesis, await CallAsync(chain, "eth_getBlockByNumber", "0x0", false));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("bent")]
    [InlineData("emptied")]
    public async Task A_damaged_newest_snapshot_gives_way_to_the_one_before(string damage)
    {
        await using (var first = await StartAsync())
        {
            await SendAsync(first);
            await first.SnapshotAsync(Cancellation);
        }

        var newest = Path.Combine(folder, "chain.state.gz");
        var bytes = await File.ReadAllBytesAsync(newest, Cancellation);
        bytes[bytes.Length / 2] ^= damage == "bent" ? (byte)0x10 : (byte)0;
        await File.WriteAllBytesAsync(newest, damage switch { "cut" => bytes[..(bytes.Length / 2)], "emptied" => [], _ => bytes }, Cancellation);

        await using var second = await StartAsync();
        Assert.Equal(1ul, second.DurableBlock);
    }

    [Fact]
    public async Task Concurrent_snapshots_each_hold_the_block_their_caller_saw()
    {
        await using var chain = await StartAsync();
        for (var block = 1ul; block <= 5; block++)
        {
            await SendAsync(chain);
            var held = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => chain.SnapshotAsync(Cancellation)));
            Assert.All(held, number => Assert.Equal(block, number));
        }
    }

    [Fact]
    public async Task A_port_taken_meanwhile_gives_way_to_another()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = ((IPEndPoint)other.LocalEndpoint).Port;
        Queue<int> ports = new([taken, EngineFixture.Chain.Endpoint.Port]);
        using var last = new TcpListener(IPAddress.Loopback, 0);
        last.Start();
        var free = ((IPEndPoint)last.LocalEndpoint).Port;
        last.Stop();
        ports.Enqueue(free);

        await using var chain = await EmbeddedChain.StartAsync(folder, ports.Dequeue, NullLogger.Instance, Cancellation);
        Assert.Equal(free, chain.Endpoint.Port);
        Assert.Equal("\"0x0\"", await CallAsync(chain, "eth_blockNumber"));
    }

    [Fact]
    public async Task A_snapshot_asked_for_while_anvil_dies_holds_its_block_or_fails()
    {
        await using var chain = await StartAsync();
        for (var round = 0; round < 3; round++)
        {
            await SendAsync(chain);
            var killed = chain.Pid;
            var asked = Enumerable.Range(0, 4).Select(_ => HeldAsync(chain)).ToList();
            Process.GetProcessById(killed).Kill();
            var held = await Task.WhenAll(asked);
            await WaitUntilAsync(() => chain.Pid != killed);
            var now = ulong.Parse(JsonSerializer.Deserialize<string>(await CallAsync(chain, "eth_blockNumber"))!.AsSpan(2), System.Globalization.NumberStyles.HexNumber);
            Assert.All(held, block => Assert.True(block <= now, $"block {block} was durable, the chain is at {now}"));
            Assert.True(chain.DurableBlock <= now);
        }
    }

    static async Task<ulong> HeldAsync(EmbeddedChain chain)
    {
        try
        {
            return await chain.SnapshotAsync(Cancellation);
        }
        catch (EngineException)
        {
            return 0;
        }
    }

    [Fact]
    public async Task A_second_node_on_the_same_folder_is_refused_by_the_first_ones_number()
    {
        await using var chain = await StartAsync();
        var refused = await Assert.ThrowsAsync<EngineException>(StartAsync);
        Assert.Contains($"another Salus node (pid {Environment.ProcessId}) uses this data folder", refused.Message);
    }

    Task<EmbeddedChain> StartAsync() => EmbeddedChain.StartAsync(folder, NullLogger.Instance, Cancellation);

    async Task<string> SendAsync(EmbeddedChain chain)
    {
        await chain.FundAsync(Address, Cancellation);
        await CallAsync(chain, "anvil_impersonateAccount", Address);
        var hash = JsonSerializer.Deserialize<string>(await CallAsync(chain, "eth_sendTransaction", new { from = Address, to = Address, value = "0x1" }))!;
        while (await CallAsync(chain, "eth_getTransactionReceipt", hash) == "null")
        {
            await Task.Delay(10, Cancellation);
        }

        return hash;
    }

    async Task<string> CallAsync(EmbeddedChain chain, string method, params object[] parameters)
    {
        using var response = await http.PostAsJsonAsync(chain.Endpoint, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, Cancellation);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("result").GetRawText();
    }

    internal static async Task WaitUntilAsync(Func<bool> reached)
    {
        while (!reached())
        {
            await Task.Delay(20, Cancellation);
        }
    }
}
