using System.Runtime.CompilerServices;
using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;
using Salus.Fhir.Xml;

namespace Salus.Tests.Fhir;

/// <summary>Resources written from R4's text, each with the verdict that the text gives it: one a line, in the file beside this one.</summary>
public sealed class ValidationVerdictTests
{
    const int CasesMin = 350;

    /// <summary>As HL7's own suite is run.</summary>
    static readonly Validator Validator = new(FhirDefinitions.R4, new() { RefusesUnknownExtensions = true, RefusesUnknownCodes = true });

    [Fact]
    public void Every_resource_is_judged_as_the_specification_says()
    {
        List<string> wrong = [];
        var count = 0;
        foreach (var parts in File.ReadLines(Own()).Where(line => line.Length > 0).Select(line => line.Split('\t')))
        {
            count++;
            var errors = Judge(parts[2]);
            if ((parts[0] == "valid") != (errors.Count == 0))
            {
                wrong.Add($"{parts[1]}: expected {parts[0]}{string.Concat(errors.Take(1).Select(error => $", not {error.Expression}: {error.Message}"))}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.InRange(count, CasesMin, int.MaxValue);
    }

    [Fact]
    public void A_string_may_have_a_megabyte()
    {
        static string Named(int length) => $$"""{"resourceType":"Patient","name":[{"family":"{{new string('a', length)}}"}]}""";
        Assert.Empty(Judge(Named(1 << 20)));
        Assert.Single(Judge(Named((1 << 20) + 1)));
    }

    static List<FhirIssue> Judge(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var issues = (text.StartsWith('<') ? FhirXml.Read(bytes, isOrdered: true) : FhirJson.Read(bytes)) switch
        {
            FhirReadOutcome.Ok ok => Validator.Validate(ok.Resource),
            FhirReadOutcome.Refused refused => refused.Issues,
            _ => throw new InvalidOperationException("A reading is accepted or refused."),
        };
        return [.. issues.Where(issue => issue.Severity <= IssueSeverity.Error)];
    }

    static string Own([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "cases.txt");
}
