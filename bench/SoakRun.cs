using System.Diagnostics;

namespace Salus.Bench;

/// <summary>A node killed again and again while it is written to; at the end every acknowledged write must be there, and log and chain agree.</summary>
static class SoakRun
{
    const int Writers = 2;
    const int AliveMillisecondsMax = 3000;
    const int AnchoredWaitSeconds = 300;
    // Everybody of this run sits at one network address and signs in at each start.
    static readonly string[] Settings = ["--Salus:Identity:SignInsPerMinute=10000", "--Salus:Identity:SignInsPerMinutePerAccount=1000", "--Salus:Identity:RequestsPerMinute=1000000"];

    public static async Task<int> RunAsync(string[] arguments)
    {
        var kills = arguments is ["--kills", var count, ..] && int.TryParse(count, out var wanted) ? wanted : 100;
        var folder = Directory.CreateTempSubdirectory("salus-soak-").FullName;
        var moments = new Random(20260704);
        Dictionary<string, string> acknowledged = [];
        try
        {
            var started = Stopwatch.GetTimestamp();
            for (var kill = 1; kill <= kills; kill++)
            {
                var node = await NodeUnderTest.StartAsync(folder, Settings);
                using var stop = new CancellationTokenSource();
                var writing = Enumerable.Range(0, Writers).Select(writer => WriteAsync(node, acknowledged, $"{kill}.{writer}", stop.Token)).ToList();
                await Task.Delay(moments.Next(AliveMillisecondsMax));
                await stop.CancelAsync();
                await node.KillAsync(writing);
                if (kill % 10 == 0)
                {
                    Console.WriteLine($"{kill} kills, {acknowledged.Count} writes acknowledged, {Stopwatch.GetElapsedTime(started).TotalSeconds:N0} s");
                }
            }
            return await JudgeAsync(folder, acknowledged, kills) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task WriteAsync(NodeUnderTest node, Dictionary<string, string> acknowledged, string name, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            if (await node.CreateAsync($"Clinic {name}.{i}") is { } id)
            {
                lock (acknowledged)
                {
                    acknowledged[id] = $"Clinic {name}.{i}";
                }
            }
        }
    }

    static async Task<bool> JudgeAsync(string folder, Dictionary<string, string> acknowledged, int kills)
    {
        var lost = 0;
        string state;
        await using (var node = await NodeUnderTest.StartAsync(folder, Settings))
        {
            foreach (var (id, name) in acknowledged)
            {
                lost += await node.NameAsync(id) == name ? 0 : 1;
            }
            var started = Stopwatch.GetTimestamp();
            while (await node.AnchoredSizeAsync() is not { } size || size != (await node.StatusAsync()).GetProperty("logSize").GetInt64())
            {
                if (Stopwatch.GetElapsedTime(started).TotalSeconds > AnchoredWaitSeconds)
                {
                    break;
                }
                await Task.Delay(500);
            }
            state = (await node.StatusAsync()).ToString();
        }
        using var check = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Salus.Host.dll"), "verify", $"--Salus:Data={folder}/data", $"--Salus:Keys={folder}/keys"])
        {
            RedirectStandardOutput = true,
        })!;
        var report = (await check.StandardOutput.ReadToEndAsync()).TrimEnd().Split('\n')[^1];
        await check.WaitForExitAsync();
        Console.WriteLine($"{kills} kills: {acknowledged.Count} writes acknowledged, {lost} lost; the log: {state}; the check: {report}");
        return lost == 0 && check.ExitCode == 0;
    }
}
