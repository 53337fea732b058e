using System.Globalization;
using System.Text;

namespace Salus.Bench;

/// <summary>
/// Observations of patients who have consented, by many clients through HTTP: each is created, read, updated, found by its identifier and deleted, one
/// after the other, every step decided on, audited and, where it writes, validated, sealed, indexed and durable. The first round finds the node just started, its code not
/// compiled; the others are what a node that runs does.
/// </summary>
static class CrudRun
{
    const int Patients = 50;
    static readonly string[] Steps = ["create", "read", "update", "search by identity", "delete"];

    public static async Task<int> RunAsync(string[] args)
    {
        var times = int.Parse(Option(args, "--times") ?? "1000");
        var clients = int.Parse(Option(args, "--clients") ?? "16");
        var rounds = int.Parse(Option(args, "--rounds") ?? "3");
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await using var node = await NodeUnderTest.StartAsync(folder, "--Salus:Identity:RequestsPerMinute=10000000", $"--Salus:DemonstrationPatients={Patients}");
            var patients = await node.PatientsAsync(Patients);
            Console.WriteLine("| clients | step | median ms | p99 ms | requests/s | CPU ms of one: program + PostgreSQL + chain | per CPU second |");
            Console.WriteLine("| ---: | --- | ---: | ---: | ---: | ---: | ---: |");
            var warm = times / 2;
            for (var round = 0; round <= rounds; round++)
            {
                var turns = new Turns(new string?[warm + times], patients, node);
                Tell(clients, $"all five in turn{(round == 0 ? ", just started" : "")}", await Load.RunAsync(node, clients, warm * Steps.Length, times * Steps.Length, turns.StepAsync));
            }
            var ids = new string?[warm + times];
            for (var step = 0; step < Steps.Length; step++)
            {
                var own = step;
                Tell(clients, Steps[step], await Load.RunAsync(node, clients, warm, times, i => StepAsync(node, own, i, ids, patients, "step")));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    /// <summary>Every resource goes through the steps in their order; the steps of different resources are mixed.</summary>
    sealed class Turns(string?[] ids, IReadOnlyList<string> patients, NodeUnderTest node)
    {
        readonly TaskCompletionSource[] done = [.. Enumerable.Range(0, ids.Length * Steps.Length).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

        public async Task StepAsync(int number)
        {
            // Blocks of as many resources as never wait for one another: first all are created, then all are read
            const int block = 50;
            var (group, within) = (number / (block * Steps.Length), number % (block * Steps.Length));
            var (step, resource) = (within / block, group * block + within % block);
            if (step > 0)
            {
                await done[(resource * Steps.Length) + step - 1].Task;
            }
            await CrudRun.StepAsync(node, step, resource, ids, patients, "mix");
            done[(resource * Steps.Length) + step].SetResult();
        }
    }

    static async Task StepAsync(NodeUnderTest node, int step, int i, string?[] ids, IReadOnlyList<string> patients, string system)
    {
        switch (step)
        {
            case 0:
                ids[i] = await node.SendAsync(HttpMethod.Post, "Observation", Body(null, i, patients, system));
                break;
            case 1:
                await node.FetchAsync($"Observation/{ids[i]}");
                break;
            case 2:
                await node.SendAsync(HttpMethod.Put, $"Observation/{ids[i]}", Body(ids[i], i, patients, system));
                break;
            case 3:
                await node.FetchAsync($"Observation?identifier=urn:bench:{system}|{i}");
                break;
            default:
                await node.SendAsync(HttpMethod.Delete, $"Observation/{ids[i]}", null);
                break;
        }
    }

    static byte[] Body(string? id, int i, IReadOnlyList<string> patients, string system) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $$$"""
        {"resourceType":"Observation",{{{(id is null ? "" : $"\"id\":\"{id}\",")}}}"status":"{{{(id is null ? "preliminary" : "final")}}}","identifier":[{"system":"urn:bench:{{{system}}}","value":"{{{i}}}"}],
        "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body weight"}],"text":"Body weight"},"subject":{"reference":"Patient/{{{patients[i % patients.Count]}}}"},
        "effectiveDateTime":"2026-03-{{{1 + i % 28:00}}}T09:30:00Z","valueQuantity":{"value":{{{60 + i % 40}}}.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}
        """));

    static void Tell(int clients, string name, Load load) => Console.WriteLine(
        $"| {clients} | {name} | {load.MedianMilliseconds:N1} | {load.P99Milliseconds:N1} | {load.PerSecond:N0} | {load.CpuOfOne} | {load.PerCpuSecond:N0} |");

    static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
