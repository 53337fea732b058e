using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;
using Salus.Host.Engines;

namespace Salus.Bench;

/// <summary>
/// Bundles into a node in its default configuration (validated, sealed, indexed, audited, logged, durable) beside the same JSON into a bare
/// table of the same PostgreSQL build, through the same number of clients, in one run. CPU seconds are those of the server side: node, chain
/// and PostgreSQL here, PostgreSQL there.
/// </summary>
static class ImportRun
{
    public static async Task<int> RunAsync(string[] args)
    {
        var data = Option(args, "--data") ?? throw new ArgumentException("Give --data DIR, the folder that holds synthea-r4/.");
        var clients = int.Parse(Option(args, "--clients") ?? "2");
        var rounds = int.Parse(Option(args, "--rounds") ?? "3");
        var bundles = Directory.GetFiles(Path.Combine(data, "synthea-r4"), "*.json").Order().Select(File.ReadAllBytes).ToList();
        var resources = bundles.Select(Resources).ToList();
        var count = resources.Sum(list => list.Count);
        Console.WriteLine($"{bundles.Count} bundles, {count} resources, {bundles.Sum(bundle => bundle.LongLength) / 1e6:N1} MB, {clients} clients, {Environment.ProcessorCount} cores");
        Console.WriteLine("| round | node resources/s | node CPU s per 1,000 | all anchored after s | bare table resources/s | bare CPU s per 1,000 | ratio of rates |");
        Console.WriteLine("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        for (var round = 1; round <= rounds; round++)
        {
            var node = await NodeAsync(bundles, count, clients);
            var bare = await BareAsync(resources, count, clients);
            Console.WriteLine($"| {round} | {node.Rate:N0} | {node.Cpu:N2} | {node.Anchored:N1} | {bare.Rate:N0} | {bare.Cpu:N2} | {node.Rate / bare.Rate:P1} |");
        }
        return 0;
    }

    static async Task<(double Rate, double Cpu, double Anchored)> NodeAsync(IReadOnlyList<byte[]> bundles, int count, int clients)
    {
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "Salus.Host.dll"), "serve", $"--Salus:Data={folder}/data", $"--Salus:Keys={folder}/keys", "--Salus:Port=0",
                "--Salus:DemonstrationPatients=0",
            ]) { RedirectStandardOutput = true })!;
        try
        {
            var ready = await ReadyAsync(process);
            using var http = new HttpClient { BaseAddress = new Uri(ready.GetProperty("address").GetString()!), Timeout = TimeSpan.FromMinutes(5) };
            var doctor = ready.GetProperty("accounts").EnumerateArray().First(account => account.GetProperty("role").GetString() == "Practitioner");
            var token = await (await http.PostAsJsonAsync("/api/token", new { email = doctor.GetProperty("email").GetString(), password = doctor.GetProperty("password").GetString() }))
                .EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
            var cpu = CpuSeconds(process.Id);
            var started = Stopwatch.GetTimestamp();
            await InParallelAsync(bundles, clients, async bundle =>
            {
                using var content = new ByteArrayContent(bundle);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
                (await http.PostAsync("/fhir", content)).EnsureSuccessStatusCode();
            });
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            while (true)
            {
                var status = await http.GetFromJsonAsync<JsonElement>("/api/log/status");
                if (status.GetProperty("pendingLeaves").GetInt64() == 0 && status.GetProperty("anchoredSize").GetInt64() >= count)
                {
                    break;
                }
                await Task.Delay(50);
            }
            return (count / seconds, (CpuSeconds(process.Id) - cpu) / count * 1000, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        finally
        {
            Process.Start("kill", ["-INT", process.Id.ToString()]).WaitForExit();
            await process.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<(double Rate, double Cpu)> BareAsync(IReadOnlyList<List<byte[]>> resources, int count, int clients)
    {
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await using var postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder, "postgres"), NullLogger.Instance, cancellation: CancellationToken.None);
            await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
            await using (var create = database.CreateCommand("CREATE TABLE resource (id uuid PRIMARY KEY, body jsonb NOT NULL)"))
            {
                await create.ExecuteNonQueryAsync();
            }
            var self = Environment.ProcessId;
            var cpu = CpuSeconds(self, includeRoot: false);
            var started = Stopwatch.GetTimestamp();
            await InParallelAsync(resources, clients, async bundle =>
            {
                await using var connection = await database.OpenConnectionAsync();
                await using var writer = await connection.BeginBinaryImportAsync("COPY resource (id, body) FROM STDIN (FORMAT binary)");
                foreach (var resource in bundle)
                {
                    await writer.StartRowAsync();
                    await writer.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid);
                    await writer.WriteAsync(System.Text.Encoding.UTF8.GetString(resource), NpgsqlDbType.Jsonb);
                }
                await writer.CompleteAsync();
            });
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return (count / seconds, (CpuSeconds(self, includeRoot: false) - cpu) / count * 1000);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task InParallelAsync<T>(IReadOnlyList<T> work, int clients, Func<T, Task> doAsync) =>
        await Parallel.ForEachAsync(work, new ParallelOptions { MaxDegreeOfParallelism = clients }, async (item, _) => await doAsync(item));

    static async Task<JsonElement> ReadyAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var happening = JsonElement.Parse(line);
            switch (happening.GetProperty("event").GetString())
            {
                case "ready":
                    return happening;
                case "refused":
                    throw new InvalidOperationException(happening.GetProperty("reason").GetString());
            }
        }
        throw new InvalidOperationException("The node ended before it was ready.");
    }

    static List<byte[]> Resources(byte[] bundle)
    {
        using var document = JsonDocument.Parse(bundle);
        return [.. document.RootElement.GetProperty("entry").EnumerateArray().Select(entry => System.Text.Encoding.UTF8.GetBytes(entry.GetProperty("resource").GetRawText()))];
    }

    /// <summary>CPU seconds of a process and all that it started, those that ended included (/proc/PID/stat).</summary>
    static double CpuSeconds(int root, bool includeRoot = true)
    {
        const double ticksPerSecond = 100;
        var stats = Directory.GetDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => name.All(char.IsAsciiDigit))
            .Select(Stat).OfType<(int Pid, int Parent, long Own, long Ended)>().ToList();
        var tree = new HashSet<int> { root };
        while (stats.Any(stat => tree.Contains(stat.Parent) && tree.Add(stat.Pid)))
        {
            // Until no process is left whose parent is in the tree and which is not.
        }
        return stats.Where(stat => tree.Contains(stat.Pid) && (includeRoot || stat.Pid != root)).Sum(stat => stat.Own + stat.Ended) / ticksPerSecond;
    }

    static (int, int, long, long)? Stat(string pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (int.Parse(pid), int.Parse(fields[1]), long.Parse(fields[11]) + long.Parse(fields[12]), long.Parse(fields[13]) + long.Parse(fields[14]));
        }
        catch (IOException)
        {
            return null;
        }
    }

    static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
