using System.Collections.Frozen;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Salus.Cli.Api;

/// <summary>What one file became.</summary>
/// <param name="File">The file.</param>
/// <param name="Records">The resources, as Type/id.</param>
public sealed record ImportedBundle(string File, IReadOnlyList<string> Records);

/// <summary>Sends FHIR Bundles to a node.</summary>
static class BundleImport
{
    /// <summary>Types that tell of the hospital, not of a patient.</summary>
    public static readonly FrozenSet<string> Directory =
        ["Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "Endpoint", "Medication", "Device", "Substance", "Questionnaire", "PlanDefinition"];

    /// <summary>The files named, with the JSON files of each folder named.</summary>
    /// <exception cref="CliException">One is not there.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> named)
    {
        List<string> files = [];
        foreach (var name in named)
        {
            if (System.IO.Directory.Exists(name))
            {
                files.AddRange(System.IO.Directory.EnumerateFiles(name, "*.json").Order(StringComparer.Ordinal));
            }
            else
            {
                files.Add(File.Exists(name) ? Path.GetFullPath(name) : throw new CliException($"There is no file {name}."));
            }
        }
        return files;
    }

    /// <summary>Sends one file.</summary>
    /// <exception cref="CliException">The node refuses it; nothing of it was kept.</exception>
    public static async Task<ImportedBundle> SendAsync(NodeClient client, string file, CancellationToken cancellation)
    {
        await using var stream = File.OpenRead(file);
        using var content = new StreamContent(stream) { Headers = { ContentType = new MediaTypeHeaderValue("application/fhir+json") } };
        var answer = await client.AskAsync(HttpMethod.Post, "/fhir", content, cancellation);
        if (!answer.IsSuccess)
        {
            throw new CliException($"{file} was refused, and nothing of it was kept: {answer.Reason}");
        }
        using var response = JsonDocument.Parse(answer.Body);
        return new ImportedBundle(file,
        [
            .. response.RootElement.GetProperty("entry").EnumerateArray().Select(entry =>
            {
                var location = entry.GetProperty("response").GetProperty("location").GetString()!.Split('/');
                return $"{location[0]}/{location[1]}";
            }),
        ]);
    }
}
