using System.Text;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

/// <summary>Resources from text, for tests.</summary>
static class FhirText
{
    public static Resource Read(byte[] utf8) => Assert.IsType<FhirReadOutcome.Ok>(FhirJson.Read(utf8)).Resource;

    public static Resource Read(string json) => Read(Encoding.UTF8.GetBytes(json));

    public static IReadOnlyList<FhirIssue> Validate(string json) => Validator.R4.Validate(Read(json));

    /// <summary>Places and codes of the issues, such as <c>Patient.gender code-invalid</c>.</summary>
    public static IEnumerable<string> Places(string json) => Validate(json).Select(issue => $"{issue.Expression} {issue.Code}");
}
