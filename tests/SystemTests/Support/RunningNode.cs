using System.Diagnostics;
using System.Text.Json;

namespace Salus.SystemTests.Support;

/// <summary>An account that a node says one can sign in with.</summary>
sealed record NodeAccount(string Role, string Email, string Password);

/// <summary>A node as its owner runs it: a process that tells what it does, line by line.</summary>
sealed class RunningNode : IAsyncDisposable
{
    const int StopSecondsMax = 90;
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    readonly Process process;
    readonly Task<string> errors;
    Task<string> saidLater = Task.FromResult("");

    RunningNode(Process process)
    {
        this.process = process;
        errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Where it serves, such as <c>http://localhost:41234</c>.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The demonstration's accounts.</summary>
    public IReadOnlyList<NodeAccount> Accounts { get; private set; } = [];

    /// <summary>The number of its process.</summary>
    public int Id => process.Id;

    /// <summary>The engines, and what guards them.</summary>
    public IReadOnlyList<ProcessEntry> Engines => ProcessTree.Descendants(process.Id);

    /// <summary>Starts a node on a free port and waits until it serves.</summary>
    public static async Task<RunningNode> StartAsync(NodeFolders folders, int patients, params string[] settings)
    {
        // Everybody of these tests sits at one network address.
        var node = new RunningNode(ProgramRun.Start(Repository.Host,
        [
            "serve", $"--Salus:Data={folders.Data}", $"--Salus:Keys={folders.Keys}", "--Salus:Port=0", $"--Salus:DemonstrationPatients={patients}",
            "--Salus:Identity:SignInsPerMinute=10000", "--Salus:Identity:SignInsPerMinutePerAccount=1000", "--Salus:Identity:RequestsPerMinute=1000000", .. settings,
        ]));
        try
        {
            await node.ReadyAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>The account of a role.</summary>
    public NodeAccount Account(string role) => Accounts.Single(account => account.Role == role);

    /// <summary>Stops it as Ctrl+C does.</summary>
    public async Task StopAsync()
    {
        ProcessTree.Signal(process.Id, ProcessTree.Interrupt);
        await ExitAsync();
        Assert.True(process.ExitCode == 0, $"The node ended with {process.ExitCode}: {await saidLater}{await errors}");
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public Task EndedAsync() => ExitAsync();

    /// <summary>Ends the node's own process without a warning; the engines are left to their guards.</summary>
    public async Task KillAsync()
    {
        ProcessTree.Signal(process.Id, ProcessTree.Kill);
        await ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            ProcessTree.Signal(process.Id, ProcessTree.Interrupt);
            await ExitAsync();
        }
        process.Dispose();
    }

    async Task ReadyAsync()
    {
        List<string> said = [];
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            said.Add(line);
            if (JsonSerializer.Deserialize<NodeEvent>(line, Json) is { Event: "ready" } ready)
            {
                (Address, Accounts) = (ready.Address!, ready.Accounts ?? []);
                // What it says later is read so that a full pipe never holds it up.
                saidLater = process.StandardOutput.ReadToEndAsync();
                return;
            }
        }
        Assert.Fail($"The node ended before it served:\n{string.Join('\n', said)}\n{await errors}");
    }

    async Task ExitAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(StopSecondsMax));
        try
        {
            await process.WaitForExitAsync(patience.Token);
            await saidLater;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The node did not end within {StopSecondsMax} s.");
        }
    }

    sealed record NodeEvent(string Event, string? Address, IReadOnlyList<NodeAccount>? Accounts);
}
