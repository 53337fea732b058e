using System.Text;

namespace Salus.Platform.Records;

/// <summary>What the FHIR endpoint can do, as FHIR R4 asks it to be said.</summary>
static class CapabilityStatement
{
    public static readonly byte[] Bytes = Encoding.UTF8.GetBytes(
        """
        {"resourceType":"CapabilityStatement","status":"active","date":"2026-11-21","kind":"instance",
        "software":{"name":"Salus"},"implementation":{"description":"A Salus node"},"fhirVersion":"4.0.1","format":["application/fhir+json"],
        "rest":[{"mode":"server",
        "documentation":"Reads need the patient's consent. Create, update, read, vread and search by token, reference and name parameters, on every resource type; transactions that create.",
        "security":{"description":"Bearer tokens from /api/token."},
        "interaction":[{"code":"transaction"}]}]}
        """);
}
