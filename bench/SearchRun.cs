using System.Globalization;
using System.Text.Json;

namespace Salus.Bench;

/// <summary>
/// Searches of each kind in a node that holds more and more resources, through HTTP: a page of ten, decided, opened and audited. First one client, for
/// the time that one waits, then all kinds in turn by many clients, for what a core can do. What matches stays a few, however many resources there
/// are, where the name of the search does not say otherwise.
/// </summary>
static class SearchRun
{
    const int PerBundle = 500;
    const int Patients = 50;

    static readonly (string Name, string Path)[] Searches =
    [
        ("identifier", "Organization?identifier=urn:bench|{0}&_count=10"), ("beginning of a name", "Organization?name=house {0}&_count=10"),
        ("part of a name", "Organization?name:contains=use {0}&_count=10"), ("a tenth of all, first page", "Organization?type=urn:ward|3&_count=10&_total=none"),
        ("all, newest first", "Organization?_sort=-_lastUpdated&_count=10&_total=none"), ("all, counted as far as it goes unasked", "Organization?_count=10"),
        ("a patient's heart rates", "Observation?subject=Patient/{2}&code=8867-4&_count=10"), ("a patient's newest", "Observation?subject=Patient/{2}&_sort=-date&_count=10"),
        ("one by id", "Organization/{1}"),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var sizes = (Option(args, "--sizes") ?? "10000,100000").Split(',').Select(int.Parse).ToList();
        var times = int.Parse(Option(args, "--times") ?? "300");
        var clients = int.Parse(Option(args, "--clients") ?? "16");
        var kept = Option(args, "--keep");
        var folder = kept ?? Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await using var node = await NodeUnderTest.StartAsync(folder, "--Salus:Identity:RequestsPerMinute=10000000", "--Salus:Monitoring:CheckEveryMinutes=10080", $"--Salus:DemonstrationPatients={Patients}");
            var patients = await node.PatientsAsync(Patients);
            var held = await node.CountAsync("Organization");
            Console.WriteLine("| resources | search | clients | median ms | p99 ms | searches/s | CPU ms of one: program + PostgreSQL + chain | per CPU second |");
            Console.WriteLine("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
            foreach (var size in sizes)
            {
                await FillAsync(node, held, size);
                held = Math.Max(held, size);
                await node.SettledAsync();
                var known = await node.CreateAsync("Known") ?? throw new InvalidOperationException("The node does not answer.");
                // Numbers of the most digits: the shorter ones begin many others
                string Path(string path, int i) => string.Format(CultureInfo.InvariantCulture, path, size / 10 + i * 7919L % (size - size / 10), known, patients[i % patients.Count]);
                foreach (var (name, path) in Searches)
                {
                    Tell(size, name, 1, await Load.RunAsync(node, 1, times, times, i => node.FetchAsync(Path(path, i))));
                }
                Tell(size, "each in turn", clients, await Load.RunAsync(node, clients, times * Searches.Length, times * Searches.Length, i => node.FetchAsync(Path(Searches[i % Searches.Length].Path, i))));
            }
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        return 0;
    }

    static void Tell(int size, string name, int clients, Load load) => Console.WriteLine(
        $"| {size:N0} | {name} | {clients} | {load.MedianMilliseconds:N1} | {load.P99Milliseconds:N1} | {load.PerSecond:N0} | {load.CpuOfOne} | {load.PerCpuSecond:N0} |");

    static Task FillAsync(NodeUnderTest node, int held, int size) => Parallel.ForEachAsync(
        Enumerable.Range(0, (Math.Max(0, size - held) + PerBundle - 1) / PerBundle), new ParallelOptions { MaxDegreeOfParallelism = 2 },
        async (bundle, _) => await node.ImportAsync(Bundle(held + bundle * PerBundle)));

    static byte[] Bundle(int from) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        resourceType = "Bundle", type = "transaction",
        entry = Enumerable.Range(from, PerBundle).Select(i => new
        {
            request = new { method = "POST", url = "Organization" },
            resource = new
            {
                resourceType = "Organization", active = i % 2 == 0, name = $"House {i}", identifier = new[] { new { system = "urn:bench", value = $"{i}" } },
                type = new[] { new { coding = new[] { new { system = "urn:ward", code = $"{i % 10}" } } } }, address = new[] { new { city = $"City {i % 1000}" } },
            },
        }),
    });

    static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
