using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>A doctor with one consenting patient at a node of their own, and a client that writes until it is told to stop.</summary>
sealed class Clinic : IAsyncDisposable
{
    static readonly string[] Categories = ["Conditions", "Results", "Documents"];

    readonly NodeFolders folders = new();
    readonly ConcurrentDictionary<string, int> acknowledged = new();

    RunningNode node = null!;
    ApiClient doctor = null!;
    string patient = "";
    long refused;

    /// <summary>The node's folders.</summary>
    public NodeFolders Folders => folders;

    /// <summary>The node that runs now.</summary>
    public RunningNode Node => node;

    /// <summary>Writes that the node has acknowledged so far.</summary>
    public int Acknowledged => acknowledged.Count;

    /// <summary>Writes that it has refused or not answered.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Starts an empty node and signs patient and doctor in.</summary>
    public static async Task<Clinic> OpenAsync(params string[] settings)
    {
        var clinic = new Clinic();
        try
        {
            clinic.node = await RunningNode.StartAsync(clinic.folders, patients: 0, settings);
            clinic.doctor = await ApiClient.SignInAsync(clinic.node, "Practitioner");
            await clinic.EnrolAsync();
            return clinic;
        }
        catch
        {
            await clinic.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes one measurement after another until the token fires, through every outage.</summary>
    public async Task WriteAsync(CancellationToken stop)
    {
        for (var beats = 40; !stop.IsCancellationRequested; beats = beats < 200 ? beats + 1 : 40)
        {
            try
            {
                var answer = await doctor.AskAsync(HttpMethod.Post, "/fhir/Observation", Observation(beats));
                if (answer.Status == HttpStatusCode.Created)
                {
                    acknowledged[answer.Body.GetProperty("id").GetString()!] = beats;
                    continue;
                }
            }
            catch (HttpRequestException)
            {
                // The node is away: no acknowledgement, so nothing is owed.
            }
            Interlocked.Increment(ref refused);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits for further acknowledged writes.</summary>
    public Task UntilWrittenAsync(int more)
    {
        var wanted = Acknowledged + more;
        return Waiting.UntilAsync(() => Acknowledged >= wanted, $"{more} more acknowledged writes; {Refused} were not acknowledged");
    }

    /// <summary>Uploads a file; its Binary as <c>Binary/id</c>.</summary>
    public async Task<string> UploadAsync(byte[] content, string mediaType)
    {
        var answer = await doctor.AskAsync(HttpMethod.Post, $"/api/files?patient={patient}&title=Letter",
            new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } });
        Assert.True(answer.IsSuccess, $"The upload was refused: {answer.Status} {answer.Body}");
        return answer.Body.GetProperty("binary").GetString()!;
    }

    /// <summary>Starts the node again with the same folders.</summary>
    public async Task StartAgainAsync(params string[] settings)
    {
        doctor.Dispose();
        await node.DisposeAsync();
        node = await RunningNode.StartAsync(folders, patients: 0, settings);
        doctor = await ApiClient.SignInAsync(node, "Practitioner");
    }

    /// <summary>Requires every acknowledged write back as it was sent, and waits until each is anchored.</summary>
    public async Task RequireAllAnchoredAsync()
    {
        Assert.NotEmpty(acknowledged);
        var found = await Waiting.UntilAsync(async () =>
        {
            var asked = await doctor.AskAsync(HttpMethod.Get, $"/api/patients/{patient}/records", null);
            if (asked.Status == System.Net.HttpStatusCode.Forbidden)
            {
                // A grant whose block the killed chain has lost is out of force until it is sent again.
                return null;
            }
            Assert.True(asked.IsSuccess, $"{(int)asked.Status} {asked.Body}");
            var answer = asked.Body;
            Assert.Empty(answer.GetProperty("altered").EnumerateArray());
            var records = answer.GetProperty("records").EnumerateArray().ToList();
            Assert.DoesNotContain(records, record => State(record) == "broken");
            return records.All(record => State(record) == "anchored") ? records : null;
        }, "every record of the patient anchored");
        var beats = found.Where(record => record.GetProperty("type").GetString() == "Observation").ToDictionary(
            record => record.GetProperty("id").GetString()!,
            record => record.GetProperty("resource").GetProperty("valueQuantity").GetProperty("value").GetInt32());
        Assert.All(acknowledged, write => Assert.Equal(write.Value, beats[write.Key]));
    }

    /// <summary>Asks for an export of all that the doctor may read; where its state is told.</summary>
    public async Task<string> AskExportAsync()
    {
        var (answer, text) = await doctor.FetchAsync("/fhir/$export", "respond-async");
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, text);
        return new Uri(answer.Content.Headers.ContentLocation!.ToString()).AbsolutePath;
    }

    /// <summary>Waits until an export has gone through some records, and not yet through all.</summary>
    public Task UntilExportingAsync(string job, int records) => Waiting.UntilAsync(async () =>
    {
        var (answer, _) = await doctor.FetchAsync(job);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, "The export was done before it could be cut off.");
        return int.TryParse(answer.Headers.GetValues("X-Progress").Single().Split(' ')[0], out var count) && count >= records;
    }, $"an export that has gone through {records} records");

