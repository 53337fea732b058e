using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Salus.Cli.Api;
using Salus.Learning.Cohort;

namespace Salus.Cli.Demo;

/// <summary>Records in, and out again with their proofs.</summary>
static class RecordSteps
{
    const int AnchorSecondsMax = 300;
    const decimal GlucoseMilligramsPerMillimole = 18.016m;
    const ulong CohortSeed = 1;

    /// <summary>Bundles from files, a few clients at once.</summary>
    public static async Task ImportAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var imports = new ConcurrentBag<ImportedBundle>();
        var begun = Stopwatch.GetTimestamp();
        await PeopleSteps.InParallelAsync(world.Options.Files, async (file, _) =>
        {
            imports.Add(await BundleImport.SendAsync(world.Doctor, file, cancellation));
            notes.At($"{imports.Count} of {world.Options.Files.Count} files, {imports.Sum(import => import.Records.Count)} resources");
        }, cancellation);
        world.ImportSeconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        foreach (var import in imports.OrderBy(import => import.File, StringComparer.Ordinal))
        {
            Add(world, import);
        }
        var byType = DemoWorld.ByType(imports.SelectMany(import => import.Records));
        world.ImportedResources = byType.Values.Sum();
        StepNotes.Require(world.Patients.Count > 0, "The files hold no Patient; records without one belong to nobody who could consent.");
        notes.Say($"{world.ImportedResources:N0} resources of {world.Patients.Count} patients from {world.Options.Files.Count} files in {world.ImportSeconds:0.0} s: "
            + $"{world.ImportedResources / world.ImportSeconds:0} resources/s with {DemoWorld.Parallel} clients");
        notes.Remark(string.Join(", ", byType.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value:N0} {pair.Key}")));
        notes.Set("files", world.Options.Files.Count);
        notes.Set("resources", world.ImportedResources);
        notes.Set("seconds", Math.Round(world.ImportSeconds, 2));
        notes.Set("resourcesPerSecond", Math.Round(world.ImportedResources / world.ImportSeconds, 1));
        notes.Set("byType", byType);
    }

    /// <summary>The synthetic cohort, entered encounter by encounter as a doctor does.</summary>
    public static async Task EnterAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var cohort = world.Cohort = CohortGenerator.Make(new CohortOptions { Patients = world.Options.Patients, Seed = CohortSeed });
        var entered = new ConcurrentDictionary<int, DemoPatient>();
        var begun = Stopwatch.GetTimestamp();
        var encounters = cohort.Patients.Sum(patient => patient.Encounters.Count);
        var done = 0;
        await PeopleSteps.InParallelAsync(cohort.Patients, async (synthetic, index) =>
        {
            foreach (var encounter in synthetic.Encounters)
            {
                var answer = await world.Doctor.SendAsync<ConditionAnswer>(HttpMethod.Post, "/api/conditions", Entry(synthetic, encounter), cancellation);
                var patient = entered.GetOrAdd(index, _ => new DemoPatient(answer.Patient) { IsOfCohort = true });
                StepNotes.Require(patient.Id == answer.Patient, $"Patient {synthetic.Id} became two: {patient.Id} and {answer.Patient}.");
                patient.Records.AddRange(answer.Records);
                notes.At($"{Interlocked.Increment(ref done)} of {encounters} encounters");
            }
        }, cancellation);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var fresh = entered.OrderBy(pair => pair.Key).Select(pair => pair.Value).ToList();
        world.Patients.AddRange(fresh);
        var byType = DemoWorld.ByType(fresh.SelectMany(patient => patient.Records).Distinct());
        var resources = byType.Values.Sum();
        world.ImportedResources += resources;
        world.ImportSeconds += seconds;
        notes.Say($"{encounters} encounters of {fresh.Count} SYNTHETIC patients (seed {cohort.Seed}; nobody of them exists) became {resources:N0} resources in {seconds:0.0} s: {resources / seconds:0} resources/s");
        notes.Remark(string.Join(", ", byType.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value:N0} {pair.Key}")));
        notes.Set("synthetic", true);
        notes.Set("patients", fresh.Count);
        notes.Set("encounters", encounters);
        notes.Set("resources", resources);
        notes.Set("seconds", Math.Round(seconds, 2));
        notes.Set("byType", byType);
    }

