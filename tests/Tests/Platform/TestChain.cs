using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Host.Engines;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Tests.Engines;

namespace Salus.Tests.Platform;

/// <summary>A way to a chain that a test can cut, and through which it can command anvil.</summary>
sealed class TestChain : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly EmbeddedChain chain;
    readonly DirectoryInfo? folder;
    readonly CuttableHandler wire = new();
    readonly HttpClient http;
    readonly HttpClient direct = new();

    TestChain(EmbeddedChain chain, DirectoryInfo? folder)
    {
        (this.chain, this.folder) = (chain, folder);
        http = new HttpClient(wire) { Timeout = Patience };
        Rpc = new EvmRpc(http, chain.Endpoint);
        Direct = new EvmRpc(direct, chain.Endpoint);
    }

    /// <summary>The node's way to the chain.</summary>
    public EvmRpc Rpc { get; }

    /// <summary>The test's own way to the chain, that is never cut.</summary>
    public EvmRpc Direct { get; }

    /// <summary>The chain's address.</summary>
    public Uri Endpoint => chain.Endpoint;

    /// <summary>The folder of a chain of its own.</summary>
    public string Folder => folder!.FullName;

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
    public static TestChain Shared() => new(EngineFixture.Chain, null);

    /// <summary>A chain of its own, that may be rewound.</summary>
    public static async Task<TestChain> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("salus-chain-");
        return new TestChain(await EmbeddedChain.StartAsync(folder.FullName, NullLogger.Instance, CancellationToken.None), folder);
    }

    public Task FundAsync(Address account, CancellationToken cancellation) => chain.FundAsync(account.ToString(), cancellation);

    /// <summary>Makes the chain's files hold what it has.</summary>
    public Task<ulong> SnapshotFilesAsync() => chain.SnapshotAsync(CancellationToken.None);

    /// <summary>A point to come back to.</summary>
    public Task<string> MarkAsync() => Direct.CallAsync("evm_snapshot", json => json.GetString()!, CancellationToken.None);

    /// <summary>Takes the chain back to a point: every later block is lost.</summary>
    public async Task RewindAsync(string mark) =>
        Assert.True(await Direct.CallAsync("evm_revert", json => json.ValueKind == JsonValueKind.True, CancellationToken.None, mark));

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        direct.Dispose();
        if (folder is not null)
        {
            await chain.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }

    sealed class CuttableHandler() : DelegatingHandler(new SocketsHttpHandler())
    {
        public volatile bool IsCut;
        public volatile bool IsHung;
        public volatile string? CutMethod;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            IsCut || (CutMethod is { } method && (await request.Content!.ReadAsStringAsync(cancellationToken)).Contains($"\"{method}\"", StringComparison.Ordinal))
                ? throw new HttpRequestException("The wire is cut.")
            : IsHung ? throw new TaskCanceledException("The request's time is up.", new TimeoutException())
            : await base.SendAsync(request, cancellationToken);
    }
}

/// <summary>Blocks are durable up to the one the test names; at first all of them.</summary>
sealed class NamedFinality : IChainFinality
{
    /// <summary>The newest durable block.</summary>
    public ulong Durable { get; set; } = ulong.MaxValue / 4;

    public ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation) => ValueTask.FromResult(Durable);
}

/// <summary>The real time, moved by what a test says; timers and timestamps stay as they are.</summary>
sealed class MovedClock : TimeProvider
{
    public TimeSpan By { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;
}
