using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;
using Salus.Host.Engines;

namespace Salus.Bench;

/// <summary>
/// Bundles into a node in its default configuration (validated, sealed, indexed, audited, logged, durable) beside the same JSON into bare tables
/// of another PostgreSQL of the same build, through the same number of clients, a transaction for each bundle, in turns: by COPY, by COPY into one by
/// whose values it is found, and by an INSERT for each resource. The first round finds the node just started,
/// its code not compiled; the others are what a node that runs does. CPU seconds are those of the server side.
/// </summary>
static class ImportRun
{
    /// <summary>A table that takes the same JSON and does nothing else.</summary>
    sealed record Bare(double Rate, double Cpu);

    static readonly string[] Bares = ["COPY", "COPY, indexed", "INSERT"];

    sealed record Round(double NodeRate, ServerCpu Node, double Anchored, Bare[] Bare, double Others)
    {
        public double Ratio(int bare) => NodeRate / Bare[bare].Rate;

        public string Row(string name) =>
            $"| {name} | {NodeRate:N0} | {Node.Program:N2} + {Node.Postgres:N2} + {Node.Chain:N2} = {Node.All:N2} | {Anchored:N1} | "
            + string.Concat(Bare.Select((bare, i) => $"{bare.Rate:N0} | {bare.Cpu:N2} | {Ratio(i):P1} | ")) + $"{Others:N2} |";
    }

