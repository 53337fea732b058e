using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Host.Engines;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Host;

/// <summary>
/// No plaintext at rest. Every name, identifier, note, code, e-mail, title and file of the story bears one stem; the stem is looked for wherever the node
/// leaves anything. The search is proven by a second stem, planted in each of these places.
/// </summary>
public sealed class PlaintextTests : IAsyncLifetime
{
    const string Stem = "Zqxvkjhwb";
    const string Planted = "Pjqzxvgkw";

    static readonly PlaintextSearch StorySearch = new(new Needle(Stem), new Needle(Stem.ToLowerInvariant()), new Needle(Stem.ToUpperInvariant()));
    const string PlantedInLog = "Wkvrqzhyd";
    static readonly PlaintextSearch PlantedInLogSearch = new(new Needle(PlantedInLog));
    static readonly PlaintextSearch PlantedSearch = new(new Needle(Planted));

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-plaintext-");
    EmbeddedPostgres postgres = null!;
    TestGround ground = null!;
    TestNode node = null!;

    string PostgresFolder => Path.Combine(folder.FullName, "postgres");

    public async ValueTask InitializeAsync()
    {
        postgres = await EmbeddedPostgres.StartAsync(PostgresFolder, NullLogger.Instance, CancellationToken.None);
        ground = TestGround.On(postgres.ConnectionString, await TestChain.StartAsync());
        node = await TestNode.StartAsync(ground);
    }

    [Fact]
    public async Task Nothing_of_a_story_lies_anywhere_in_the_clear()
    {
        node.Get<ILoggerFactory>().CreateLogger("Salus.Test").Log(LogLevel.Information, new EventId(1), "begins", null, (state, _) => $"The story {state}");
        await LiveAsync();
        await SettleAsync();
        Assert.True(await node.Database.ValueAsync<long>("SELECT count(*) FROM entry") > 20, "the story was told");
        Assert.Empty(await StorySearch.InTablesAsync(node.Database));
        Assert.Empty(StorySearch.InFolder(PostgresFolder));
        Assert.Empty(StorySearch.InFolder(ground.Chain.Folder));
        Assert.Empty(StorySearch.InFolder(ground.Folder));
        Assert.True(new FileInfo(Directory.GetFiles(ground.NodeLogFolder).Single()).Length > 0, "the node has a log");
    }

    [Fact]
    public async Task The_search_finds_what_is_planted_in_each_place_and_in_each_form()
    {
        await node.Database.ExecuteAsync("CREATE TABLE planted (word text, bytes bytea)");
        await node.Database.ExecuteAsync("INSERT INTO planted (word) VALUES ($1)", $"a {Planted} in a text");
        Assert.NotEmpty(await PlantedSearch.InTablesAsync(node.Database));
        foreach (var (name, bytes) in new Needle(Planted).Forms)
        {
            await node.Database.ExecuteAsync("DELETE FROM planted");
            await node.Database.ExecuteAsync("INSERT INTO planted (bytes) VALUES ($1)", (byte[])[7, .. bytes, 9]);
            Assert.True((await PlantedSearch.InTablesAsync(node.Database)).Count == 1, $"{name} is found");
        }
        foreach (var compressed in new[] { Compressed(target => new GZipStream(target, CompressionLevel.Optimal)), Compressed(target => new ZLibStream(target, CompressionLevel.Optimal)) })
        {
            await node.Database.ExecuteAsync("DELETE FROM planted");
            await node.Database.ExecuteAsync("INSERT INTO planted (bytes) VALUES ($1)", (byte[])[1, 2, 3, .. compressed, 4, 5]);
            Assert.Contains("compressed", Assert.Single(await PlantedSearch.InTablesAsync(node.Database)), StringComparison.Ordinal);
        }
        await node.Database.ExecuteAsync("DROP TABLE planted");

        await node.Database.ExecuteAsync("SELECT pg_logical_emit_message(false, 'planted', $1)", Convert.ToBase64String(Encoding.UTF8.GetBytes($"..{PlantedInLog}..")));
        await node.Chain.SendAsync(node.Keys.Chain.Address, Encoding.UTF8.GetBytes($"calldata with {Planted}"), default);
        node.Get<ILoggerFactory>().CreateLogger("Salus.Test").Log(LogLevel.Warning, new EventId(1), Planted, null, (state, _) => $"A line with {state}");
        Directory.CreateDirectory(ground.BlobFolder);
        await File.WriteAllBytesAsync(Path.Combine(ground.BlobFolder, "planted"), Compressed(target => new GZipStream(target, CompressionLevel.Optimal)), TestContext.Current.CancellationToken);
        await SettleAsync();
        Assert.Contains(PlantedInLogSearch.InFolder(PostgresFolder), place => place.Contains("pg_wal", StringComparison.Ordinal) && place.Contains("base64", StringComparison.Ordinal));
        Assert.Contains(PlantedSearch.InFolder(ground.Chain.Folder), place => place.StartsWith("chain.state", StringComparison.Ordinal));
        Assert.Contains(PlantedSearch.InFolder(ground.Folder), place => place.StartsWith("blobs", StringComparison.Ordinal));
        await TestNode.UntilAsync(() => Task.FromResult(PlantedSearch.InFolder(ground.NodeLogFolder).Count > 0), "the log line is written and found");
        Assert.Empty(StorySearch.InFolder(ground.Folder));
    }

