using System.Diagnostics;
using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;

namespace Salus.Bench;

/// <summary>FHIRPath beside npm's fhirpath: the same compiled expressions on the same resources, both read beforehand, in turns; CPU time of one evaluation.</summary>
static class FhirPathRun
{
    const double WarmUpSeconds = 0.3;
    const double MeasuredSeconds = 1;

    static readonly (string File, string Expression)[] Cases =
    [
        ("fhirpath/input/patient-example.json", "Patient.name.where(use = 'official').given.first()"),
        ("fhirpath/input/patient-example.json", "Patient.telecom.where(system = 'phone' and use = 'work').exists()"),
        ("fhirpath/input/patient-example.json", "Patient.name.select(given | family).distinct().count()"),
        ("fhirpath/input/patient-example.json", "Patient.birthDate < today()"),
        ("fhirpath/input/patient-example.json", "Patient.descendants().count()"),
        ("fhirpath/input/patient-example.json", "contact.all(name.exists() or telecom.exists() or address.exists() or organization.exists())"),
        ("fhirpath/input/observation-example.json", "(Observation.value as Quantity).value > 100"),
        ("fhirpath/input/observation-example.json", "Observation.value > 80 'kg'"),
        ("fhirpath/input/observation-example.json", "Observation.code.coding.where(system = 'http://loinc.org').code"),
        ("fhirpath/input/patient-example.json", "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9).aggregate($this + $total, 0) = 45"),
        ("fhirpath/input/patient-example.json", "'a,b,c'.split(',').join('-').matches('^a-.*$')"),
        ("bundle", "Bundle.entry.resource.ofType(Observation).where(code.coding.exists(code = '8302-2')).value.value"),
        ("bundle", "Bundle.entry.where(fullUrl.exists()).select(fullUrl & resource.meta.versionId).isDistinct()"),
    ];

    sealed record Asked(string File, string Expression);

    sealed record Answer(int Count, double Microseconds);

    public static int Run(string[] args)
    {
        if (args is not ["--data", var data] || !Directory.Exists(Path.Combine(data, "fhirpath")))
        {
            Console.Error.WriteLine("fhirpath --data DIR: the folder of field data, with its parts fhirpath and synthea-r4");
            return 1;
        }
        var bundle = Directory.GetFiles(Path.Combine(data, "synthea-r4"), "*.json").OrderBy(file => new FileInfo(file).Length).First();
        using var peer = Process.Start(new ProcessStartInfo("node", ["fhirpath.mjs"])
        {
            WorkingDirectory = Path.Combine(Directory.GetCurrentDirectory(), "bench", "peers"),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Console.WriteLine("| expression | Salus, µs | fhirpath, µs | times |");
        Console.WriteLine("| --- | ---: | ---: | ---: |");
        var logarithms = new List<double>();
        foreach (var (file, expression) in Cases)
        {
            var path = Path.GetFullPath(file == "bundle" ? bundle : Path.Combine(data, file));
            var own = Own(path, expression);
            var other = Other(peer, path, expression);
            if (own.Count != other.Count)
            {
                throw new InvalidOperationException($"{expression} gives {own.Count} items here and {other.Count} there.");
            }
            logarithms.Add(Math.Log(other.Microseconds / own.Microseconds));
            Console.WriteLine($"| `{expression.Replace("|", "\\|", StringComparison.Ordinal)}` | {own.Microseconds:N2} | {other.Microseconds:N2} | {other.Microseconds / own.Microseconds:N1} |");
        }
        Console.WriteLine($"| geometric mean | | | {Math.Exp(logarithms.Average()):N1} |");
        peer.StandardInput.Close();
        peer.WaitForExit();
        return 0;
    }

    static Answer Own(string file, string expression)
    {
        var resource = FhirJson.Read(File.ReadAllBytes(file)) is FhirReadOutcome.Ok ok ? ok.Resource : throw new InvalidOperationException($"{file} is no resource.");
        var compiled = FhirPathExpression.Compile(expression);
        var count = compiled.Evaluate(resource).Count;
        Cpu(() => compiled.Evaluate(resource), WarmUpSeconds);
        return new(count, Cpu(() => compiled.Evaluate(resource), MeasuredSeconds));
    }

    static Answer Other(Process peer, string file, string expression)
    {
        peer.StandardInput.WriteLine(JsonSerializer.Serialize(new Asked(file, expression), JsonSerializerOptions.Web));
        var line = peer.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer ended: run `npm ci --prefix bench/peers` first.");
        return JsonSerializer.Deserialize<Answer>(line, JsonSerializerOptions.Web)!;
    }

    static double Cpu(Func<FhirPathCollection> evaluate, double seconds)
    {
        var started = Environment.CpuUsage.TotalTime;
        var rounds = 0L;
        for (var size = 1; ; size = Math.Min(size * 2, 1024))
        {
            for (var round = 0; round < size; round++)
            {
                evaluate();
            }
            rounds += size;
            if ((Environment.CpuUsage.TotalTime - started).TotalSeconds is var used && used > seconds)
            {
                return used * 1e6 / rounds;
            }
        }
    }
}
