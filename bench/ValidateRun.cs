using System.Diagnostics;
using System.Globalization;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Bench;

/// <summary>Reading and validating the resources of Bundles beside @medplum/core, the same texts on one thread in the same run, by the CPU that each takes.</summary>
static class ValidateRun
{
    const int Rounds = 8;
    const int FilesMax = 12;

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is not ["--data", var data])
        {
            Console.Error.WriteLine("validate --data DIR: the folder that holds synthea-r4.");
            return 1;
        }
        var files = Directory.GetFiles(Path.Combine(data, "synthea-r4"), "*.json").Order(StringComparer.Ordinal).Take(FilesMax).ToList();
        var texts = files.SelectMany(Texts).ToList();
        var ours = Enumerable.Range(0, Rounds).Select(_ => Ours(texts)).ToList();
        var theirs = await TheirsAsync(files);
        var (our, their) = (Median(ours), Median(theirs.Select(round => round.Milliseconds)));
        Console.WriteLine($"{texts.Count} resources, read and validated; median CPU of the last {Rounds / 2} of {Rounds} rounds.");
        Console.WriteLine("| | CPU ms | resources per CPU second | found invalid |");
        Console.WriteLine("| --- | ---: | ---: | ---: |");
        Console.WriteLine($"| Salus | {our:N0} | {texts.Count / our * 1000:N0} | {texts.Count(text => !IsValid(text))} |");
        Console.WriteLine($"| @medplum/core validateResource | {their:N0} | {texts.Count / their * 1000:N0} | {theirs[^1].Invalid} |");
        Console.WriteLine($"Ratio: {their / our:N1}");
        return 0;
    }

    static IEnumerable<byte[]> Texts(string file)
    {
        var bundle = ((FhirReadOutcome.Ok)FhirJson.Read(File.ReadAllBytes(file))).Resource;
        foreach (var entry in bundle["entry"].Children)
        {
            yield return Resource.From(entry["resource"])!.Utf8.ToArray();
        }
    }

    static bool IsValid(byte[] text) => Validator.R4.Validate(((FhirReadOutcome.Ok)FhirJson.Read(text)).Resource).Count == 0;

    static double Ours(List<byte[]> texts)
    {
        var before = Environment.CpuUsage.TotalTime;
        foreach (var text in texts)
        {
            IsValid(text);
        }
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    static async Task<List<(double Milliseconds, int Invalid)>> TheirsAsync(List<string> files)
    {
        var folder = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "peers", "validation"));
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            throw new InvalidOperationException($"The peer is not installed: npm ci --prefix {folder} --ignore-scripts");
        }
        using var node = Process.Start(new ProcessStartInfo("node", [Path.Combine(folder, "validate.mjs"), Rounds.ToString(CultureInfo.InvariantCulture), .. files]) { RedirectStandardOutput = true })!;
        var rounds = new List<(double, int)>();
        while (await node.StandardOutput.ReadLineAsync() is { } line)
        {
            var fields = line.Split(' ');
            rounds.Add((double.Parse(fields[0], CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture)));
        }
        await node.WaitForExitAsync();
        return rounds.Count == Rounds ? rounds : throw new InvalidOperationException("The peer ended before its last round.");
    }

    static double Median(IEnumerable<double> rounds)
    {
        var last = rounds.Skip(Rounds / 2).Order().ToList();
        return last[last.Count / 2];
    }
}
