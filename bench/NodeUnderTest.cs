using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Salus.Bench;

/// <summary>A node as a process of its own, in its default configuration, with a practitioner signed in.</summary>
sealed class NodeUnderTest : IAsyncDisposable
{
    readonly Process process;
    readonly HttpClient http;

    NodeUnderTest(Process process, HttpClient http) => (this.process, this.http) = (process, http);

    public int ProcessId => process.Id;

    public static async Task<NodeUnderTest> StartAsync(string folder, params string[] settings)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "Salus.Host.dll"), "serve", $"--Salus:Data={folder}/data", $"--Salus:Keys={folder}/keys", "--Salus:Port=0",
                "--Salus:DemonstrationPatients=0", .. settings,
            ]) { RedirectStandardOutput = true })!;
        var ready = await ReadyAsync(process);
        var http = new HttpClient { BaseAddress = new Uri(ready.GetProperty("address").GetString()!), Timeout = TimeSpan.FromMinutes(5) };
        var node = new NodeUnderTest(process, http);
        var doctor = ready.GetProperty("accounts").EnumerateArray().First(account => account.GetProperty("role").GetString() == "Practitioner");
        var token = await (await http.PostAsJsonAsync("/api/token", new { email = doctor.GetProperty("email").GetString(), password = doctor.GetProperty("password").GetString() }))
            .EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
        return node;
    }

    public async Task ImportAsync(byte[] bundle)
    {
        using var content = new ByteArrayContent(bundle);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        (await http.PostAsync("/fhir", content)).EnsureSuccessStatusCode();
    }

    /// <summary>Creates an organisation; its id when the node has acknowledged it, null when it is away.</summary>
    public async Task<string?> CreateAsync(string name)
    {
        try
        {
            using var content = new StringContent(JsonSerializer.Serialize(new { resourceType = "Organization", name }), new MediaTypeHeaderValue("application/fhir+json"));
            using var answer = await http.PostAsync("/fhir/Organization", content);
            return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString() : null;
        }
        catch (Exception away) when (away is HttpRequestException or IOException)
        {
            return null;
        }
    }

    /// <summary>The name of an organisation; null where there is none.</summary>
    public async Task<string?> NameAsync(string id)
    {
        using var answer = await http.GetAsync($"/fhir/Organization/{id}");
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("name").GetString() : null;
    }

    /// <summary>Asks for what stands under an address of the FHIR endpoint, and reads the answer.</summary>
    public async Task FetchAsync(string path)
    {
        using var answer = await http.GetAsync($"/fhir/{path}");
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>Writes to the FHIR endpoint and requires that it is done; the id of the resource that comes back.</summary>
    public async Task<string?> SendAsync(HttpMethod method, string path, byte[]? body)
    {
        using var request = new HttpRequestMessage(method, $"/fhir/{path}");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/fhir+json") } };
        }
        using var answer = await http.SendAsync(request);
        var bytes = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
        return bytes.Length == 0 ? null : JsonElement.Parse(bytes).GetProperty("id").GetString();
    }

    /// <summary>Waits until the database has done what it does by itself after much was written.</summary>
    public async Task SettledAsync()
    {
        const double idleMax = 0.05;
        double Used() => CpuClock.Read().Under(ProcessId).Postgres;
        for (var (before, quiet) = (Used(), 0); quiet < 4;)
        {
            await Task.Delay(TimeSpan.FromSeconds(3));
            var now = Used();
            quiet = now - before < idleMax * 3 ? quiet + 1 : 0;
            before = now;
        }
    }

    /// <summary>How many resources of a type there are to see.</summary>
    public async Task<int> CountAsync(string type) =>
        (await http.GetFromJsonAsync<JsonElement>($"/fhir/{type}?_summary=count")).GetProperty("total").GetInt32();

    /// <summary>The demonstration's patients, once the consent of each is in force.</summary>
    public async Task<IReadOnlyList<string>> PatientsAsync(int count)
    {
        while (await CountAsync("Patient") < count)
        {
            await Task.Delay(200);
        }
        return [.. (await http.GetFromJsonAsync<JsonElement>($"/fhir/Patient?_count={count}")).GetProperty("entry").EnumerateArray()
            .Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!)];
    }

    /// <summary>The state of log and chain.</summary>
    public Task<JsonElement> StatusAsync() => http.GetFromJsonAsync<JsonElement>("/api/log/status");

    /// <summary>Ends it without a warning, and waits for who was still writing to it.</summary>
    public async Task KillAsync(IEnumerable<Task> writing)
    {
        process.Kill();
        await process.WaitForExitAsync();
        await Task.WhenAll(writing);
        http.Dispose();
        process.Dispose();
    }

    /// <summary>How many leaves the contract knows of; null while some have no place in the log or the newest head is not anchored.</summary>
    public async Task<long?> AnchoredSizeAsync()
    {
        var status = await http.GetFromJsonAsync<JsonElement>("/api/log/status");
        return status.GetProperty("pendingLeaves").GetInt64() == 0 ? status.GetProperty("anchoredSize").GetInt64() : null;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        Process.Start("kill", ["-TERM", process.Id.ToString()]).WaitForExit();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    static async Task<JsonElement> ReadyAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var happening = JsonElement.Parse(line);
            switch (happening.GetProperty("event").GetString())
            {
                case "ready":
                    return happening;
                case "refused":
                    throw new InvalidOperationException(happening.GetProperty("reason").GetString());
            }
        }
        throw new InvalidOperationException("The node ended before it was ready.");
    }
}
