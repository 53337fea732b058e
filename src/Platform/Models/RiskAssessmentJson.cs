using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Recipes;
using Salus.Platform.Records;

namespace Salus.Platform.Models;

/// <summary>RiskAssessment (FHIR R4) of a prediction, and back. FHIR writes a decimal probability as a percentage.</summary>
static class RiskAssessmentJson
{
    const string ModelSystem = "https://salus.health/fhir/model";
    const string EvidenceUrl = "https://salus.health/fhir/StructureDefinition/prediction-evidence";
    const string ScaleUrl = "https://salus.health/fhir/StructureDefinition/prediction-scale";
    const string LearnedUrl = "https://salus.health/fhir/StructureDefinition/prediction-of-what-was-learned";
    const string LogOdds = "log-odds";
    const string RecipeSystem = "https://salus.health/fhir/recipe";
    const string ReasonUrl = "https://salus.health/fhir/StructureDefinition/prediction-reason";

    static readonly string[] Labels = ["abnormal", "normal", PredictionView.AtRisk, PredictionView.NotAtRisk];

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
            ["outcome"] = Outcome(prediction.Recipe, prediction.Label),
            ["probabilityDecimal"] = Percentage(prediction.Probability),
            ["rationale"] = Rationale(prediction),
        };
        // Of many classes the likeliest stands first, with what spoke for it; then the others.
        var others = prediction.Classes.Skip(1).Select(other => (JsonNode)new JsonObject { ["outcome"] = Outcome(prediction.Recipe, other.Class), ["probabilityDecimal"] = Percentage(other.Probability) });
        var extensions = reasons.ToList();
        if (prediction.Evidence is { } evidence)
        {
            extensions.Add(Evidence(evidence));
        }
        if (prediction.Scale != ExplanationScale.Probability)
        {
            extensions.Add(new JsonObject { ["url"] = ScaleUrl, ["valueCode"] = LogOdds });
        }
        if (prediction.IsLearned)
        {
            extensions.Add(new JsonObject { ["url"] = LearnedUrl, ["valueBoolean"] = true });
        }
        if (extensions.Count > 0)
        {
            outcome["extension"] = new JsonArray([.. extensions]);
        }
        var json = new JsonObject
        {
            ["resourceType"] = "RiskAssessment",
            ["status"] = "final",
            ["method"] = new JsonObject
            {
                ["coding"] = new JsonArray(new JsonObject { ["system"] = ModelSystem, ["code"] = prediction.Model }),
                ["text"] = $"{prediction.Figures?.Card.Kind ?? "a model"} of Salus, model Library/{prediction.Model}, SHA-256 {prediction.Figures?.Hash}",
            },
            ["subject"] = new JsonObject { ["reference"] = $"Patient/{prediction.Patient}" },
            ["occurrenceDateTime"] = prediction.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
            ["basis"] = new JsonArray([.. prediction.Basis.Select(reference => (JsonNode)new JsonObject { ["reference"] = reference })]),
            ["prediction"] = new JsonArray([outcome, .. others]),
            ["note"] = new JsonArray(new JsonObject
            {
                ["text"] = $"Judged {prediction.Label} by a statistical model; an aid to a doctor, not a diagnosis.{(prediction.IsLearned ? " The model may have learned from this very encounter: its probability says little here." : "")}{Figures(prediction.Figures)}",
            }),
        };
        if (prediction.Encounter.Length > 0)
        {
            json["encounter"] = new JsonObject { ["reference"] = $"Encounter/{prediction.Encounter}" };
        }
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
        JsonElement[] extensions = outcome.TryGetProperty("extension", out var several) ? [.. several.EnumerateArray()] : [];
        var note = json.GetProperty("note")[0].GetProperty("text").GetString()!;
        var recipe = outcome.GetProperty("outcome").GetProperty("coding").EnumerateArray().Select(coding => RecipeOf(coding)).OfType<string>().FirstOrDefault() ?? ModelSummary.Condition;
        ClassProbability[] classes = RecipeBook.Find(recipe) is { HasManyClasses: true } ? [.. json.GetProperty("prediction").EnumerateArray().Select(ClassOf)] : [];
        return new PredictionView(
            record.Id,
            record.Patient!,
            json.TryGetProperty("encounter", out var encounter) ? encounter.GetProperty("reference").GetString()!["Encounter/".Length..] : "",
            json.GetProperty("occurrenceDateTime").GetDateTimeOffset(),
            outcome.GetProperty("probabilityDecimal").GetDouble() / 100,
            extensions.Where(extension => IsOf(extension, EvidenceUrl)).Select(ReadEvidence).SingleOrDefault(),
            classes.Length > 0 ? classes[0].Class : Labels.FirstOrDefault(label => note.StartsWith($"Judged {label} by", StringComparison.Ordinal)) ?? "normal",
            extensions.Any(extension => IsOf(extension, ScaleUrl)) ? ExplanationScale.LogOdds : ExplanationScale.Probability,
            [.. extensions.Where(extension => IsOf(extension, ReasonUrl)).Select(Reason)],
            [.. json.GetProperty("basis").EnumerateArray().Select(reference => reference.GetProperty("reference").GetString()!)],
            codings[0].GetProperty("code").GetString()!,
            null,
            new Anchoring.ProofView("pending"),
            extensions.Any(extension => IsOf(extension, LearnedUrl)))
        {
            Recipe = recipe,
            Classes = classes,
        };
    }

    static decimal Percentage(double probability) => Rounded(probability * 100, 4);

    static ClassProbability ClassOf(JsonElement prediction) => new(prediction.GetProperty("outcome").GetProperty("text").GetString()!, prediction.GetProperty("probabilityDecimal").GetDouble() / 100);

    /// <summary>What is predicted, by its codes; which recipe it was is told by a code of Salus beside them.</summary>
    static JsonObject Outcome(string recipe, string label)
    {
        if (recipe == ModelSummary.Condition || RecipeBook.Find(recipe) is not { } known)
        {
            return new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = RecordsDesk.AssessmentSystem, ["code"] = "abnormal" }) };
        }
        var codings = known.Outcome.Codes.Select(code => (JsonNode)new JsonObject { ["system"] = code.System, ["code"] = code.Code, ["display"] = code.Display })
            .Append(new JsonObject { ["system"] = RecipeSystem, ["code"] = recipe });
        if (known.Outcome.ClassSystem is { } classes)
        {
            codings = codings.Prepend(new JsonObject { ["system"] = classes, ["code"] = Code(label), ["display"] = label });
        }
        return new JsonObject { ["coding"] = new JsonArray([.. codings]), ["text"] = known.HasManyClasses ? label : known.Outcome.Text };
    }

    // A code has no space at its ends, and no two together.
    static string Code(string label) => string.Join(' ', label.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    static string? RecipeOf(JsonElement coding) =>
        coding.TryGetProperty("system", out var system) && system.GetString() == RecipeSystem ? coding.GetProperty("code").GetString() : null;

    static bool IsOf(JsonElement extension, string url) => extension.GetProperty("url").GetString() == url;

    static JsonObject Evidence(ObservedShare evidence)
    {
        static JsonObject Part(string name, double value) => new() { ["url"] = name, ["valueDecimal"] = Rounded(value, 6) };
        return new JsonObject
        {
            ["url"] = EvidenceUrl,
            ["extension"] = new JsonArray(
                Part("from", evidence.From), Part("to", evidence.To), new JsonObject { ["url"] = "rows", ["valueInteger"] = evidence.Rows },
                Part("share", evidence.Share.Estimate), Part("low", evidence.Share.Low), Part("high", evidence.Share.High)),
        };
    }

    static ObservedShare ReadEvidence(JsonElement extension)
    {
        var parts = extension.GetProperty("extension");
        double Part(int index) => parts[index].GetProperty("valueDecimal").GetDouble();
        return new ObservedShare(Part(0), Part(1), parts[2].GetProperty("valueInteger").GetInt32(), new Interval(Part(3), Part(4), Part(5)));
    }

    static PredictionReason Reason(JsonElement extension)
    {
        var parts = extension.GetProperty("extension");
        return new PredictionReason(parts[0].GetProperty("valueString").GetString()!, parts[1].GetProperty("valueString").GetString()!, parts[2].GetProperty("valueDecimal").GetDouble());
    }

    static string Rationale(PredictionView prediction) => prediction.Reasons.Count == 0
        ? "No word or value moved the probability."
        : string.Join("; ", prediction.Reasons.Select(reason => $"{reason.Description} ({Share(prediction.Scale, reason.Share)})"));

    static string Share(ExplanationScale scale, double share) => scale == ExplanationScale.Probability ? $"{share * 100:+0.0;-0.0} points" : $"{share:+0.00;-0.00} log odds";

    static string Figures(ModelSummary? figures) => figures is null ? "" :
        $" Cross-validated on {figures.RowsInWords}: accuracy {figures.Card.Evaluation.Accuracy.Estimate:0.000} ({figures.Card.Evaluation.Accuracy.Low:0.000} to {figures.Card.Evaluation.Accuracy.High:0.000}), always saying the more frequent label {figures.Card.Evaluation.Majority:0.000}.";

    static decimal Rounded(double value, int places) => Math.Round((decimal)value, places);
}
