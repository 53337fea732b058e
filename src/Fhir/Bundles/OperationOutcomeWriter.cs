using System.Buffers;
using System.Text.Json;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Bundles;

/// <summary>Writes findings as an OperationOutcome.</summary>
public static class OperationOutcomeWriter
{
    /// <summary>The outcome in UTF-8; no findings become one that says all is well.</summary>
    public static byte[] Write(IReadOnlyList<FhirIssue> issues)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, BundleWriter.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "OperationOutcome"u8);
            json.WriteStartArray("issue"u8);
            foreach (var issue in issues.Count > 0 ? issues : [new FhirIssue(IssueSeverity.Information, "informational", "", "Nothing was found wrong.")])
            {
                WriteIssue(json, issue);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    static void WriteIssue(Utf8JsonWriter json, FhirIssue issue)
    {
        json.WriteStartObject();
        json.WriteString("severity"u8, issue.Severity switch
        {
            IssueSeverity.Fatal => "fatal"u8,
            IssueSeverity.Error => "error"u8,
            IssueSeverity.Warning => "warning"u8,
            _ => "information"u8,
        });
        json.WriteString("code"u8, issue.Code);
        json.WriteString("diagnostics"u8, issue.Line is null ? issue.Message : $"{issue.Message} (line {issue.Line}, column {issue.Column})");
        if (issue.Expression.Length > 0)
        {
            json.WriteStartArray("expression"u8);
            json.WriteStringValue(issue.Expression);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }
}
