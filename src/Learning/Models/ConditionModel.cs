using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>An encounter with the doctor's recorded assessment, and whose it is.</summary>
public sealed record AssessedEncounter(string PatientId, EncounterFeatures Features, bool IsAbnormal);

/// <summary>What came of training a condition model.</summary>
public abstract record ConditionTraining
{
    ConditionTraining() { }

    /// <summary>The model, with its card.</summary>
    public sealed record Trained(ConditionModel Model) : ConditionTraining;

    /// <summary>The encounters or the options cannot train a model.</summary>
    public sealed record Refused(string Message) : ConditionTraining;
}

/// <summary>
/// Says from vital signs, demographics and notes how probable it is that a doctor would assess the encounter as abnormal.
/// Validated with each patient's encounters on one side of every split.
/// </summary>
public sealed class ConditionModel
{
    const string Target = "assessment";
    const string Patient = "patient";

    readonly TabularModel model;

    ConditionModel(TabularModel model) => this.model = model;

    /// <summary>What is to be known of the model.</summary>
    public ModelCard Card => model.Card;

    /// <summary>Cross-validates on the encounters, grouped by patient, then trains on all of them.</summary>
    public static ConditionTraining Train(IReadOnlyList<AssessedEncounter> encounters, TrainingOptions options, ModelOrigin origin, CancellationToken cancellation = default)
    {
        if (encounters.Count == 0)
            return new ConditionTraining.Refused("there are no assessed encounters; record assessments first");
        var table = EncounterFeatures.ToTable([.. encounters.Select(encounter => encounter.Features)])
            .With(CategoryColumn.Of(Patient, [.. encounters.Select(encounter => encounter.PatientId)]))
            .With(CategoryColumn.Of(Target, [.. encounters.Select(encounter => encounter.IsAbnormal ? "abnormal" : "normal")]));
        return TabularModel.Train(table, new TabularTask(Target) { Group = Patient }, options, origin, cancellation) switch
        {
            TrainingOutcome.Trained trained => new ConditionTraining.Trained(new ConditionModel(trained.Model)),
            TrainingOutcome.Refused refused => new ConditionTraining.Refused(refused.Message),
            var other => throw new InvalidOperationException($"training came to {other.GetType().Name}"),
        };
    }

    /// <summary>The probability of an abnormal assessment, with the words and values that spoke for and against it.</summary>
    public Prediction Predict(EncounterFeatures encounter, int reasonsMax = 8) =>
        model.Predict(EncounterFeatures.ToTable([encounter]), reasonsMax)[0];

    /// <summary>Writes the model with its card.</summary>
    public void Write(Stream stream) => model.Write(stream);

    /// <summary>The bytes that <see cref="Write"/> writes.</summary>
    public byte[] ToBytes() => model.ToBytes();

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ConditionModel? model, [NotNullWhen(false)] out string? refusal)
    {
        model = null;
        if (!TabularModel.TryRead(bytes, out var read, out refusal))
            return false;
        var known = EncounterFeatures.ToTable([]);
        if (read.Card.Target != Target || read.Columns.Any(column => known.Find(column.Key)?.Kind != column.Value))
        {
            refusal = $"this is no condition model: it predicts '{read.Card.Target}' from {string.Join(", ", read.Columns.Keys)}";
            return false;
        }
        model = new ConditionModel(read);
        return true;
    }
}
