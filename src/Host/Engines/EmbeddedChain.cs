using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;

namespace Salus.Host.Engines;

/// <summary>anvil as a child process on a loopback port, made durable by snapshots.</summary>
/// <remarks>It runs under one owner and is evidence against nobody.</remarks>
public sealed class EmbeddedChain : IAsyncDisposable
{
    /// <summary>The chain id of every embedded chain.</summary>
    public const ulong ChainId = 5411;

    // 2^96 wei: far more than a node can spend, far from overflowing a 256-bit balance.
    const string Fortune = "0x1000000000000000000000000";

    readonly FolderLock held;
    readonly ChainSnapshots snapshots;
    readonly HttpClient http;
    readonly SemaphoreSlim snapshotting = new(1, 1);
    EngineProcess? engine;
    ulong durableBlock;

    EmbeddedChain(FolderLock held, string folder, Uri endpoint)
    {
        (this.held, Endpoint, snapshots) = (held, endpoint, new ChainSnapshots(folder));
        http = new HttpClient { BaseAddress = endpoint, Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>The JSON-RPC endpoint; the same for the life of this engine, restarts included.</summary>
    public Uri Endpoint { get; }

    /// <summary>The newest block that the durable snapshot surely holds. A restart goes back to it.</summary>
    public ulong DurableBlock => Volatile.Read(ref durableBlock);

    /// <summary>The process id of anvil.</summary>
    public int ProcessId => engine!.ProcessId;

    /// <summary>Starts anvil from the newest whole snapshot in <paramref name="folder"/>, which is created at first use.</summary>
    /// <exception cref="EngineException">It cannot run; the message names the mend.</exception>
    public static async Task<EmbeddedChain> StartAsync(
        string folder, ILogger? logger = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        folder = Path.GetFullPath(folder);
        var anvil = EnginesLocator.Anvil();
        var port = FreePort();
        var chain = new EmbeddedChain(FolderLock.Take(folder), folder, new Uri($"http://127.0.0.1:{port}"));
        try
        {
            chain.engine = await EngineProcess.StartAsync(
                "anvil", folder, stop => chain.CommandAsync(anvil, port, stop), chain.AnswersAsync,
                logger ?? NullLogger.Instance, time ?? TimeProvider.System, cancellation);
            return chain;
        }
        catch
        {
            await chain.ReleaseAsync();
            throw;
        }
    }

    /// <summary>Gives an account all it will ever need.</summary>
    /// <param name="address">0x and 40 hexadecimal digits.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task FundAsync(string address, CancellationToken cancellation = default) =>
        await CallAsync("anvil_setBalance", cancellation, address, Fortune);

    /// <summary>Makes the chain as it is now durable; answers the newest block that is surely held.</summary>
    public async ValueTask<ulong> SnapshotAsync(CancellationToken cancellation = default)
    {
        await snapshotting.WaitAsync(cancellation);
        try
        {
            // The number comes first: blocks mined while the state is dumped may be in it, this one surely is.
            var block = Number((await CallAsync("eth_blockNumber", cancellation)).GetString()!);
            var dump = (await CallAsync("anvil_dumpState", cancellation)).GetString()!;
            await snapshots.WriteAsync(block, Convert.FromHexString(dump.AsSpan(2)), cancellation);
            Volatile.Write(ref durableBlock, block);
            return block;
        }
        catch (IOException cause)
        {
            throw new EngineException($"the chain's snapshot cannot be written: {cause.Message}", cause);
        }
        finally
        {
            snapshotting.Release();
        }
    }

    async Task<IReadOnlyList<string>> CommandAsync(string anvil, int port, CancellationToken cancellation)
    {
        var newest = await snapshots.NewestAsync(cancellation);
        Volatile.Write(ref durableBlock, newest?.Block ?? 0);
        return
        [
            anvil, "--hardfork", "osaka", "--no-cors", "--silent", "--accounts", "0",
            "--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
            "--chain-id", ChainId.ToString(CultureInfo.InvariantCulture),
            .. newest is { } found ? (string[])["--load-state", found.Path] : [],
        ];
    }

    async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            return Number((await CallAsync("eth_chainId", cancellation)).GetString()!) == ChainId;
        }
        catch (EngineException)
        {
            return false;
        }
    }

    async Task<JsonElement> CallAsync(string method, CancellationToken cancellation, params string[] arguments)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(
                "", new { jsonrpc = "2.0", id = 1, method, @params = arguments }, cancellation);
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            return body.TryGetProperty("result", out var result)
                ? result
                : throw new EngineException($"anvil refused {method}: {body.GetProperty("error").GetProperty("message")}");
        }
        catch (HttpRequestException cause)
        {
            throw new EngineException($"anvil does not answer at {Endpoint}: {cause.Message}", cause);
        }
    }

    static ulong Number(string hex) => ulong.Parse(hex.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    async ValueTask ReleaseAsync()
    {
        if (engine is not null)
        {
            await engine.DisposeAsync();
        }

        http.Dispose();
        snapshotting.Dispose();
        held.Dispose();
    }

    /// <summary>Makes the chain durable once more, then stops it.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await SnapshotAsync();
        }
        finally
        {
            await ReleaseAsync();
        }
    }
}
