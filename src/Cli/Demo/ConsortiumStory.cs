using System.Diagnostics;
using System.Net;
using Salus.Cli.Api;
using Salus.Cli.Node;
using Salus.Cli.Terminal;

namespace Salus.Cli.Demo;

/// <summary>How the demonstration of several hospitals is run.</summary>
sealed record ConsortiumDemoOptions(int Hospitals, string? Keep, bool Json, string? Ledger);

/// <summary>Hospitals on one chain: a doctor of one reads a record that another holds, as far as the patient has consented, and no further.</summary>
sealed class ConsortiumStory(ConsortiumDemoOptions options)
{
    const int WaitSecondsMax = 120;

    readonly DemoTeller teller = new(options.Json);

    /// <summary>Runs the story, stops the nodes and removes what is not to be kept.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var root = options.Keep ?? Directory.CreateTempSubdirectory("salus-demo-").FullName;
        try
        {
            var begun = Stopwatch.GetTimestamp();
            await using (var hospitals = new Hospitals())
            {
                await TellAsync(hospitals, Settings(root), cancellation);
            }
            teller.Totals(new { options.Hospitals, Seconds = Math.Round(StepTeller.Since(begun), 1) },
                ["", $"{options.Hospitals} hospitals, one chain; the whole story took {StepTeller.Since(begun):0.0} s"]);
            teller.Remark(options.Keep is null
                ? "The nodes are stopped and removed."
                : $"The nodes are stopped. Go on with them: salus up --hospitals {options.Hospitals} --data {Path.Combine(root, "data")} --keys {Path.Combine(root, "keys")}");
            return 0;
        }
        finally
        {
            if (options.Keep is null)
            {
                Directory.Delete(root, recursive: true);
            }
        }
    }

    IReadOnlyList<NodeSettings> Settings(string root) => Hospitals.Settings(new NodeSettings(Path.Combine(root, "data"), Path.Combine(root, "keys"))
    {
        Port = 0, Demonstration = true, DemonstrationPatients = 0, Ledger = options.Ledger ?? "",
        More = new Dictionary<string, string>
        {
            ["Identity:SignInsPerMinute"] = "100000", ["Identity:SignInsPerMinutePerAccount"] = "1000", ["Identity:RequestsPerMinute"] = "1000000",
        },
    }, options.Hospitals);

    async Task TellAsync(Hospitals hospitals, IReadOnlyList<NodeSettings> settings, CancellationToken cancellation)
    {
        await teller.StepAsync("hospitals", "Hospitals start, each with its own database, and are admitted by the votes of those before them", async notes =>
        {
            foreach (var one in settings)
            {
                var hospital = await hospitals.StartAsync(one, happening => notes.At($"{one.Name}: {happening.Name ?? happening.Event}"), cancellation);
                notes.At($"the members vote on {hospital.Name}");
                var votes = await hospitals.AdmitAsync(hospital, cancellation);
                notes.Say($"{hospital.Name} serves at {hospital.Address}{(votes == 0 ? ", founded the consortium" : $", admitted by {votes} {(votes == 1 ? "vote" : "votes")}")}");
            }
            notes.Set("addresses", hospitals.All.Select(hospital => hospital.Address).ToList());
        });
        await using var people = await ConsortiumPeople.OpenAsync(hospitals, cancellation);
        await teller.StepAsync("directory", "Each knows the others: their names, and keys that the chain bears out", notes => KnownAsync(hospitals, people, notes, cancellation));
        await teller.StepAsync("record", "A doctor at A enters a record; the patient links an account to it", notes => people.RecordAsync(notes, cancellation));
        await teller.StepAsync("no-consent", "A doctor at B asks A without the patient's consent", async notes =>
        {
            await RefusedAsync(people.AskAsync(1, cancellation), "Without consent, the record opened at B");
            notes.Say("refused (403)");
        });
        await teller.StepAsync("consent", "The patient gives hospital B access to diagnoses and visits", notes => people.GrantAsync(notes, cancellation));
        await teller.StepAsync("read", "The doctor at B reads what A holds, verified at B", notes => ReadAsync(people, notes, cancellation));
        await teller.StepAsync("limits", "What the consent does not cover stays closed", async notes =>
        {
            await RefusedAsync(people.AskAsync(1, cancellation, ["Observation"]), "Measurements, which the consent does not cover, opened at B");
            notes.Say("another category: refused (403)");
            if (hospitals.All.Count > 2)
            {
                await RefusedAsync(people.AskAsync(2, cancellation), "The record opened at C, which the patient never named");
                notes.Say("another hospital: refused (403)");
            }
        });
        await teller.StepAsync("revoke", "The patient revokes", async notes =>
        {
            StepNotes.Require((await people.Patient.AskAsync(HttpMethod.Delete, $"/api/consents/{people.Consent}", (object?)null, cancellation)).IsSuccess, "The consent could not be revoked.");
            await RefusedAsync(people.AskAsync(1, cancellation), "The first read after the revocation was let through");
            notes.Say("the first read after the revocation: refused (403)");
        });
        if (hospitals.All.Count > 2)
        {
            await teller.StepAsync("expel", "The others expel hospital C, and nothing opens to it though the patient consents", notes => people.ExpelAsync(hospitals, notes, cancellation));
        }
        await teller.StepAsync("accesses", "The patient sees each try, by whom and of which hospital", notes => people.AccessesAsync(notes, cancellation));
    }

    static async Task KnownAsync(Hospitals hospitals, ConsortiumPeople people, StepNotes notes, CancellationToken cancellation)
    {
        foreach (var doctor in people.Doctors)
        {
            await DemoWorld.UntilAsync(async () => (await doctor.GetAsync<List<MemberAnswer>>("/api/members", cancellation)) is { } members
                && members.Count == hospitals.All.Count && members.All(member => member is { LogKey: not null, WitnessKey: not null }) ? members : null,
                WaitSecondsMax, "not every hospital knows the others' keys", cancellation);
        }
        var known = await people.Doctors[0].GetAsync<List<MemberAnswer>>("/api/members", cancellation);
        foreach (var member in known)
        {
            notes.Say($"member {member.Id}: {member.Title} ({member.Name}) at {member.Endpoint}");
        }
        notes.Set("members", known.Select(member => member.Name).ToList());
    }

    static async Task ReadAsync(ConsortiumPeople people, StepNotes notes, CancellationToken cancellation)
    {
        var found = await DemoWorld.UntilAsync(async () =>
        {
            var answer = await people.AskAsync(1, cancellation);
            StepNotes.Require(answer.IsSuccess, $"The read was refused: {answer.Reason}");
            var given = answer.Read<ForeignAnswer>();
            return given.Count > 0 && given.Proofs.GetValueOrDefault("anchored") == given.Count ? given : null;
        }, WaitSecondsMax, "what came was not anchored and verified", cancellation);
        notes.Say($"{found.Count} records held by {found.Holder}, each proven by its log and by B's own view of the chain");
        notes.Remark(string.Join(", ", found.Records.GroupBy(record => record.Type).Select(group => $"{group.Count()} {group.Key}")));
        notes.Set("records", found.Count);
        notes.Set("heldBy", found.Holder);
    }

    static Task RefusedAsync(Task<Answer> asked, string otherwise) => PeopleSteps.RequireAsync(asked, HttpStatusCode.Forbidden, otherwise);
}
