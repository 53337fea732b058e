using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace Salus.Cli.Node;

/// <summary>An account that the node says one can sign in with.</summary>
public sealed record NodeAccount(string Role, string Email, string Password);

/// <summary>A line that the node's program writes.</summary>
public sealed record NodeEvent(
    string Event, string? Name = null, double? Seconds = null, string? Reason = null, string? Address = null, string? Hospital = null,
    bool EmbeddedChain = false, IReadOnlyList<NodeAccount>? Accounts = null, string? Ledger = null, string? Members = null);

/// <summary>A node as a child process: its events, its end, and the order to stop.</summary>
public sealed class NodeRun : IAsyncDisposable
{
    const int EventsHeldMax = 1000;
    const int ErrorLinesMax = 20;
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    static readonly TimeSpan StopWaitMax = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly Channel<NodeEvent> events = Channel.CreateBounded<NodeEvent>(EventsHeldMax);
    readonly Queue<string> errors = new();
    readonly Task reading;
    string? refusal;
    bool disposed;

    NodeRun(Process process)
    {
        this.process = process;
        reading = Task.WhenAll(ReadEventsAsync(), ReadErrorsAsync());
    }

    /// <summary>What the node writes, until it ends.</summary>
    public IAsyncEnumerable<NodeEvent> Events => events.Reader.ReadAllAsync();

    /// <summary>Starts a node.</summary>
    public static NodeRun Start(NodeSettings settings) => new(HostProgram.Start(settings.Arguments(), settings.Environment()));

    /// <summary>Waits until the node serves.</summary>
    /// <param name="told">Told each event before that.</param>
    /// <param name="cancellation">Gives up waiting; the node goes on starting.</param>
    /// <exception cref="CliException">It refused or died.</exception>
    public async Task<NodeEvent> ReadyAsync(Action<NodeEvent> told, CancellationToken cancellation)
    {
        await foreach (var happening in events.Reader.ReadAllAsync(cancellation))
        {
            if (happening.Event == "ready")
            {
                return happening;
            }
            told(happening);
        }
        throw new CliException(await EndAsync());
    }

    /// <summary>Waits for the node's own end, and tells why it came.</summary>
    public async Task<string> EndAsync()
    {
        await process.WaitForExitAsync();
        await reading;
        if (refusal is not null)
        {
            return refusal;
        }
        return Death(process.ExitCode, [.. errors]);
    }

    /// <summary>Why a node is gone that gave no reason itself.</summary>
    internal static string Death(int exitCode, IReadOnlyList<string> errors)
    {
        const string unhandled = "Unhandled exception. ";
        var last = errors.FirstOrDefault(line => line.Length > 0 && !line.StartsWith("   at ", StringComparison.Ordinal));
        return last?.StartsWith(unhandled, StringComparison.Ordinal) == true
            ? $"The node ended by a fault of its own: {last[unhandled.Length..]} Start it again with salus up: nothing that was acknowledged is lost."
            : exitCode > 128
                ? $"The node was ended by signal {exitCode - 128}. Start it again with salus up: nothing that was acknowledged is lost."
                : $"The node ended by itself with code {exitCode}{(last is null ? "." : $": {last}")}";
    }

    /// <summary>Tells the node to stop and waits until it has. Afterwards it is gone, one way or the other.</summary>
    /// <param name="told">Told each event until then.</param>
    public async Task StopAsync(Action<NodeEvent>? told = null)
    {
        if (!process.HasExited)
        {
            HostProgram.StopProcess(process.Id);
        }
        using var patience = new CancellationTokenSource(StopWaitMax);
        try
        {
            await foreach (var happening in events.Reader.ReadAllAsync(patience.Token))
            {
                told?.Invoke(happening);
            }
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new CliException($"The node did not stop within {StopWaitMax.TotalSeconds:0} s and was killed. What it acknowledged is kept.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
        {
            return;
        }
        disposed = true;
        if (!process.HasExited)
        {
            await StopAsync();
        }
        await reading;
        process.Dispose();
    }

    async Task ReadEventsAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Read(line) is not { } happening)
            {
                continue;
            }
            if (happening.Event == "refused")
            {
                refusal = happening.Reason;
            }
            // Nobody listens between readiness and stopping: the oldest lines give way rather than block the node.
            if (!events.Writer.TryWrite(happening) && events.Reader.TryRead(out _))
            {
                events.Writer.TryWrite(happening);
            }
        }
        events.Writer.Complete();
    }

    async Task ReadErrorsAsync()
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (errors.Count < ErrorLinesMax)
            {
                errors.Enqueue(line);
            }
        }
    }

    static NodeEvent? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<NodeEvent>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