    /// <summary>Requires that an export ends, and that its files hold all that was written, and nothing twice.</summary>
    public async Task RequireExportedOnceAsync(string job)
    {
        var manifest = await Waiting.UntilAsync(async () =>
        {
            var (answer, text) = await doctor.FetchAsync(job);
            return answer.StatusCode == HttpStatusCode.OK ? text : null;
        }, "the export to go on and end");
        List<string> names = [];
        foreach (var output in JsonElement.Parse(manifest).GetProperty("output").EnumerateArray())
        {
            var (answer, text) = await doctor.FetchAsync(new Uri(output.GetProperty("url").GetString()!).AbsolutePath);
            Assert.True(answer.IsSuccessStatusCode, text);
            var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(output.GetProperty("count").GetInt32(), lines.Length);
            names.AddRange(lines.Select(line => JsonElement.Parse(line)).Select(line => $"{line.GetProperty("resourceType").GetString()}/{line.GetProperty("id").GetString()}"));
        }
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.Empty(acknowledged.Keys.Select(id => $"Observation/{id}").Except(names));
        var observations = (await doctor.GetAsync("/fhir/Observation?_summary=count")).GetProperty("total").GetInt32();
        Assert.Equal(observations, names.Count(name => name.StartsWith("Observation/", StringComparison.Ordinal)));
    }

    /// <summary>Signs further patients up; a node that ends meanwhile is no fault of theirs.</summary>
    public async Task SignUpAsync(int count)
    {
        try
        {
            for (var number = 0; number < count; number++)
            {
                await doctor.AskAsync(HttpMethod.Post, "/api/sign-up", System.Net.Http.Json.JsonContent.Create(new
                {
                    email = $"{Guid.NewGuid():n}@example.org", displayName = "Zebedee Quillfeather", password = "harbour violet tractor", role = "Patient",
                }));
            }
        }
        catch (HttpRequestException)
        {
            // It has ended.
        }
    }

    /// <summary>Requires that every leaf stands once and in its place, every head extends the last, and the chain has them.</summary>
    public async Task RequireVerifiedAsync()
    {
        var check = await ProgramRun.OfAsync(Repository.Cli, "verify", "--data", folders.Data);
        Assert.True(check.ExitCode == 0, $"{check}");
    }

    public async ValueTask DisposeAsync()
    {
        doctor?.Dispose();
        if (node is not null)
        {
            await node.DisposeAsync();
        }
        folders.Dispose();
    }

    async Task EnrolAsync()
    {
        var recorded = await doctor.PostAsync("/api/conditions", new
        {
            patientId = "K-1", newPatient = new { family = "Kiln", given = "Kay", birthDate = "1970-01-02", sex = "female" }, symptoms = "none", assessment = "Normal",
        });
        patient = recorded.GetProperty("patient").GetString()!;
        var code = (await doctor.PostAsync($"/api/patients/{patient}/enrolment-code", null)).GetProperty("code").GetString();
        using var kay = await ApiClient.SignInAsync(node, "Patient");
        await kay.PostAsync("/api/account/redeem", new { code });
        await kay.PostAsync("/api/consents", new
        {
            grantee = "hospital", categories = Categories, purposes = new[] { "Treatment" }, until = TimeProvider.System.GetUtcNow().AddDays(1),
        });
        await Waiting.UntilAsync(async () => (await doctor.AskAsync(HttpMethod.Get, $"/api/patients/{patient}/records", null)).IsSuccess, "the consent on the chain");
    }

    StringContent Observation(int beats)
    {
        var json = JsonSerializer.Serialize(new
        {
            resourceType = "Observation", status = "final", subject = new { reference = $"Patient/{patient}" },
            code = new { coding = new[] { new { system = "http://loinc.org", code = "8867-4" } } },
            valueQuantity = new { value = beats, unit = "/min", system = "http://unitsofmeasure.org", code = "/min" },
        });
        return new StringContent(json, new MediaTypeHeaderValue("application/fhir+json"));
    }

    static string? State(JsonElement record) => record.GetProperty("proof").GetProperty("state").GetString();
}
