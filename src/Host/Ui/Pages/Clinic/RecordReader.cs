using System.Text;
using System.Text.Json;
using Salus.Platform.Anchoring;
using Salus.Platform.Records;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>Turns stored resources into lines that a person reads.</summary>
static class RecordReader
{
    const string EmergencyCode = "BTG";

    /// <summary>One record as a line of a timeline; null for the Patient, who is the page's heading.</summary>
    public static TimelineItem? Read(ProvenRecord proven)
    {
        var (record, json) = (proven.Record, JsonElement.Parse(proven.Record.Bytes));
        if (record.Type == "Patient")
        {
            return null;
        }
        var item = new TimelineItem(
            record.Type, record.Id, record.Version, TimelinePart.Other, FhirText.Words(record.Type), Title(json) ?? FhirText.Words(record.Type),
            json.Moment("effectiveDateTime", "effectivePeriod", "onsetDateTime", "performedDateTime", "performedPeriod", "occurrenceDateTime", "period", "started",
                "authoredOn", "recordedDate", "date", "billablePeriod", "whenHandedOver", "startDate", "created", "issued"),
            record.Type == "Encounter" ? record.Id : Encounter(json),
            ProofView.Of(proven.Proof));
        return record.Type switch
        {
            "Encounter" => item with { Part = TimelinePart.Visits, Kind = "Visit", Title = json.Concept("type") ?? Class(json), Facts = Facts(("Reason", json.Concept("reasonCode")), ("Status", Status(json))) },
            "Condition" => Condition(item, json),
            "ClinicalImpression" => Impression(item, json),
            "AllergyIntolerance" => item with { Part = TimelinePart.Conditions, Kind = "Allergy", Facts = Facts(("Criticality", json.Text("criticality")), ("Status", json.Code("clinicalStatus"))) },
            "Observation" => Observation(item, json),
            "DiagnosticReport" => item with { Part = TimelinePart.Results, Kind = "Report", Facts = [.. json.Items("result").Select(result => result.Text("display")).OfType<string>()] },
            "MedicationRequest" => item with { Part = TimelinePart.Medications, Kind = "Prescription", Title = Medication(json) ?? item.Title, Facts = Facts(("Status", Status(json)), ("Dosage", Dosage(json))) },
            "MedicationAdministration" or "MedicationDispense" or "MedicationStatement" =>
                item with { Part = TimelinePart.Medications, Kind = record.Type == "MedicationStatement" ? "Medication taken" : "Medication given", Title = Medication(json) ?? item.Title, Facts = Facts(("Status", Status(json))) },
            "Immunization" => item with { Part = TimelinePart.Medications, Kind = "Vaccination", Title = json.Concept("vaccineCode") ?? item.Title },
            "Procedure" => item with { Part = TimelinePart.Care, Kind = "Procedure", Facts = Facts(("Reason", json.Concept("reasonCode"))) },
            "CarePlan" => CarePlan(item, json),
            "CareTeam" => item with { Part = TimelinePart.Care, Kind = "Care team", Title = json.Concept("category") ?? json.Text("name") ?? item.Title },
            "Goal" => item with { Part = TimelinePart.Care, Kind = "Goal", Title = json.Concept("description") ?? item.Title, Facts = Facts(("Progress", json.Code("achievementStatus")?.Replace('-', ' '))) },
            "DocumentReference" => Document(item, json),
            "ImagingStudy" => Imaging(item, json),
            "RiskAssessment" => Prediction(item, json),
            "Claim" => item with { Part = TimelinePart.Billing, Kind = "Claim", Title = Billed(json) ?? "Claim", Facts = Facts(("Total", json.Money("total"))) },
            "ExplanationOfBenefit" => item with
            {
                Part = TimelinePart.Billing, Kind = "Benefit explained", Title = Billed(json) ?? "Explanation of benefit",
                Facts = Facts(("Total", json.Items("total").Select(total => total.Money("amount")).FirstOrDefault()), ("Paid", json.Member("payment") is { } payment ? payment.Money("amount") : null)),
            },
            "Consent" => item with { Kind = "Consent", Title = json.Code("policyRule") == EmergencyCode ? "Opened in an emergency" : "Access given", Facts = Facts(("Status", Status(json))) },
            "Binary" => item with { Part = TimelinePart.Other, Kind = "File content", Title = json.Text("contentType") ?? "File" },
            _ => item with { Facts = Facts(("Status", Status(json))) },
        };
    }

