using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Salus.Tests.Engines;

public sealed class KilledNodeTests : IDisposable
{
    const string Email = "zebedee@example.org";
    const string Password = "harbour violet tractor";

    readonly string folder = Directory.CreateTempSubdirectory("salus-test-").FullName;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_node_killed_without_warning_takes_its_engines_along_and_the_next_has_all_that_was_acknowledged()
    {
        List<int> engines;
        await using (var killed = await ServingNode.StartAsync(folder))
        {
            engines = killed.Engines();
            Assert.Equal(2, engines.Count);
            using var signedUp = await killed.Http.PostAsJsonAsync(
                "/api/sign-up", new { email = Email, displayName = "Zebedee Quillfeather", password = Password, role = "Patient" }, Cancellation);
            Assert.Equal(HttpStatusCode.Created, signedUp.StatusCode);
            killed.Process.Kill();
            await EmbeddedChainTests.WaitUntilAsync(() => !engines.Exists(IsAlive));
        }

        await using var next = await ServingNode.StartAsync(folder);
        using var signedIn = await next.Http.PostAsJsonAsync("/api/token", new { email = Email, password = Password }, Cancellation);
        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
        var token = (await signedIn.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("accessToken").GetString();
        next.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        while (await next.Http.GetFromJsonAsync<JsonElement>("/api/account/registration", Cancellation) is var registration
            && registration.GetProperty("state").GetString() != "Durable")
        {
            await Task.Delay(50, Cancellation);
        }
    }

    [Fact]
    public async Task A_node_whose_engine_stays_down_stops_with_one_line_that_says_so()
    {
        await using var node = await ServingNode.StartAsync(folder);
        File.Delete(Path.Combine(folder, "data", "postgres", "cluster", "PG_VERSION"));
        using (var postgres = Process.GetProcessById(node.Engines().Single(pid => NameOf(pid) == "postgres")))
        {
            postgres.Kill();
        }

        var line = await node.LastLineAsync();
        Assert.Equal("refused", line.GetProperty("event").GetString());
        Assert.StartsWith("PostgreSQL ended", line.GetProperty("reason").GetString());
        Assert.Equal(1, node.Process.ExitCode);
    }

    // An orphan that nobody has collected yet is dead all the same.
    static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }

    static string NameOf(int pid) => File.ReadAllText($"/proc/{pid}/comm").Trim();

    /// <summary>The host's own program, as a launcher starts it.</summary>
    sealed class ServingNode : IAsyncDisposable
    {
        ServingNode(Process process, Uri address) => (Process, Http) = (process, new HttpClient { BaseAddress = address });

        public Process Process { get; }

        public HttpClient Http { get; }

        public static async Task<ServingNode> StartAsync(string folder)
        {
            var process = Process.Start(new ProcessStartInfo("dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "Salus.Host.dll"), "serve", $"--Salus:Data={folder}/data", $"--Salus:Keys={folder}/keys",
                "--Salus:Port=0", "--Salus:DemonstrationPatients=0",
            ]) { RedirectStandardOutput = true })!;
            while (await process.StandardOutput.ReadLineAsync(Cancellation) is { } line)
            {
                var happening = JsonSerializer.Deserialize<JsonElement>(line);
                switch (happening.GetProperty("event").GetString())
                {
                    case "ready": return new ServingNode(process, new Uri(happening.GetProperty("address").GetString()!));
                    case "refused": Assert.Fail(line); break;
                }
            }

            throw new InvalidOperationException("the node ended before it was ready");
        }

        public List<int> Engines() => [.. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), out var pid) ? pid : 0)
            .Where(pid => pid != 0 && ParentOf(pid) == Process.Id && NameOf(pid) is "postgres" or "anvil")];

        public async Task<JsonElement> LastLineAsync()
        {
            var last = "";
            while (await Process.StandardOutput.ReadLineAsync(Cancellation) is { } line)
            {
                last = line;
            }

            await Process.WaitForExitAsync(Cancellation);
            return JsonSerializer.Deserialize<JsonElement>(last);
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            if (!Process.HasExited)
            {
                Process.Kill();
            }

            await Process.WaitForExitAsync(CancellationToken.None);
            await EmbeddedChainTests.WaitUntilAsync(() => Engines().Count == 0);
            Process.Dispose();
        }

        // proc(5): the parent's number is the second field after the name in parentheses.
        static int ParentOf(int pid)
        {
            try
            {
                var stat = File.ReadAllText($"/proc/{pid}/stat");
                return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }
}
