using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Host.Engines;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Tests.Engines;

namespace Salus.Tests.Platform;

/// <summary>Whose chain a test runs on.</summary>
public enum ChainKind
{
    /// <summary>The embedded engine.</summary>
    Anvil,
    /// <summary>Hardhat's network, written by others.</summary>
    Hardhat,
    /// <summary>The embedded engine behind the limits that Besu documents for QBFT.</summary>
    BesuLimits,
}

/// <summary>A way to a chain that a test can cut, and through which it can command the chain.</summary>
sealed class TestChain : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Func<Address, Task> fund;
    readonly EmbeddedChain? embedded;
    readonly IAsyncDisposable? owned;
    readonly DirectoryInfo? folder;
    readonly TestWire wire = new();
    readonly HttpClient http;
    readonly HttpClient direct = new();

    TestChain(IReadOnlyList<Uri> endpoints, Func<Address, Task> fund, EmbeddedChain? embedded, IAsyncDisposable? owned, DirectoryInfo? folder)
    {
        (this.fund, this.embedded, this.owned, this.folder) = (fund, embedded, owned, folder);
        http = new HttpClient(wire) { Timeout = Patience };
        Rpc = new EvmRpc(http, endpoints, TimeProvider.System);
        Direct = new EvmRpc(direct, endpoints[0]);
        Endpoint = endpoints[0];
    }

    /// <summary>The node's way to the chain.</summary>
    public EvmRpc Rpc { get; }

    /// <summary>The test's own way to the chain, that is never cut.</summary>
    public EvmRpc Direct { get; }

    /// <summary>Where it is asked.</summary>
    public Uri Endpoint { get; }

    /// <summary>The folder of a chain of its own.</summary>
    public string Folder => folder!.FullName;

    /// <summary>What lies between the node and the chain.</summary>
    public TestWire Wire => wire;

    /// <summary>Whether every call fails as though the network were down.</summary>
    public bool IsCut
    {
        get => wire.IsCut;
        set => wire.IsCut = value;
    }

    /// <summary>Whether no call is answered until its time is up.</summary>
    public bool IsHung
    {
        get => wire.IsHung;
        set => wire.IsHung = value;
    }

    /// <summary>The one method whose calls fail; null when none does.</summary>
    public string? CutMethod
    {
        get => wire.CutMethod;
        set => wire.CutMethod = value;
    }

    /// <summary>The chain all tests share; nobody rewinds it.</summary>
    public static TestChain Shared() => new([EngineFixture.Chain.Endpoint], Funder(EngineFixture.Chain), EngineFixture.Chain, null, null);

    /// <summary>A chain of its own, that may be rewound.</summary>
    public static async Task<TestChain> StartAsync(ChainKind kind = ChainKind.Anvil)
    {
        if (kind == ChainKind.Hardhat)
        {
            var hardhat = await HardhatChain.StartAsync();
            return new TestChain([hardhat.Endpoint], hardhat.FundAsync, null, hardhat, null);
        }
        var chain = await StartAsync(endpoint => [endpoint]);
        if (kind == ChainKind.BesuLimits)
        {
            await chain.CommandAsync("anvil_setNextBlockBaseFeePerGas", "0x0");
            chain.wire.Answers = new BesuLimits(chain.Direct).Answer;
        }
        return chain;
    }

    /// <summary>A chain of its own behind endpoints that are made from its address.</summary>
    public static async Task<TestChain> StartAsync(Func<Uri, IReadOnlyList<Uri>> endpoints)
    {
        var folder = Directory.CreateTempSubdirectory("salus-chain-");
        var chain = await EmbeddedChain.StartAsync(folder.FullName, NullLogger.Instance, CancellationToken.None);
        return new TestChain(endpoints(chain.Endpoint), Funder(chain), chain, chain, folder);
    }

    public Task FundAsync(Address account, CancellationToken cancellation) => fund(account);

    /// <summary>Makes the chain's files hold what it has.</summary>
    public Task<ulong> SnapshotFilesAsync() => embedded!.SnapshotAsync(CancellationToken.None);

    /// <summary>Tells the chain to do something that no network would.</summary>
    public Task CommandAsync(string method, params IReadOnlyList<object?> parameters) => Direct.CallAsync(method, _ => true, CancellationToken.None, parameters);

    /// <summary>A point to come back to.</summary>
    public Task<string> MarkAsync() => Direct.CallAsync("evm_snapshot", json => json.GetString()!, CancellationToken.None);

    /// <summary>Takes the chain back to a point: every later block is lost.</summary>
    public async Task RewindAsync(string mark) =>
        Assert.True(await Direct.CallAsync("evm_revert", json => json.ValueKind == JsonValueKind.True, CancellationToken.None, mark));

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        direct.Dispose();
        if (owned is not null)
        {
            await owned.DisposeAsync();
            folder?.Delete(recursive: true);
        }
    }

    static Func<Address, Task> Funder(EmbeddedChain chain) => account => chain.FundAsync(account.ToString());
}

/// <summary>Blocks are durable up to the one the test names; at first all of them.</summary>
sealed class NamedFinality : IChainFinality
{
    /// <summary>The newest durable block.</summary>
    public ulong Durable { get; set; } = ulong.MaxValue / 4;

    /// <summary>How many blocks may be lost.</summary>
    public ulong ReorganizationMax { get; set; } = 128;

    public ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation) => ValueTask.FromResult(Durable);
}

/// <summary>The real time, moved by what a test says; timers and timestamps stay as they are.</summary>
sealed class MovedClock : TimeProvider
{
    public TimeSpan By { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;
}
