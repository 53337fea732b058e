using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;

namespace Salus.SystemTests.Support;

/// <summary>A PostgreSQL 15 and an EVM network that no node has started, at loopback ports, as somebody else would run them.</summary>
sealed class ExternalEngines : IAsyncDisposable
{
    const int Nobody = 65534;
    const string Password = "pass word";

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-engines-");
    readonly List<Process> processes = [];
    readonly int databasePort = FreePort();
    int databases;

    string Native => Path.Combine(folder.FullName, "native");

    string Cluster => Path.Combine(folder.FullName, "own", "cluster");

    /// <summary>Starts the PostgreSQL; chains are started when they are asked for.</summary>
    public static async Task<ExternalEngines> StartAsync()
    {
        var engines = new ExternalEngines();
        try
        {
            await engines.StartPostgresAsync();
            return engines;
        }
        catch
        {
            await engines.DisposeAsync();
            throw;
        }
    }

    /// <summary>An empty database's connection string.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"node_{++databases}";
        await RunAsync(ConnectionTo("postgres"), $"CREATE DATABASE {name}");
        return ConnectionTo(name);
    }

    /// <summary>How to reach a database there; the password can be another than the right one.</summary>
    public string ConnectionTo(string database, string password = Password) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = databasePort, Database = database, Username = "salus", Password = password }.ConnectionString;

    /// <summary>Runs a statement and answers the first value of the first row.</summary>
    public static async Task<object?> RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts an empty chain of this id; on a port of its own or on a named one.</summary>
    public async Task<(string Address, Process Process)> StartChainAsync(int chainId, int? port = null, string hardfork = "osaka")
    {
        var anvil = Path.Combine(Repository.Root, "engines", "node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil");
        Assert.True(File.Exists(anvil), $"{anvil} is missing. Install it first: npm ci --prefix engines --ignore-scripts");
        var taken = port ?? FreePort();
        var process = Start(anvil, "--port", $"{taken}", "--chain-id", $"{chainId}", "--hardfork", hardfork, "--quiet");
        var address = $"http://127.0.0.1:{taken}/";
        using var http = new HttpClient();
        await Waiting.UntilAsync(async () =>
        {
            try
            {
                var answer = await http.PostAsJsonAsync(address, new { jsonrpc = "2.0", id = 1, method = "eth_chainId", @params = Array.Empty<string>() }, TestContext.Current.CancellationToken);
                return (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("result").GetString() == $"0x{chainId:x}";
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "the external chain");
        return (address, process);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited)
            {
                // PostgreSQL's fast shutdown; anvil's end.
                ProcessTree.Signal(process.Id, ProcessTree.Interrupt);
                await process.WaitForExitAsync();
            }
            process.Dispose();
        }
        folder.Delete(recursive: true);
    }

    /// <summary>A port that nobody listens on now.</summary>
    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    async Task StartPostgresAsync()
    {
        var package = Path.Combine(Repository.Root, "engines", "node_modules", "postgres15");
        Assert.True(File.Exists(Path.Combine(package, "native", "bin", "postgres")), $"PostgreSQL 15 is missing below {package}. Install it first: npm ci --prefix engines --ignore-scripts");
        // A copy, since the package lacks its library links and an account lent by root may not enter the clone.
        await RequireAsync("cp", "-R", "--no-preserve=ownership", Path.Combine(package, "native"), folder.FullName);
        foreach (var link in JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(Native, "pg-symlinks.json"))).EnumerateArray())
        {
            string Place(string end) => Path.Combine(folder.FullName, link.GetProperty(end).GetString()!);
            if (!File.Exists(Place("target")))
            {
                File.CreateSymbolicLink(Place("target"), Place("source"));
            }
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Cluster)!);
        var password = Path.Combine(folder.FullName, "password");
        await File.WriteAllTextAsync(password, Password);
        await RequireAsync("chmod", "-R", "a+rX", folder.FullName);
        if (Environment.IsPrivilegedProcess)
        {
            await RequireAsync("chown", $"{Nobody}:{Nobody}", Path.GetDirectoryName(Cluster)!);
        }
        await RequireAsync([.. AsOwner, Path.Combine(Native, "bin", "initdb"), "-D", Cluster, "-U", "salus", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", $"--pwfile={password}"]);
        Start([.. AsOwner, Path.Combine(Native, "bin", "postgres"), "-D", Cluster, "-p", $"{databasePort}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        await Waiting.UntilAsync(async () =>
        {
            try
            {
                return await RunAsync(ConnectionTo("postgres"), "SHOW server_version") is string version && version.StartsWith("15.", StringComparison.Ordinal);
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }, "PostgreSQL 15");
    }

    // PostgreSQL does not run as root.
    static string[] AsOwner => Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--"] : [];

    Process Start(params string[] command)
    {
        var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", .. command]))!;
        processes.Add(process);
        return process;
    }

    static async Task RequireAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {await output}{await errors}");
    }
}
