using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Salus.Host.Engines;

/// <summary>A chain of one node as a child process (anvil), on a loopback port, with snapshots of ours for durability.</summary>
/// <remarks>
/// anvil keeps its chain in memory. Blocks after the last snapshot are lost when it dies, so a transaction may be forgotten
/// by its sender only when <see cref="DurableBlock"/> has reached its block. Blocks, transactions, receipts and logs survive
/// a snapshot; the state as of blocks before it does not.
/// </remarks>
public sealed partial class EmbeddedChain : IAsyncDisposable
{
    /// <summary>The chain's number in EIP-155 and EIP-712.</summary>
    public const int ChainId = 5411;

    const int PortsMax = 5;
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    readonly FolderLock folderLock;
    readonly string program;
    readonly string folder;
    readonly ILogger logger;
    readonly ChainSnapshots snapshots;
    readonly EngineSupervisor supervisor;
    readonly HttpClient http = new() { Timeout = TimeSpan.FromMinutes(5) };
    // Held while a snapshot is taken and while anvil is started from one: a dump of a chain that has just died must not
    // become the newest snapshot after an older one was loaded.
    readonly SemaphoreSlim dumping = new(1, 1);
    readonly Lock queueing = new();

    // Owned by SnapshotAsync under `queueing`: the dump that has been asked for and not yet begun.
    Task<ulong>? queued;
    ulong durableBlock;
    bool portTaken;

    EmbeddedChain(FolderLock folderLock, string program, string folder, ILogger logger)
    {
        this.folderLock = folderLock;
        this.program = program;
        this.folder = folder;
        this.logger = logger;
        snapshots = new(folder);
        supervisor = new("anvil", LaunchAsync, logger, TimeProvider.System);
        Endpoint = new("http://127.0.0.1/");
    }

    /// <summary>Where JSON-RPC is answered; it stays the same when anvil restarts.</summary>
    public Uri Endpoint { get; private set; }

    /// <summary>Every block up to this number survives a crash.</summary>
    public ulong DurableBlock => Interlocked.Read(ref durableBlock);

    /// <summary>The process number of anvil.</summary>
    public int Pid => supervisor.Current.Pid;

    /// <summary>Ends after a stop, or with an <see cref="EngineException"/> when anvil stays down.</summary>
    public Task Completion => supervisor.Completion;

    /// <summary>Starts the chain of <paramref name="folder"/> from its last whole snapshot, or a new chain.</summary>
    /// <exception cref="EngineException">The engine is missing or cannot start, or another node uses the folder.</exception>
    public static Task<EmbeddedChain> StartAsync(string folder, ILogger logger, CancellationToken cancellation) =>
        StartAsync(folder, FreePort, logger, cancellation);

    internal static async Task<EmbeddedChain> StartAsync(string folder, Func<int> choosePort, ILogger logger, CancellationToken cancellation)
    {
        var program = EngineFiles.Anvil();
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        EngineFolders.Create(folder, EngineFolders.Private);
        var chain = new EmbeddedChain(FolderLock.Take(folder, "chain.lock"), program, folder, logger);
        try
        {
            var isNew = chain.snapshots.Existing.Count == 0;
            await chain.StartOnFreePortAsync(choosePort, cancellation);
            if (isNew)
            {
                // The genesis block carries a time: without this, a crash would begin a different chain.
                await chain.SnapshotAsync(cancellation);
            }

            return chain;
        }
        catch
        {
            await chain.StopAsync();
            throw;
        }
    }

    /// <summary>Gives <paramref name="address"/> a million ether, for the gas that this chain still counts.</summary>
    public async Task FundAsync(string address, CancellationToken cancellation = default) =>
        await CallAsync("anvil_setBalance", [address, "0xd3c21bcecceda1000000"], cancellation);

    /// <summary>Makes the chain as it is now durable; returns the block number surely held. Concurrent callers share a snapshot.</summary>
    /// <exception cref="EngineException">The chain is away or the disk refuses; nothing that was durable is lost.</exception>
    public Task<ulong> SnapshotAsync(CancellationToken cancellation)
    {
        Task<ulong> snapshot;
        lock (queueing)
        {
            snapshot = queued ??= QueuedSnapshotAsync();
        }

        return snapshot.WaitAsync(cancellation);
    }

