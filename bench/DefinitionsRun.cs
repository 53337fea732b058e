using System.Diagnostics;
using System.Globalization;
using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;

namespace Salus.Bench;

/// <summary>How long FHIR's definitions take to be ready, and what they hold: each time in a process of its own, nothing compiled before.</summary>
static class DefinitionsRun
{
    const int Rounds = 9;

    const string Observation =
        """{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/example"}}""";

    public static int Run(string[] args)
    {
        if (args is ["once"])
        {
            Once();
            return 0;
        }
        var rounds = Enumerable.Range(0, Rounds).Select(_ => Measured()).ToList();
        string[] names = ["definitions read, ms", "CPU of it, ms", "first Observation validated and indexed, ms", "managed memory held, MB", "memory of the process, MB"];
        Console.WriteLine("| | median | least | most |");
        Console.WriteLine("| --- | ---: | ---: | ---: |");
        for (var column = 0; column < names.Length; column++)
        {
            var values = rounds.Select(round => round[column]).Order().ToList();
            Console.WriteLine($"| {names[column]} | {values[Rounds / 2]:N1} | {values[0]:N1} | {values[^1]:N1} |");
        }
        return 0;
    }

    static double[] Measured()
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(DefinitionsRun).Assembly.Location, "definitions", "once"]) { RedirectStandardOutput = true })!;
        var line = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return [.. line.Split(' ').Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
    }

    static void Once()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var cpu = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        _ = FhirDefinitions.R4;
        var read = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var used = (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds;
        started = Stopwatch.GetTimestamp();
        var resource = ((FhirReadOutcome.Ok)FhirJson.Read(Encoding.UTF8.GetBytes(Observation))).Resource;
        if (Validator.R4.Validate(resource).Count > 0 || SearchIndexer.R4.Extract(resource).Count == 0)
        {
            throw new InvalidOperationException("The Observation is valid and has search values.");
        }
        var first = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        using var self = Process.GetCurrentProcess();
        Console.Write(FormattableString.Invariant($"{read} {used} {first} {held / 1e6} {self.PeakWorkingSet64 / 1e6}"));
    }
}
