using System.Text.Json;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;
using Salus.Fhir.Xml;

namespace Salus.Tests.Fhir;

/// <summary>Cases of HL7's validator suite, from SALUS_VALIDATOR_CASES or the field data: a verdict is whether a file has errors or not.</summary>
[Trait("Data", "field")]
[Trait("Cases", "validator")]
public sealed class ValidationCasesTests(ITestOutputHelper output)
{
    /// <summary>The cases that are judged otherwise here.</summary>
    static readonly Dictionary<string, string> Exceptions = new()
    {
        ["bad-markdown-no-html"] = "the same file without any flag is valid in another case; what makes it invalid is a setting that the case does not carry",
    };

    [Fact]
    public void Public_validator_cases_are_judged_alike()
    {
        var folder = CaseFolder.Find("SALUS_VALIDATOR_CASES", "validator");
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        var failures = new List<(string Name, string Reason)>();
        var total = 0;
        foreach (var one in cases.RootElement.EnumerateArray())
        {
            total++;
            var name = one.GetProperty("name").GetString()!;
            var isValid = one.GetProperty("expectedErrors").GetInt32() == 0;
            var errors = Judge(Path.Combine(folder, "files", one.GetProperty("file").GetString()!), Options(one));
            if (isValid != (errors.Count == 0))
            {
                failures.Add((name, Exceptions.GetValueOrDefault(name) ?? $"expected {(isValid ? "valid" : "invalid")}: {string.Join(" | ", errors.Take(2))}"));
            }
        }
        Assert.True(total > 0, $"{folder} holds no cases.");
        CaseFolder.Report(output, "validator", total, failures);
        Assert.Empty(failures.Select(failure => failure.Name).Except(Exceptions.Keys));
    }

    /// <summary>The settings that the suite's own runner has, and those that a case asks for.</summary>
    static ValidationOptions Options(JsonElement one)
    {
        var flags = one.TryGetProperty("flags", out var given) ? given : default;
        return new()
        {
            RefusesUnknownExtensions = true,
            RefusesUnknownCodes = true,
            RefusesExampleUrls = Flag(flags, "examples") is "False",
            RefusesMarkupInStrings = Flag(flags, "security-checks") is "True",
            RequiresTargets = Flag(flags, "validateReference")?.StartsWith("CHECK_EXISTS", StringComparison.Ordinal) ?? false,
        };
    }

    static string? Flag(JsonElement flags, string name) =>
        flags.ValueKind == JsonValueKind.Object && flags.TryGetProperty(name, out var value) ? value.ToString() : null;

    static List<FhirIssue> Judge(string file, ValidationOptions options)
    {
        var text = File.ReadAllBytes(file);
        var outcome = file.EndsWith(".xml", StringComparison.Ordinal) ? FhirXml.Read(text, isOrdered: true) : FhirJson.Read(text);
        var issues = outcome switch
        {
            FhirReadOutcome.Ok ok => new Validator(FhirDefinitions.R4, options).Validate(ok.Resource),
            FhirReadOutcome.Refused refused => refused.Issues,
            _ => throw new InvalidOperationException("A reading is accepted or refused."),
        };
        return [.. issues.Where(issue => issue.Severity <= IssueSeverity.Error)];
    }
}
