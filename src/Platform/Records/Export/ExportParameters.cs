using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Platform.Records.Export;

/// <summary>What a request for an export says, in its address or, sent by POST, in a Parameters resource.</summary>
static partial class ExportParameters
{
    /// <summary>The one format of the files.</summary>
    public const string Ndjson = "application/fhir+ndjson";

    const int FiltersMax = 50;
    const int PatientsMax = 1_000;
    static readonly string[] Formats = [Ndjson, "application/ndjson", "ndjson"];

    /// <summary>The request, or null with what is wrong with it; where the client asked for a lenient reading, what was left out.</summary>
    public static async Task<(ExportRequest? Request, List<FhirIssue> Issues)> ReadAsync(ExportLevel level, string? group, HttpContext context)
    {
        var reading = new Reading(level, FhirRequest.IsLenient(context));
        if (!context.Request.Headers["Prefer"].Any(header => (header ?? "").Split([',', ';'], StringSplitOptions.TrimEntries).Contains("respond-async")))
        {
            reading.Refuse("required", "An export is prepared while you wait elsewhere. Send the header Prefer: respond-async.");
        }
        foreach (var (name, value) in FhirRequest.ParametersOf(context))
        {
            // A plus that was not escaped has become a space
            reading.Take(name, name is "_outputFormat" or "_since" ? value.Replace(' ', '+') : value);
        }
        if (HttpMethods.IsPost(context.Request.Method))
        {
            await TakeBodyAsync(reading, context);
        }
        return reading.Outcome(group, FhirRequest.PurposeOf(context), $"{FhirRequest.BaseOf(context)}{context.Request.Path.Value!["/fhir".Length..]}{context.Request.QueryString}");
    }

    static async Task TakeBodyAsync(Reading reading, HttpContext context)
    {
        if (await FhirRequest.ReadBodyAsync(context) is not { } body)
        {
            reading.Refuse("too-long", $"A body has at most {FhirRequest.BodyBytesMax >> 20} MB.");
            return;
        }
        switch (body.Length == 0 ? null : FhirJson.Read(body))
        {
            case null:
                return;
            case FhirReadOutcome.Ok { Resource: { ResourceType: "Parameters" } parameters }:
                foreach (var part in parameters.Root["parameter"u8].Items)
                {
                    reading.Take(part["name"u8].Text ?? "", ValueOf(part));
                }
                return;
            case FhirReadOutcome.Ok { Resource: var other }:
                reading.Refuse("invalid", $"An operation takes Parameters, not {other.ResourceType}.");
                return;
            case FhirReadOutcome.Refused refused:
                reading.Refuse(refused.Issues);
                return;
            default:
                throw new InvalidOperationException("A reading is accepted or refused.");
        }
    }

    static string ValueOf(Element part)
    {
        foreach (var child in part.Children)
        {
            if (child.NameUtf8.StartsWith("value"u8))
            {
                return child.Text ?? child["reference"u8].Text ?? "";
            }
        }
        return "";
    }

    /// <summary>Filters may stand in one value with commas between them; a comma within one is told by what follows it.</summary>
    [GeneratedRegex(@",(?=[A-Z][A-Za-z]+\?)")]
    private static partial Regex BetweenFilters();

    /// <summary>Takes the parameters one by one.</summary>
    sealed class Reading(ExportLevel level, bool isLenient)
    {
        readonly List<FhirIssue> leftOut = [];
        readonly List<FhirIssue> wrong = [];
        readonly List<TypeFilter> filters = [];
        List<string>? types;
        readonly List<string> elements = [];
        List<string>? patients;
        DateTimeOffset? since;

        public void Refuse(string code, string message) => wrong.Add(new FhirIssue(IssueSeverity.Error, code, "", message));

        public void Refuse(IEnumerable<FhirIssue> issues) => wrong.AddRange(issues);