    async Task LiveAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var accounts = node.Get<AccountDesk>();
        var doctor = new Caller(Assert.IsType<SignUpOutcome.Created>(await accounts.CreateAsync(
            $"{Stem}.doctor@salus.test", $"Dr {Stem}", "harbour violet tractor", Role.Practitioner, null, cancellation)).Account, Role.Practitioner, null);
        var (patient, _) = await node.RecordAsync(doctor, new ConditionEntry(
            $"MRN-{Stem}", new NewPatient($"{Stem}son", $"Ana{Stem}", new DateOnly(1960, 2, 3), "female"), $"Symptoms of {Stem}", $"History of {Stem}", $"Findings of {Stem}",
            new VitalSigns(HeartRate: 61), Assessment.Abnormal));
        var account = new Caller(Assert.IsType<SignUpOutcome.Created>(await accounts.CreateAsync(
            $"{Stem}.patient@salus.test", $"Ana {Stem}", "harbour violet tractor", Role.Patient, patient, cancellation)).Account, Role.Patient, patient);
        await node.GrantAsync(account, doctor);
        using var client = await node.ClientAsync(doctor);
        var observation = $$"""
            {"resourceType":"Observation","status":"final","code":{"coding":[{"system":"urn:{{Stem}}","code":"{{Stem}}-1"}]},
             "subject":{"reference":"Patient/{{patient}}"},"note":[{"text":"{{new string('x', 3000)}} {{Stem}}"}]}
            """;
        (await PostAsync(client, "/fhir/Observation", observation)).EnsureSuccessStatusCode();
        Assert.Equal(422, (int)(await PostAsync(client, "/fhir/Observation", observation.Replace("final", $"bad {Stem}"))).StatusCode);
        Assert.Equal(400, (int)(await PostAsync(client, "/fhir/Observation", $"{{ \"{Stem}\": ")).StatusCode);
        (await client.GetAsync($"/fhir/Observation?code={Stem}-1", cancellation)).EnsureSuccessStatusCode();
        (await client.GetAsync($"/fhir/Patient?family={Stem}", cancellation)).EnsureSuccessStatusCode();
        Assert.Equal(400, (int)(await client.GetAsync($"/fhir/Patient?{Stem}={Stem}", cancellation)).StatusCode);
        Assert.Equal(patient, await node.Records.FindPatientAsync(doctor, $"MRN-{Stem}", cancellation));
        (await client.GetAsync($"/api/patients/{patient}/records", cancellation)).EnsureSuccessStatusCode();
        Assert.Equal(401, (int)(await PostAsync(client, "/api/token", $$"""{"email":"{{Stem}}@nowhere.test","password":"{{Stem}}"}""", "application/json")).StatusCode);
        using var file = new MemoryStream([.. "%PDF-1.7\n"u8, .. Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{Stem} wrote this. ", 30_000)))]);
        Assert.IsType<FileWriteOutcome.Stored>(await node.Records.UploadAsync(doctor, patient, $"Letter of {Stem}", "application/pdf", file, cancellation));
        using var lie = new MemoryStream(Encoding.UTF8.GetBytes($"{Stem} is no picture"));
        Assert.IsType<FileWriteOutcome.Invalid>(await node.Records.UploadAsync(doctor, patient, $"Scan of {Stem}", "image/png", lie, cancellation));
    }

    /// <summary>Everything anchored, flushed and on disk.</summary>
    async Task SettleAsync()
    {
        await node.WaitUntilAnchoredAsync();
        await node.Database.ExecuteAsync("CHECKPOINT");
        await ground.Chain.SnapshotFilesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await ground.DisposeAsync();
        await postgres.DisposeAsync();
        folder.Delete(recursive: true);
    }

    static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string json, string mediaType = "application/fhir+json")
    {
        using var content = new StringContent(json, new MediaTypeHeaderValue(mediaType));
        return await client.PostAsync(path, content, TestContext.Current.CancellationToken);
    }

    static byte[] Compressed(Func<Stream, Stream> compress)
    {
        var target = new MemoryStream();
        using (var stream = compress(target))
        {
            stream.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{Planted} and {Planted}; ", 50))));
        }
        return target.ToArray();
    }
}