    /// <summary>Takes a last snapshot and stops anvil.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await SnapshotAsync(CancellationToken.None);
        }
        catch (EngineException error)
        {
            LogLastSnapshotFailed(error.Message);
        }

        await StopAsync();
    }

    // Between choosing a port and listening on it, another program may take it.
    async Task StartOnFreePortAsync(Func<int> choosePort, CancellationToken cancellation)
    {
        for (var tries = 1; ; tries++)
        {
            Endpoint = new($"http://127.0.0.1:{choosePort()}/");
            try
            {
                await supervisor.StartAsync(cancellation);
                return;
            }
            catch (EngineException) when (portTaken && tries < PortsMax)
            {
                portTaken = false;
            }
        }
    }

    async Task StopAsync()
    {
        if (await supervisor.ReleaseAsync() is { } process)
        {
            await process.StopAsync(TimeSpan.FromSeconds(5), PosixSignal.SIGINT);
        }

        supervisor.Dispose();
        http.Dispose();
        dumping.Dispose();
        folderLock.Dispose();
    }

    async Task<ulong> QueuedSnapshotAsync()
    {
        // Leaves the caller's lock before the first step below.
        await Task.Yield();
        await dumping.WaitAsync();
        try
        {
            lock (queueing)
            {
                queued = null;
            }

            // Read before the dump: the dump holds this block or a later one, if one anvil answered both.
            var process = supervisor.Current;
            var block = await BlockNumberAsync(CancellationToken.None);
            var dump = await CallAsync("anvil_dumpState", [], CancellationToken.None);
            if (process.Exited.IsCompleted)
            {
                throw new EngineException("the chain died while its snapshot was taken; it is started again by itself, try again");
            }

            await snapshots.WriteAsync(Convert.FromHexString(dump.GetString().AsSpan(2)), CancellationToken.None);
            Interlocked.Exchange(ref durableBlock, block);
            return block;
        }
        catch (IOException error)
        {
            throw new EngineException($"the chain's snapshot cannot be written to {folder}: {error.Message}; free some disk", error);
        }
        finally
        {
            dumping.Release();
        }
    }

    async Task<EngineProcess> LaunchAsync(CancellationToken cancellation)
    {
        await dumping.WaitAsync(cancellation);
        try
        {
            return await LaunchNewestAsync(cancellation);
        }
        finally
        {
            dumping.Release();
        }
    }

    async Task<EngineProcess> LaunchNewestAsync(CancellationToken cancellation)
    {
        var existing = snapshots.Existing;
        foreach (var snapshot in existing)
        {
            if (await snapshots.UnpackAsync(snapshot, cancellation) is { } state)
            {
                var process = await LaunchAsync(["--load-state", state], cancellation);
                File.Delete(state);
                return process;
            }

            LogDamaged(Path.GetFileName(snapshot));
        }

        return existing.Count == 0
            ? await LaunchAsync([], cancellation)
            : throw new EngineException($"every snapshot of the chain in {folder} is damaged: restore chain.state.gz from a backup, or move the damaged files away to begin a new chain");
    }

    async Task<EngineProcess> LaunchAsync(IEnumerable<string> state, CancellationToken cancellation)
    {
        var log = Path.Combine(folder, "anvil.log");
        await EngineFolders.CreateFile(log).DisposeAsync();
        var process = EngineProcess.Start("KILL", log, folder,
        [
            program, "--hardfork", "osaka", "--no-cors", "--host", "127.0.0.1",
            "--port", Endpoint.Port.ToString(CultureInfo.InvariantCulture), "--chain-id", ChainId.ToString(CultureInfo.InvariantCulture),
            "--accounts", "0", "--quiet", "--cache-path", Path.Combine(folder, "anvil"), .. state,
        ]);
        try
        {
            Interlocked.Exchange(ref durableBlock, await ReadyAsync(process, log, cancellation));
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    async Task<ulong> ReadyAsync(EngineProcess process, string log, CancellationToken cancellation)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await Task.WhenAny(process.Exited, Task.Delay(50, cancellation));
            cancellation.ThrowIfCancellationRequested();
            if (process.Exited.IsCompleted)
            {
                var complaint = PostgresCluster.LastComplaint(log);
                portTaken = complaint.Contains("in use");
                throw portTaken
                    ? new EngineException($"port {Endpoint.Port} of the chain is in use by another program: stop that program (ss -ltnp) or start Salus again")
                    : PostgresCluster.Failure("anvil does not start", complaint, log);
            }

            // Whoever else has taken the port may speak JSON-RPC as well.
            if (LoopbackPort.IsHeldBy(process.Pid, Endpoint.Port))
            {
                return await BlockNumberAsync(cancellation);
            }

            if (TimeProvider.System.GetElapsedTime(since) > StartPatience)
            {
                throw new EngineException($"anvil does not listen within {StartPatience.TotalSeconds:0} seconds; see {log}");
            }
        }
    }

    async Task<ulong> BlockNumberAsync(CancellationToken cancellation) =>
        ulong.Parse((await CallAsync("eth_blockNumber", [], cancellation)).GetString().AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    async Task<JsonElement> CallAsync(string method, string[] parameters, CancellationToken cancellation)
    {
        try
        {
            using var response = await http.PostAsJsonAsync(Endpoint, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, cancellation);
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            return answer.TryGetProperty("result", out var result)
                ? result
                : throw new EngineException($"the chain refuses {method}: {answer}; see {folder}/anvil.log");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new EngineException($"the chain does not answer {method}: {error.Message}; it is started again by itself, try again", error);
        }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chain's snapshot {Snapshot} is damaged, the one before it is taken")]
    partial void LogDamaged(string snapshot);

    [LoggerMessage(Level = LogLevel.Error, Message = "The chain stops without a last snapshot: {Reason}")]
    partial void LogLastSnapshotFailed(string reason);
}
