using System.Diagnostics;
using System.Text.Json;

namespace Salus.Bench;

/// <summary>
/// Searches of each kind in a node that holds more and more resources, one client, through HTTP: a page of ten, decided, opened and audited.
/// What matches stays a few, however many resources there are, where the name of the search does not say otherwise.
/// </summary>
static class SearchRun
{
    const int PerBundle = 500;
    const int Warm = 300;

    static readonly (string Name, string Path)[] Searches =
    [
        ("identifier", "Organization?identifier=urn:bench|{0}&_count=10"), ("beginning of a name", "Organization?name=house {0}&_count=10"),
        ("part of a name", "Organization?name:contains=use {0}&_count=10"), ("a tenth of all, first page", "Organization?type=urn:ward|3&_count=10&_total=none"),
        ("all, newest first", "Organization?_sort=-_lastUpdated&_count=10&_total=none"), ("one by id", "Organization/{1}"),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var sizes = (Option(args, "--sizes") ?? "10000,100000").Split(',').Select(int.Parse).ToList();
        var times = int.Parse(Option(args, "--times") ?? "200");
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await using var node = await NodeUnderTest.StartAsync(folder, "--Salus:Identity:RequestsPerMinute=1000000");
            var held = 0;
            var known = "";
            Console.WriteLine("| resources | search | median ms | p99 ms | CPU ms of the program |");
            Console.WriteLine("| ---: | --- | ---: | ---: | ---: |");
            foreach (var size in sizes)
            {
                for (; held < size; held += PerBundle)
                {
                    await node.ImportAsync(Bundle(held));
                }
                while (await node.AnchoredSizeAsync() is null)
                {
                    await Task.Delay(200);
                }
                known = await node.CreateAsync("Known") ?? throw new InvalidOperationException("The node does not answer.");
                foreach (var (name, path) in Searches)
                {
                    Console.WriteLine($"| {size:N0} | {name} | {await MeasureAsync(node, path, known, size, times)} |");
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    static async Task<string> MeasureAsync(NodeUnderTest node, string path, string known, int size, int times)
    {
        List<double> milliseconds = [];
        var cpu = TimeSpan.Zero;
        for (var i = -Warm; i < times; i++)
        {
            if (i == 0)
            {
                cpu = node.Cpu();
            }
            var started = Stopwatch.GetTimestamp();
            await node.FetchAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, (i + Warm) * 7919L % size, known));
            if (i >= 0)
            {
                milliseconds.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
        }
        var spent = (node.Cpu() - cpu).TotalMilliseconds / times;
        milliseconds.Sort();
        return $"{milliseconds[times / 2]:N1} | {milliseconds[times * 99 / 100]:N1} | {spent:N2}";
    }

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
