using System.Diagnostics;
using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Clients;

/// <summary>Clients that others wrote drive a running node, as their users would.</summary>
[Collection(SharedNode.Journeys)]
public sealed class ClientTests(SharedNode shared)
{
    [Fact]
    public async Task Fhir_kit_client_creates_searches_pages_patches_and_transacts()
    {
        var found = await RunAsync("fhir-kit-client.mjs");
        Require(found, """
            {"version":"4.0.1","created":5,"total":5,"pages":3,"names":"ABCDE","byPost":5,"patched":"2","stale":412,"updated":true,"history":["Updated","Patched","A"],"first":true,"deleted":410,"unknown":400,
             "transaction":"201,201,200","children":1,"twice":422,"twiceLeft":0,"atOnce":100,"once":1,"onceLeft":1,"patient":true,"included":true,"everything":true,"validated":"error"}
            """);
    }

    [Fact]
    public async Task Medplum_creates_searches_pages_patches_and_transacts()
    {
        var found = await RunAsync("medplum.mjs");
        Require(found, """
            {"created":5,"total":5,"pages":["ED","CB","A"],"whole":5,"patched":"2","untrue":"conflict","upserted":true,"updated":"4","history":["Updated","Upserted","Patched","A"],"first":true,
             "deleted":"deleted","unknown":"error","transaction":"201,201","child":true,"twice":"duplicate","twiceLeft":0,"atOnce":100,"once":1,"everything":true,"observations":3}
            """);
    }

    static void Require(JsonElement found, string expected)
    {
        foreach (var step in JsonElement.Parse(expected).EnumerateObject())
        {
            Assert.Equal((step.Name, step.Value.GetRawText()), (step.Name, found.TryGetProperty(step.Name, out var value) ? value.GetRawText() : "nothing"));
        }
    }

    /// <summary>Runs a script with the practitioner's token; it prints one JSON object.</summary>
    async Task<JsonElement> RunAsync(string script)
    {
        var node = await shared.StartedAsync();
        using var anonymous = ApiClient.Anonymous(node);
        var (_, email, password) = node.Account("Practitioner");
        var token = (await anonymous.PostAsync("/api/token", new { email, password })).GetProperty("accessToken").GetString()!;
        string[] arguments = [Path.Combine(Repository.Root, "tests", "SystemTests", "Clients", script), Path.Combine(Repository.Root, "engines"), node.Address, token];
        using var process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{script} ended with {process.ExitCode}: {await errors}");
        return JsonElement.Parse(await output);
    }
}