    /// <summary>The heading of a record.</summary>
    public static PatientHeader Header(string id, IEnumerable<ProvenRecord> records, DateTimeOffset now)
    {
        var patient = records.Where(proven => proven.Record.Type == "Patient").Select(proven => (JsonElement?)JsonElement.Parse(proven.Record.Bytes)).LastOrDefault();
        return patient is { } json ? Header(id, json, now) : new PatientHeader(id, "Name not shared", null, null, null, [], false);
    }

    /// <summary>The heading of a Patient resource.</summary>
    public static PatientHeader Header(string id, JsonElement patient, DateTimeOffset now)
    {
        var names = patient.Items("name").OrderBy(name => name.Text("use") == "official" ? 0 : 1);
        var name = names.Select(one => one.Text("text") ?? string.Join(' ', one.Items("given").Select(given => given.GetString()).Append(one.Text("family")).OfType<string>())).FirstOrDefault();
        var born = patient.Moment("birthDate") is { } moment ? DateOnly.FromDateTime(moment.UtcDateTime) : (DateOnly?)null;
        var died = patient.Moment("deceasedDateTime");
        var day = DateOnly.FromDateTime((died ?? now).UtcDateTime);
        var identifiers = patient.Items("identifier").Where(identifier => identifier.Text("value") is not null).Select(identifier => (
            identifier.Text("system") == RecordsDesk.PatientIdSystem ? "Patient id" : identifier.Concept("type") ?? "Identifier", identifier.Text("value")!)).ToList();
        return new PatientHeader(id, string.IsNullOrWhiteSpace(name) ? "No name recorded" : name, born,
            born is { } birth ? day.Year - birth.Year - (day.DayOfYear < birth.DayOfYear ? 1 : 0) : null,
            patient.Text("gender"), identifiers, died is not null || patient.Member("deceasedBoolean") is { ValueKind: JsonValueKind.True });
    }

    static TimelineItem Condition(TimelineItem item, JsonElement json) => item with
    {
        Part = TimelinePart.Conditions,
        Kind = "Condition",
        Facts = Facts(("Status", json.Code("clinicalStatus")), ("Certainty", json.Code("verificationStatus")), ("Until", json.Moment("abatementDateTime") is { } end ? FhirText.Day(end) : null)),
    };

    static TimelineItem Impression(TimelineItem item, JsonElement json)
    {
        var code = json.Items("finding").Select(finding => finding.Code("itemCodeableConcept", RecordsDesk.AssessmentSystem)).FirstOrDefault(found => found is not null);
        return item with
        {
            Part = TimelinePart.Conditions,
            Kind = "Assessment",
            Title = code switch { "normal" => "Normal", "abnormal" => "Abnormal", "unknown" => "Not yet known", _ => json.Text("summary") ?? json.Text("description") ?? "Clinical impression" },
            Assessment = code,
        };
    }

    static TimelineItem Observation(TimelineItem item, JsonElement json)
    {
        var parts = json.Items("component").Select(component => (Name: component.Concept("code"), Value: component.Value())).Where(part => part.Value is not null).ToList();
        var pressure = VitalSeries.Pressure(json);
        return item with
        {
            Part = TimelinePart.Results,
            Kind = "Measurement",
            Title = pressure is null ? FhirText.Plain(item.Title) : "Blood pressure",
            Value = pressure is { } found ? $"{FhirText.Round(found.Systolic)} / {FhirText.Round(found.Diastolic)} mmHg" : json.Value() ?? string.Join("; ", parts.Select(part => $"{part.Name}: {part.Value}")),
        };
    }

    static TimelineItem CarePlan(TimelineItem item, JsonElement json) => item with
    {
        Part = TimelinePart.Care,
        Kind = "Care plan",
        Title = json.Text("title") ?? json.Concept("category") ?? item.Title,
        Facts =
        [
            .. Facts(("Status", Status(json))),
            .. json.Items("activity").Select(activity => activity.Member("detail") is { } detail ? detail.Concept("code") : null).OfType<string>(),
        ],
    };