    public static async Task<int> RunAsync(string[] args)
    {
        var data = Option(args, "--data") ?? throw new ArgumentException("Give --data DIR, the folder that holds synthea-r4/.");
        var clients = int.Parse(Option(args, "--clients") ?? "2");
        var rounds = int.Parse(Option(args, "--rounds") ?? "5");
        var bundles = Directory.GetFiles(Path.Combine(data, "synthea-r4"), "*.json").Order().Select(File.ReadAllBytes).ToList();
        var resources = bundles.Select(Resources).ToList();
        var count = resources.Sum(list => list.Count);
        Console.WriteLine($"{bundles.Count} bundles, {count} resources, {bundles.Sum(bundle => bundle.LongLength) / 1e6:N1} MB, {clients} clients, {Environment.ProcessorCount} cores");
        Console.WriteLine("| round | node resources/s | CPU s per 1,000: program + PostgreSQL + chain | all anchored after s | "
            + string.Concat(Bares.Select(bare => $"bare table, {bare}: resources/s | CPU s per 1,000 | ratio of rates | ")) + "cores that other work took |");
        Console.WriteLine($"| ---: | ---: | ---: | ---: | {string.Concat(Bares.Select(_ => "---: | ---: | ---: | "))}---: |");
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await using var node = await NodeUnderTest.StartAsync(folder);
            await using var postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder, "postgres"), NullLogger.Instance, cancellation: CancellationToken.None);
            await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
            await using (var create = database.CreateCommand(
                """
                CREATE TABLE plain (id uuid PRIMARY KEY, body jsonb NOT NULL);
                CREATE TABLE found (id uuid PRIMARY KEY, body jsonb NOT NULL);
                CREATE TABLE inserted (id uuid PRIMARY KEY, body jsonb NOT NULL);
                CREATE INDEX ON found USING gin (body jsonb_path_ops)
                """))
            {
                await create.ExecuteNonQueryAsync();
            }
            List<Round> warm = [];
            for (var number = 0; number <= rounds; number++)
            {
                var round = await RoundAsync(node, database, bundles, resources, count, clients);
                Console.WriteLine(round.Row(number == 0 ? "just started" : $"{number}"));
                if (number > 0)
                {
                    warm.Add(round);
                }
            }
            Console.WriteLine();
            Tell("median", warm, rates => rates[rates.Count / 2]);
            Tell("best", warm, rates => rates[^1]);
            Console.WriteLine($"memory of the program: {CpuClock.PeakMegabytes(node.ProcessId):N0} MB at most");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    static void Tell(string name, List<Round> rounds, Func<List<double>, double> pick)
    {
        double Of(Func<Round, double> value, int direction = 1) => pick([.. rounds.Select(value).OrderBy(each => each * direction)]);
        Console.WriteLine(
            $"{name}: {Of(round => round.NodeRate):N0} resources/s, {Of(round => round.Node.All, -1):N2} CPU s per 1,000; "
            + string.Join("; ", Bares.Select((bare, i) => $"{bare} {Of(round => round.Bare[i].Rate):N0} resources/s, ratio {Of(round => round.Ratio(i)):P1}")));
    }

    static async Task<Round> RoundAsync(
        NodeUnderTest node, NpgsqlDataSource database, IReadOnlyList<byte[]> bundles, IReadOnlyList<List<byte[]>> resources, int count, int clients)
    {
        var cpu = CpuClock.Read();
        var before = await node.AnchoredSizeAsync();
        var started = Stopwatch.GetTimestamp();
        await InParallelAsync(bundles, clients, node.ImportAsync);
        var nodeSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        while (await node.AnchoredSizeAsync() is not { } size || size < (before ?? 0) + count)
        {
            await Task.Delay(100);
        }
        var anchored = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var nodeCpu = CpuClock.Read();
        var self = Environment.ProcessId;
        var thousands = count / 1000.0;
        async Task<Bare> BareAsync(Func<List<byte[]>, Task> storeAsync)
        {
            var cpuBefore = CpuClock.Read().Under(self, node.ProcessId).Postgres;
            var from = Stopwatch.GetTimestamp();
            await InParallelAsync(resources, clients, storeAsync);
            return new Bare(count / Stopwatch.GetElapsedTime(from).TotalSeconds, (CpuClock.Read().Under(self, node.ProcessId).Postgres - cpuBefore) / thousands);
        }
        Bare[] bare =
        [
            await BareAsync(bundle => CopyAsync(database, "plain", bundle)), await BareAsync(bundle => CopyAsync(database, "found", bundle)),
            await BareAsync(bundle => InsertAsync(database, bundle)),
        ];
        var end = CpuClock.Read();
        return new Round(
            count / nodeSeconds, nodeCpu.Under(node.ProcessId).Since(cpu.Under(node.ProcessId)).Per(thousands), anchored, bare,
            (end.Machine - cpu.Machine - (end.Under(self).All - cpu.Under(self).All)) / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    static async Task CopyAsync(NpgsqlDataSource database, string table, List<byte[]> bundle)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var writer = await connection.BeginBinaryImportAsync($"COPY {table} (id, body) FROM STDIN (FORMAT binary)");
        foreach (var resource in bundle)
        {
            await writer.StartRowAsync();
            await writer.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid);
            await writer.WriteAsync(System.Text.Encoding.UTF8.GetString(resource), NpgsqlDbType.Jsonb);
        }
        await writer.CompleteAsync();
    }

    static async Task InsertAsync(NpgsqlDataSource database, List<byte[]> bundle)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var insert = new NpgsqlCommand("INSERT INTO inserted (id, body) VALUES ($1, $2)", connection);
        var id = new NpgsqlParameter<Guid> { NpgsqlDbType = NpgsqlDbType.Uuid };
        var body = new NpgsqlParameter<string> { NpgsqlDbType = NpgsqlDbType.Jsonb };
        insert.Parameters.Add(id);
        insert.Parameters.Add(body);
        await insert.PrepareAsync();
        foreach (var resource in bundle)
        {
            (id.TypedValue, body.TypedValue) = (Guid.CreateVersion7(), System.Text.Encoding.UTF8.GetString(resource));
            await insert.ExecuteNonQueryAsync();
        }
        await transaction.CommitAsync();
    }

    static async Task InParallelAsync<T>(IReadOnlyList<T> work, int clients, Func<T, Task> doAsync) =>
        await Parallel.ForEachAsync(work, new ParallelOptions { MaxDegreeOfParallelism = clients }, async (item, _) => await doAsync(item));

    static List<byte[]> Resources(byte[] bundle)
    {
        using var document = JsonDocument.Parse(bundle);
        return [.. document.RootElement.GetProperty("entry").EnumerateArray().Select(entry => System.Text.Encoding.UTF8.GetBytes(entry.GetProperty("resource").GetRawText()))];
    }

    static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
