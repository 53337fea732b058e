namespace Salus.Fhir.Resources;

/// <summary>A model's prediction, as RiskAssessment.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Outcome">What is predicted.</param>
/// <param name="Probability">From 0 to 1.</param>
/// <param name="Model">The model's name.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Occurrence">When it was predicted.</param>
/// <param name="Explanation">What moved the prediction, in words.</param>
/// <param name="Basis">References to what it was made from.</param>
public sealed record PredictionRecord(
    string? Id, string Subject, Coding Outcome, decimal Probability, string Model, string ModelVersion, DateTimeOffset Occurrence,
    string? Explanation = null, IReadOnlyList<string>? Basis = null)
{
    /// <summary>The system that names models: a method's code is <c>name/version</c>.</summary>
    public const string ModelSystem = "https://salus.health/fhir/CodeSystem/model";

    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("RiskAssessment", Id, json =>
    {
        json.Text("status", "final");
        json.Concept("method", new Coding(ModelSystem, $"{Model}/{ModelVersion}"), $"{Model} {ModelVersion}");
        json.Reference("subject", Subject);
        json.Moment("occurrenceDateTime", Occurrence);
        json.References("basis", Basis ?? []);
        json.Objects("prediction", [Outcome], outcome =>
        {
            json.Concept("outcome", outcome, outcome.Display);
            json.Json.WriteNumber("probabilityDecimal", Probability);
        });
        json.Note(Explanation);
    });
}