    static TimelineItem Document(TimelineItem item, JsonElement json)
    {
        var attachment = json.Items("content").Select(content => content.Member("attachment")).FirstOrDefault(found => found is not null) ?? default;
        var contentType = attachment.Text("contentType") ?? "application/octet-stream";
        var title = attachment.Text("title") ?? json.Text("description");
        var part = json.Code("type", RecordsDesk.NoteSystem);
        var binary = attachment.Text("url") is { } url && url.StartsWith("Binary/", StringComparison.Ordinal) ? url["Binary/".Length..] : null;
        return item with
        {
            Part = TimelinePart.Documents,
            Kind = binary is null ? "Note" : "File",
            Title = part switch { "symptoms" => "Symptoms", "history" => "Medical history", "findings" => "Examination findings", _ => title ?? json.Concept("type") ?? "Document" },
            Note = binary is null && contentType.StartsWith("text/", StringComparison.Ordinal) && attachment.Text("data") is { } data ? Decoded(data) : null,
            File = binary is null ? null : new TimelineFile(binary, contentType, title ?? "File",
                attachment.Member("size") is { ValueKind: JsonValueKind.Number } size ? size.GetInt64() : null),
        };
    }

    static TimelineItem Imaging(TimelineItem item, JsonElement json) => item with
    {
        Part = TimelinePart.Documents,
        Kind = "Imaging",
        Title = json.Items("series").Select(series =>
            $"{(series.Member("modality") is { } modality ? modality.Text("display") ?? modality.Text("code") : "Images")}{(series.Member("bodySite")?.Text("display") is { } site ? $", {site}" : "")}").FirstOrDefault() ?? "Imaging study",
        Facts = Facts(("Series", json.Member("numberOfSeries")?.ToString()), ("Images", json.Member("numberOfInstances")?.ToString())),
    };

    static TimelineItem Prediction(TimelineItem item, JsonElement json)
    {
        var outcome = json.Items("prediction").FirstOrDefault();
        var probability = outcome.Member("probabilityDecimal") is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : (double?)null;
        return item with
        {
            Part = TimelinePart.Predictions,
            Kind = "Prediction",
            Title = probability is { } share ? $"Abnormal with {FhirText.Round(share)} % probability, says the model" : "Prediction of a model",
            Facts = ["Not a diagnosis."],
        };
    }

    /// <summary>The visit a record names: itself, in its context, or, for a bill, in its first line that names one.</summary>
    static string? Encounter(JsonElement json) =>
        json.Reference("encounter", "Encounter")
            ?? (json.Member("context") is { } context ? context.Reference("encounter", "Encounter") : null)
            ?? json.Items("item").Select(line => line.Reference("encounter", "Encounter")).FirstOrDefault(named => named is not null);

    static string? Title(JsonElement json) => json.Concept("code") ?? json.Concept("type") ?? json.Text("title") ?? json.Text("name") ?? json.Text("description");

    static string Class(JsonElement json) => json.Member("class")?.Text("code") switch
    {
        "AMB" => "Visit to the clinic",
        "EMER" => "Emergency visit",
        "IMP" or "ACUTE" or "NONAC" => "Hospital stay",
        "HH" => "Visit at home",
        "VR" => "Remote visit",
        _ => "Visit",
    };

    static string? Status(JsonElement json) => json.Text("status")?.Replace('-', ' ');

    static string? Medication(JsonElement json) => json.Concept("medicationCodeableConcept") ?? json.Member("medicationReference")?.Text("display");

    static string? Dosage(JsonElement json) => json.Items("dosageInstruction").Select(dosage => dosage.Text("text")).FirstOrDefault();

    static string? Billed(JsonElement json) =>
        json.Items("item").Select(line => line.Concept("productOrService")).FirstOrDefault(words => words is not null);

    static List<string> Facts(params ReadOnlySpan<(string Name, string? Value)> facts)
    {
        List<string> lines = [];
        foreach (var (name, value) in facts)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                lines.Add($"{name}: {value}");
            }
        }
        return lines;
    }

    static string? Decoded(string data)
    {
        var bytes = new byte[data.Length];
        return Convert.TryFromBase64String(data, bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count) : null;
    }
}
