using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Salus.Host.Ui;
using Salus.Platform.Anchoring;
using Salus.Platform.Consortium;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Keys;

namespace Salus.Host.Node;

/// <summary>A node as a process: started, served until it is told to stop, and stopped in order.</summary>
static class NodeProcess
{
    const string MasterKeyVariable = "SALUS_MASTER_KEY";
    static readonly TimeSpan StopWaitMax = TimeSpan.FromSeconds(20);

    /// <summary>Serves until Ctrl+C or a termination signal.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var (options, ledger) = NodeSettings.Read(builder.Configuration);
        if ((options.Objection() ?? options.EnginesObjection(ledger.Addresses.Count > 0)) is { } objection)
        {
            throw new NodeException(objection);
        }
        CreatePrivate(options.Data);
        CreatePrivate(options.Keys);
        using var running = await RunningNode.TakeAsync(options.Data);
        ConfigureLogging(builder, options);
        var port = TakePort(options.Port);
        // What comes in goes on where it was read: handing it to another thread costs more than it gains where requests wait for the database, not for each other
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopWaitMax);

        using var stopping = new CancellationTokenSource();
        using var interrupt = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGINT, signal => Stop(signal, stopping));
        using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM, signal => Stop(signal, stopping));
        if (options.StopsWithInput)
        {
            StopWithInput(stopping);
        }
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(new FileLog(Path.Combine(options.Data, "logs"))).SetMinimumLevel(LogLevel.Warning));
        try
        {
            await using var engines = await NodeEngines.StartAsync(options, ledger, loggers, stopping.Token);
            var origin = await RunningNode.OriginAsync(options.Data);
            using var foundation = await Progress.StepAsync("Opening vault, log and contracts", () => NodeFoundation.OpenAsync(
                engines.Database, Master(options), engines.Rpc, engines.Finality, ledger, engines.FundAsync,
                options.LogFolder, options.BlobFolder, origin, stopping.Token));
            Tell(foundation.Recovered);
            await running.TellAsync(port, engines, foundation.Keys.VerifierKey, stopping.Token);
            await RunAsync(builder, options, engines, foundation, port, stopping.Token);
            Progress.Write(new { Event = "stopping" });
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Progress.Write(new { Event = "stopping" });
        }
        Progress.Write(new { Event = "stopped" });
        return 0;
    }

    static async Task RunAsync(
        WebApplicationBuilder builder, NodeOptions options, NodeEngines engines, NodeFoundation foundation, int port, CancellationToken stopping)
    {
        var origin = $"http://localhost:{port}";
        const string pagesOrigin = $"{PasskeyOptions.Section}:{nameof(PasskeyOptions.Origin)}";
        builder.Configuration[pagesOrigin] ??= origin; // behind a proxy it is the proxy's
        if (builder.Configuration["Salus:Consortium:Endpoint"] == ConsortiumOptions.ThisMachine)
        {
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Salus:Consortium:Endpoint"] = origin });
        }
        builder.Services.AddSingleton(options).AddSingleton<IHostLifetime, NodeLifetime>();
        builder.Services.AddSalusNode(foundation);
        builder.Services.AddSalusUi();
        await using var app = builder.Build();
        await app.Services.GetRequiredService<OrganizationDesk>().EnsureAsync(options.Name, stopping);
        app.UseSalusUi();
        app.UseSalusIdentity();
        app.MapSalusNode();
        app.MapSalusUi();
        await app.StartAsync(stopping);
        var accounts = options.Demonstration
            ? await new Demonstration(app.Services, options).EnsureAsync(stopping)
            : [];
        Progress.Write(new
        {
            Event = "ready", Address = origin, Hospital = options.Name, EmbeddedChain = engines.HasEmbeddedChain, Accounts = accounts,
            Ledger = string.Join(",", engines.Endpoints), Members = foundation.Chain.Contracts[ChainContract.Members].ToString(),
        });
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(stopping, app.Lifetime.ApplicationStopping);
        var ended = engines.Ended;
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, stopped.Token));
        var isAsked = stopping.IsCancellationRequested;
        await app.StopAsync(CancellationToken.None);
        if (ended.IsCompleted)
        {
            // An engine stays down: its reason is the node's last line.
            await ended;
        }
        if (!isAsked)
        {
            throw new NodeException($"The node stopped by itself; the reason is the last line under {Path.Combine(options.Data, "logs")}.");
        }
    }

    /// <summary>Says on the way what the log has lost: it stays visible in the log, and on the chain.</summary>
    static void Tell(LogRecoveryOutcome recovered)
    {
        var words = recovered switch
        {
            LogRecoveryOutcome.Gap gap => $"The database was restored to before what is logged: the rows of leaves {gap.From} to {gap.To - 1} are lost. Their hashes are kept, and the log goes on after them.",
            LogRecoveryOutcome.Succeeded succeeded => $"The database was restored to before what is anchored, and the log's files do not reach it: {succeeded.New.Origin} takes the place of {succeeded.Old.Origin} with {succeeded.New.Kept} of its {succeeded.Old.EndedSize} leaves.",
            _ => null,
        };
        if (words is not null)
        {
            Progress.Write(new { Event = "done", Name = words, Seconds = 0 });
        }
    }

    static MasterKey Master(NodeOptions options) =>
        Environment.GetEnvironmentVariable(MasterKeyVariable) is { Length: > 0 } given
            ? MasterKey.Parse(given, $"the environment variable {MasterKeyVariable}")
            : MasterKey.FromFile(options.MasterKeyFile, create: !Directory.Exists(Path.Combine(options.Data, "log")));

    static void ConfigureLogging(WebApplicationBuilder builder, NodeOptions options)
    {
        builder.Logging.UseNodeLog(Path.Combine(options.Data, "logs"));
    }

    static int TakePort(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            throw new NodeException($"Port {port} is taken by another program. Stop it, or give another with --port.");
        }
    }

    static void Stop(System.Runtime.InteropServices.PosixSignalContext signal, CancellationTokenSource stopping)
    {
        signal.Cancel = true;
        stopping.Cancel();
    }

    /// <summary>Reads the input to its end on a thread of its own: the read cannot be cancelled, and the process does not wait for it.</summary>
    static void StopWithInput(CancellationTokenSource stopping) => new Thread(() =>
    {
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        while (input.ReadByte() >= 0)
        {
            // Nothing is said there; only its end means something.
        }
        try
        {
            stopping.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The node has stopped already.
        }
    })
    { IsBackground = true, Name = "input" }.Start();

    static void CreatePrivate(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"The folder {folder} cannot be made: {refused.Message} Name another with --data or --keys.");
        }
    }
}
