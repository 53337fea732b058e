using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Platform.Records;

namespace Salus.Platform.Models;

/// <summary>RiskAssessment (FHIR R4) of a prediction, and back. FHIR writes a decimal probability as a percentage.</summary>
static class RiskAssessmentJson
{
    const string ModelSystem = "https://salus.health/fhir/model";
    const string ReasonUrl = "https://salus.health/fhir/StructureDefinition/prediction-reason";

    public static byte[] Write(PredictionView prediction)
    {
        var reasons = prediction.Reasons.Select(reason => (JsonNode)new JsonObject
        {
            ["url"] = ReasonUrl,
            ["extension"] = new JsonArray(
                new JsonObject { ["url"] = "feature", ["valueString"] = reason.Feature },
                new JsonObject { ["url"] = "description", ["valueString"] = reason.Description },
                new JsonObject { ["url"] = "share", ["valueDecimal"] = Rounded(reason.Share, 6) }),
        });
        var outcome = new JsonObject
        {
            ["outcome"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = RecordsDesk.AssessmentSystem, ["code"] = "abnormal" }) },
            ["probabilityDecimal"] = Rounded(prediction.Probability * 100, 4),
            ["rationale"] = Rationale(prediction),
        };
        if (prediction.Reasons.Count > 0)
        {
            outcome["extension"] = new JsonArray([.. reasons]);
        }
        var json = new JsonObject
        {
            ["resourceType"] = "RiskAssessment",
            ["status"] = "final",
            ["method"] = new JsonObject
            {
                ["coding"] = new JsonArray(new JsonObject { ["system"] = ModelSystem, ["code"] = prediction.Model }),
                ["text"] = $"Random forest of Salus, model Library/{prediction.Model}",
            },
            ["subject"] = new JsonObject { ["reference"] = $"Patient/{prediction.Patient}" },
            ["encounter"] = new JsonObject { ["reference"] = $"Encounter/{prediction.Encounter}" },
            ["occurrenceDateTime"] = prediction.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
            ["basis"] = new JsonArray([.. prediction.Basis.Select(reference => (JsonNode)new JsonObject { ["reference"] = reference })]),
            ["prediction"] = new JsonArray(outcome),
            ["note"] = new JsonArray(new JsonObject
            {
                ["text"] = $"Judged {prediction.Label} by a statistical model; an aid to a doctor, not a diagnosis.{Figures(prediction.Figures)}",
            }),
        };
        return JsonSerializer.SerializeToUtf8Bytes(json);
    }

    /// <summary>The prediction, without the model's figures and the proof; null for a RiskAssessment that came from elsewhere.</summary>
    public static PredictionView? Read(StoredRecord record)
    {
        var json = JsonElement.Parse(record.Bytes);
        if (!json.TryGetProperty("method", out var method) || !method.TryGetProperty("coding", out var codings)
            || codings[0].GetProperty("system").GetString() != ModelSystem)
        {
            return null;
        }
        var outcome = json.GetProperty("prediction")[0];
        var note = json.GetProperty("note")[0].GetProperty("text").GetString()!;
        return new PredictionView(
            record.Id,
            record.Patient!,
            json.GetProperty("encounter").GetProperty("reference").GetString()!["Encounter/".Length..],
            json.GetProperty("occurrenceDateTime").GetDateTimeOffset(),
            outcome.GetProperty("probabilityDecimal").GetDouble() / 100,
            note.StartsWith("Judged abnormal", StringComparison.Ordinal) ? "abnormal" : "normal",
            outcome.TryGetProperty("extension", out var reasons) ? [.. reasons.EnumerateArray().Select(Reason)] : [],
            [.. json.GetProperty("basis").EnumerateArray().Select(reference => reference.GetProperty("reference").GetString()!)],
            codings[0].GetProperty("code").GetString()!,
            null,
            new Anchoring.ProofView("pending"));
    }

    static PredictionReason Reason(JsonElement extension)
    {
        var parts = extension.GetProperty("extension");
        return new PredictionReason(parts[0].GetProperty("valueString").GetString()!, parts[1].GetProperty("valueString").GetString()!, parts[2].GetProperty("valueDecimal").GetDouble());
    }

    static string Rationale(PredictionView prediction) => prediction.Reasons.Count == 0
        ? "No word or value moved the probability."
        : string.Join("; ", prediction.Reasons.Select(reason => $"{reason.Description} ({reason.Share * 100:+0.0;-0.0} points)"));

    static string Figures(ModelSummary? figures) => figures is null ? "" :
        $" Cross-validated on {figures.Encounters} encounters of {figures.Patients} patients: accuracy {figures.Accuracy.Estimate:0.000} ({figures.Accuracy.Low:0.000} to {figures.Accuracy.High:0.000}), always saying the more frequent label {figures.Majority:0.000}.";

    static decimal Rounded(double value, int places) => Math.Round((decimal)value, places);
}