        public void Take(string name, string value)
        {
            switch (name)
            {
                case "_outputFormat" when Formats.Contains(value):
                    break;
                case "_outputFormat":
                    Refuse("not-supported", $"_outputFormat: '{value}' is not made here; {Ndjson} is.");
                    break;
                case "_since" when FhirTime.TryParse(Encoding.UTF8.GetBytes(value), out var instant):
                    since = instant.Low;
                    break;
                case "_since":
                    Refuse("value", $"_since: '{value}' is no instant, such as 2026-11-21T08:00:00Z.");
                    break;
                case "_type":
                    (types ??= []).AddRange(value.Split(',', StringSplitOptions.TrimEntries));
                    break;
                case "_typeFilter":
                    foreach (var filter in BetweenFilters().Split(value))
                    {
                        TakeFilter(filter);
                    }
                    break;
                case "_elements":
                    elements.AddRange(value.Split(',', StringSplitOptions.TrimEntries));
                    break;
                case "patient" when level != ExportLevel.System:
                    TakePatient(value);
                    break;
                default:
                    (isLenient ? leftOut : wrong).Add(new FhirIssue(isLenient ? IssueSeverity.Warning : IssueSeverity.Error, "not-supported", "",
                        $"{(isLenient ? "Left out: " : "")}$export takes _outputFormat, _since, _type, _typeFilter and _elements, and of patients and groups patient, not '{name}'."));
                    break;
            }
        }

        void TakeFilter(string filter)
        {
            if (filter.Split('?', 2) is not [{ Length: > 0 } type, { Length: > 0 } query])
            {
                Refuse("value", $"_typeFilter: '{filter}' is no search. Write it as one, such as Observation?category=laboratory, and escape it.");
            }
            else if (filters.Count == FiltersMax)
            {
                Refuse("too-costly", $"_typeFilter: more than {FiltersMax} filters. Put several values into one, with commas between them.");
            }
            else
            {
                filters.Add(new TypeFilter(type, query));
            }
        }

        void TakePatient(string reference)
        {
            patients ??= [];
            if (!reference.StartsWith("Patient/", StringComparison.Ordinal) || reference.Length == "Patient/".Length)
            {
                Refuse("value", $"patient: '{reference}' does not name a patient. Write Patient/ and the logical id.");
            }
            else if (patients.Count == PatientsMax)
            {
                Refuse("too-costly", $"patient: more than {PatientsMax} patients. Make a Group of them.");
            }
            else
            {
                patients.Add(reference["Patient/".Length..]);
            }
        }

        public (ExportRequest? Request, List<FhirIssue> Issues) Outcome(string? group, Consent.Purpose purpose, string address)
        {
            if ((types ?? []).Concat(filters.Select(filter => filter.Type)).Where(type => !IsExported(type)).Distinct().ToList() is { Count: > 0 } unknown)
            {
                Refuse("value", $"_type, _typeFilter: {string.Join(", ", unknown)} cannot be exported. Name resource types of R4 other than AuditEvent.");
            }
            if (types is not null && filters.Select(filter => filter.Type).Except(types).ToList() is { Count: > 0 } besides)
            {
                Refuse("value", $"_typeFilter: {string.Join(", ", besides)} is not among the types of _type.");
            }
            if (elements.Where(element => !IsElement(element)).Distinct().ToList() is { Count: > 0 } missing)
            {
                Refuse("value", $"_elements: {string.Join(", ", missing)} is no element of what is exported. Name elements such as Patient.birthDate, or code for all types that have it.");
            }
            return wrong.Count > 0 ? (null, wrong) : (new ExportRequest(level, group, types, since, purpose, address) { Filters = filters, Patients = patients, Elements = elements }, leftOut);
        }

        bool IsElement(string element)
        {
            var parts = element.Split('.');
            return parts switch
            {
                [var name] => (types ?? [.. FhirDefinitions.R4.ResourceTypes.Where(IsExported)]).Any(type => Has(type, name)),
                [var type, var name] => IsExported(type) && (types?.Contains(type) ?? true) && Has(type, name),
                _ => false,
            };

            static bool Has(string type, string name) => FhirDefinitions.R4.Type(type)?.Elements.Any(known => known.Name == name) ?? false;
        }

        static bool IsExported(string type) => type != "AuditEvent" && FhirDefinitions.R4.Type(type) is { Kind: TypeKind.Resource, IsAbstract: false };
    }
}
