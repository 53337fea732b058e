using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Salus.Fhir.Elements;
using Salus.Fhir.Patch;
using Salus.Fhir.Xml;

namespace Salus.Tests.Fhir;

/// <summary>HL7's cases of FHIRPath Patch (XML) and the cases of RFC 6902 (JSON). SALUS_PATCH_CASES names another folder of the same form than that of the field data.</summary>
[Trait("Data", "field")]
[Trait("Cases", "patch")]
public sealed class PatchSuiteTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_patch_leads_to_what_its_case_says()
    {
        var folder = CaseFolder.Find("SALUS_PATCH_CASES", "patch");
        var results = Directory.GetFiles(folder, "*.xml").Order(StringComparer.Ordinal).SelectMany(FhirCases)
            .Concat(Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).SelectMany(JsonCases)).ToList();
        Assert.True(results.Count > 0, $"{folder} holds no cases.");
        var line = CaseFolder.Report(output, "patch", results.Count, [.. results.Where(result => result.Reason is not null).Select(result => (result.Name, result.Reason!))]);
        Assert.All(results, result => Assert.True(result.Reason is null, $"{line}; {result.Name}: {result.Reason}"));
    }

    static IEnumerable<(string Name, string? Reason)> FhirCases(string file) =>
        XDocument.Load(file, LoadOptions.PreserveWhitespace).Descendants("case").Select(one => (one.Attribute("name")?.Value ?? "unnamed", Judged(() => JudgeFhir(one))));

    static string? Judged(Func<string?> judge)
    {
        try
        {
            return judge();
        }
        catch (Exception bug)
        {
            return $"{bug.GetType().Name}: {bug.Message}";
        }
    }

    static string? JudgeFhir(XElement one)
    {
        var outcome = FhirPathPatch.Apply(Read(one.Element("input")!), Read(one.Element("diff")!));
        if (one.Element("output") is not { } expected)
        {
            return outcome is PatchOutcome.Refused ? null : "was done, though it should be refused";
        }
        return outcome switch
        {
            PatchOutcome.Refused refused => refused.Issue.ToString(),
            PatchOutcome.Ok ok when JsonNode.DeepEquals(JsonNode.Parse(ok.Utf8.Span), JsonNode.Parse(Read(expected).Utf8.Span)) => null,
            PatchOutcome.Ok ok => $"gave {Encoding.UTF8.GetString(ok.Utf8.Span)}",
            _ => throw new InvalidOperationException("A patch is done or refused."),
        };
    }

    static Resource Read(XElement holder) => Assert.IsType<FhirReadOutcome.Ok>(
        FhirXml.Read(Encoding.UTF8.GetBytes(holder.Elements().Single().ToString(SaveOptions.DisableFormatting)))).Resource;

    /// <summary>Cases that are marked as disabled are not run, as the suite asks.</summary>
    static IEnumerable<(string Name, string? Reason)> JsonCases(string file)
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. cases.RootElement.EnumerateArray()
            .Where(one => one.TryGetProperty("patch", out _) && !(one.TryGetProperty("disabled", out var disabled) && disabled.GetBoolean()))
            .Select((one, index) => ($"{Path.GetFileName(file)} {index} {(one.TryGetProperty("comment", out var comment) ? comment.GetString() : "")}", Judged(() => JudgeJson(one))))];
    }

    static string? JudgeJson(JsonElement one)
    {
        var outcome = JsonPatch.Apply(Bytes(one.GetProperty("doc")), Bytes(one.GetProperty("patch")));
        return outcome switch
        {
            PatchOutcome.Refused refused => one.TryGetProperty("error", out _) ? null : refused.Issue.ToString(),
            PatchOutcome.Ok when one.TryGetProperty("error", out _) => "was done, though it should be refused",
            PatchOutcome.Ok ok when !one.TryGetProperty("expected", out var expected) || JsonNode.DeepEquals(JsonNode.Parse(ok.Utf8.Span), JsonNode.Parse(Bytes(expected))) => null,
            PatchOutcome.Ok ok => $"gave {Encoding.UTF8.GetString(ok.Utf8.Span)}",
            _ => throw new InvalidOperationException("A patch is done or refused."),
        };
    }

    static byte[] Bytes(JsonElement json) => Encoding.UTF8.GetBytes(json.GetRawText());
}
