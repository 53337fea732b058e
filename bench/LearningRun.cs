using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Salus.Bench;

/// <summary>Forest and boosting beside scikit-learn's forest and XGBoost's hist, on the same rows, in turns, each fit in a process of its own.</summary>
static class LearningRun
{
    public static int Run(string[] args)
    {
        var python = Option(args, "--python") ?? "python3";
        var script = Option(args, "--peers") ?? Path.Combine("bench", "learning_peers.py");
        var rounds = int.Parse(Option(args, "--rounds") ?? "3");
        var threads = int.Parse(Option(args, "--threads") ?? "2");
        int[] sizes = [.. (Option(args, "--rows") ?? "100000,1000000").Split(',').Select(int.Parse)];
        string[] kinds = (Option(args, "--models") ?? "row,forest,boosting").Split(',');
        if (!File.Exists(script))
        {
            Console.Error.WriteLine($"{script} is missing: run from the repository's root, or give --peers FILE");
            return 1;
        }
        if (kinds.Contains("row"))
            LearningRow.Run(Option(args, "--node") ?? "node");
        foreach (var rows in sizes)
        {
            var file = Path.GetTempFileName();
            try
            {
                LearningTable.Write(file, rows, 1);
                foreach (var kind in kinds.Where(kind => kind != "row"))
                    Compare(file, kind, rows, kind == "forest" && rows > 100_000 ? 10 : 100, rounds, threads, python, script);
            }
            finally
            {
                File.Delete(file);
            }
        }
        return 0;
    }

    static void Compare(string file, string kind, int rows, int trees, int rounds, int threads, string python, string script)
    {
        var peer = kind == "forest" ? "scikit-learn" : "XGBoost";
        Console.WriteLine($"\n{kind} of {trees} trees, {rows:N0} × {LearningTable.Features}, {threads} threads");
        Console.WriteLine("| | fit s | CPU s | AUC | batch rows/CPU s | one row µs | peak MB |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        var (ours, theirs) = (new List<LearningFigures>(), new List<LearningFigures>());
        string[] words = [file, kind, rows.ToString(), trees.ToString(), threads.ToString()];
        for (var round = 0; round < rounds; round++)
        {
            theirs.Add(Child(python, [script, .. words], peer));
            ours.Add(Child(Environment.ProcessPath!, [typeof(LearningRun).Assembly.Location, "learning-child", .. words], "Salus"));
        }
        double Ratio(Func<LearningFigures, double> figure) => Median(ours.Zip(theirs, (our, their) => figure(our) / figure(their)));
        Console.WriteLine($"| ratio, median | {Ratio(f => f.FitSeconds):0.00} | {Ratio(f => f.CpuSeconds):0.00} | {Median(ours.Select(f => f.Auc)) - Median(theirs.Select(f => f.Auc)):+0.0000;-0.0000} | {Ratio(f => f.BatchRowsPerCpuSecond):0.0} | {Ratio(f => f.RowMicroseconds):0.0000} | {Ratio(f => f.PeakMegabytes):0.00} |");
    }

    public static LearningFigures Child(string program, IReadOnlyList<string> args, string name)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{name} ended with {process.ExitCode}");
        var figures = JsonSerializer.Deserialize<LearningFigures>(text.Trim().Split('\n')[^1], LearningChild.Json)!;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {figures.FitSeconds:0.00} | {figures.CpuSeconds:0.0} | {figures.Auc:0.0000} | {figures.BatchRowsPerCpuSecond:N0} | {figures.RowMicroseconds:0.0} | {figures.PeakMegabytes:0} |"));
        return figures;
    }

    static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    static string? Option(string[] args, string name) =>
        Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