    /// <summary>Everything comes back by patient id, decrypted, with a proof that was verified now.</summary>
    public static async Task RetrieveAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        notes.At("leaves go to the chain");
        await AnchoredAsync(world, cancellation);
        var begun = Stopwatch.GetTimestamp();
        var proven = new ConcurrentDictionary<string, ProofAnswer>();
        var done = 0;
        await PeopleSteps.InParallelAsync(world.Patients, async (patient, _) =>
        {
            foreach (var record in await RetrieveAsync(world, patient, cancellation))
            {
                proven[$"{record.Type}/{record.Id}"] = record.Proof;
            }
            notes.At($"{Interlocked.Increment(ref done)} of {world.Patients.Count} patients, {proven.Count:N0} records");
        }, cancellation);
        var ofPatients = proven.Count;
        // Organisations and practitioners belong to no patient's record: each is read and proven by itself.
        var files = await NodeProofs.OpenAsync(world.Doctor, world.Nobody, cancellation);
        await PeopleSteps.InParallelAsync(world.Shared, async (record, _) => proven[record] = await ProveAsync(files, record, cancellation), cancellation);
        var missing = world.Records.Distinct().Where(record => !proven.ContainsKey(record)).ToList();
        StepNotes.Require(missing.Count == 0, $"{missing.Count} records did not come back, {missing.FirstOrDefault()} among them.");
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var entered = world.Records.Distinct().Count();
        var byType = DemoWorld.ByType(world.Records.Distinct());
        notes.Say($"{entered:N0} of {entered:N0} resources came back decrypted and equal in number for each of {byType.Count} types ({ofPatients:N0} by patient id, {world.Shared.Count} of the directory) in {seconds:0.0} s");
        var sample = proven.First(pair => pair.Value.Transaction is not null);
        notes.Say($"{proven.Count:N0} of {proven.Count:N0} proofs verified now and anchored; one of them: {sample.Key} is leaf {sample.Value.Position} under the head of size {sample.Value.LogSize}, block {sample.Value.Block}, transaction {sample.Value.Transaction![..18]}…");
        notes.Set("retrieved", entered);
        notes.Set("anchored", proven.Count);
        notes.Set("seconds", Math.Round(seconds, 2));
        notes.Set("byType", byType);
    }

    /// <summary>A file goes in sealed and comes out byte for byte.</summary>
    public static async Task UploadAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var patient = world.Patients[0];
        var pdf = SampleDocument.Pdf("Demonstration document of a synthetic patient. Nobody of that name exists.");
        var path = $"/api/files?patient={patient.Id}&title=Demonstration%20letter";
        var before = Blobs(world).ToHashSet();
        var answer = await world.Doctor.AskAsync(HttpMethod.Post, path, Content(pdf, "application/pdf"), cancellation);
        StepNotes.Require(answer.IsSuccess, $"The PDF was refused: {answer.Reason}");
        var file = answer.Read<FileAnswer>();
        var sealedFile = Blobs(world).Except(before).Single();
        StepNotes.Require(!(await File.ReadAllBytesAsync(sealedFile, cancellation)).AsSpan().StartsWith("%PDF"u8), "The file lies unsealed on the node's disk.");
        var back = await world.Doctor.AskAsync(HttpMethod.Get, $"/fhir/{file.Binary}", (object?)null, cancellation);
        StepNotes.Require(back.IsSuccess && back.MediaType == "application/pdf" && back.Body.AsSpan().SequenceEqual(pdf), "What came back differs from what was uploaded.");
        world.Upload = (file.Binary, sealedFile);
        notes.Say($"a PDF of {file.Length:N0} bytes, sealed to {file.SealedLength:N0} bytes as {file.Binary}, came back byte for byte");
        var lie = await world.Doctor.AskAsync(HttpMethod.Post, path, Content(pdf, "image/png"), cancellation);
        StepNotes.Require(lie.Status == HttpStatusCode.UnprocessableEntity, $"The same bytes called image/png were answered with {(int)lie.Status}.");
        StepNotes.Require(Blobs(world).Count() == before.Count + 1, "Something of the refused file was kept.");
        notes.Say($"the same bytes called image/png were refused and not kept: {lie.Reason}");
        notes.Set("binary", file.Binary);
        notes.Set("bytes", file.Length);
        notes.Set("sealedBytes", file.SealedLength);
    }

    /// <summary>Waits until the chain holds every leaf that stands in the log or waits for its place now.</summary>
    public static async Task AnchoredAsync(DemoWorld world, CancellationToken cancellation)
    {
        var now = await world.Nobody.GetAsync<StatusAnswer>("/api/log/status", cancellation);
        var wanted = now.LogSize + now.PendingLeaves;
        await DemoWorld.UntilAsync(async () =>
            await world.Nobody.GetAsync<StatusAnswer>("/api/log/status", cancellation) is var status && status.AnchoredSize >= wanted ? status : null,
            AnchorSecondsMax, "the chain does not hold every leaf", cancellation);
    }

    static async Task<IReadOnlyList<RecordAnswer>> RetrieveAsync(DemoWorld world, DemoPatient patient, CancellationToken cancellation)
    {
        var found = await DemoWorld.UntilAsync(async () =>
        {
            var answer = await world.Doctor.GetAsync<RetrievalAnswer>($"/api/patients/{patient.Id}/records", cancellation);
            StepNotes.Require(answer.Altered.Count == 0, $"{answer.Altered.Count} records of patient {patient.Id} were altered.");
            if (answer.Records.FirstOrDefault(record => record.Proof.State == "broken") is { } broken)
            {
                throw new CliException($"The proof of {broken.Type}/{broken.Id} is broken: {broken.Proof.Reason}");
            }
            return answer.Proofs.Keys.All(state => state == "anchored") ? answer : null;
        }, AnchorSecondsMax, $"not every record of patient {patient.Id} is anchored", cancellation);
        var expected = DemoWorld.ByType(patient.Records.Distinct());
        var returned = DemoWorld.ByType(found.Records.Where(record => record.Type != "Consent").Select(record => record.Type + "/" + record.Id));
        var differing = expected.Keys.Union(returned.Keys).Where(type => expected.GetValueOrDefault(type) != returned.GetValueOrDefault(type)).ToList();
        StepNotes.Require(differing.Count == 0, $"Of patient {patient.Id}, "
            + string.Join("; ", differing.Select(type => $"{expected.GetValueOrDefault(type)} {type} went in and {returned.GetValueOrDefault(type)} came back")) + ".");
        return found.Records;
    }

    /// <summary>The proof file of one record, its content included, checked here.</summary>
    public static Task<ProofAnswer> ProveAsync(NodeProofs files, string record, CancellationToken cancellation) =>
        DemoWorld.UntilAsync(() => files.CheckAsync(record, cancellation), AnchorSecondsMax, $"{record} is not anchored", cancellation);

    static void Add(DemoWorld world, ImportedBundle import)
    {
        var patients = import.Records.Where(record => record.StartsWith("Patient/", StringComparison.Ordinal)).ToList();
        StepNotes.Require(patients.Count <= 1, $"{import.File} holds {patients.Count} patients; the demonstration takes files of one patient each.");
        var owner = patients is [var only] ? new DemoPatient(only["Patient/".Length..]) : null;
        foreach (var record in import.Records)
        {
            (owner is null || BundleImport.Directory.Contains(record.Split('/')[0]) ? world.Shared : owner.Records).Add(record);
        }
        if (owner is not null)
        {
            world.Patients.Add(owner);
        }
    }

    static IEnumerable<string> Blobs(DemoWorld world)
    {
        var folder = Path.Combine(world.Data, "blobs");
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : [];
    }

    static ByteArrayContent Content(byte[] bytes, string mediaType) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };

    static object Entry(SyntheticPatient patient, SyntheticEncounter encounter)
    {
        var vitals = encounter.Vitals;
        return new
        {
            patientId = patient.Id,
            newPatient = new { family = patient.FamilyName, given = patient.GivenName, birthDate = patient.BirthDate, sex = patient.Sex },
            symptoms = encounter.Symptoms,
            history = encounter.History,
            findings = encounter.Examination,
            vitals = new
            {
                vitals.HeartRate, vitals.SystolicPressure, vitals.DiastolicPressure, vitals.Temperature, vitals.RespiratoryRate, vitals.OxygenSaturation, vitals.BodyMassIndex,
                Glucose = vitals.Glucose is { } glucose ? Math.Round(glucose * GlucoseMilligramsPerMillimole) : (decimal?)null,
            },
            assessment = encounter.AssessedAbnormal ? "Abnormal" : "Normal",
            encounterTime = new DateTimeOffset(encounter.Date.ToDateTime(new TimeOnly(9, 0)), TimeSpan.Zero),
        };
    }
}
