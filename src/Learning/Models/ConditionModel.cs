using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>An encounter with the doctor's recorded assessment, and whose it is.</summary>
public sealed record AssessedEncounter(string PatientId, EncounterFeatures Features, bool IsAbnormal);

/// <summary>What came of training a condition model.</summary>
public abstract record ConditionTraining
{
    ConditionTraining() { }

    /// <summary>The model with its card, and for each encounter the probability that models which had not seen it gave, the mean over repeats.</summary>
    public sealed record Trained(ConditionModel Model, double[] HeldOut) : ConditionTraining;

    /// <summary>The leakage guard found ways in which the card's figures would lie, and nobody has overridden it.</summary>
    public sealed record Guarded(IReadOnlyList<GuardFinding> Findings) : ConditionTraining;

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

    static readonly TabularTask Task = new(Target) { Group = Patient, Positive = "abnormal", Subgroups = [EncounterFeatures.SexColumn, EncounterFeatures.AgeColumn] };

    readonly TrainedModel model;

    ConditionModel(TrainedModel model) => this.model = model;

    /// <summary>The kinds of model that learn from vital signs and notes together, as they are named.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. Learners.Names.Where(name => !Learners.ReadsTextAlone(name))];

    /// <summary>What is to be known of the model.</summary>
    public ModelCard Card => model.Card;

    /// <summary>Cross-validates on the encounters, grouped by patient, then trains on all of them.</summary>
    public static ConditionTraining Train(
        IReadOnlyList<AssessedEncounter> encounters, TableLearner learner, LearningPlan plan, ModelOrigin origin, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if (encounters.Count == 0)
            return new ConditionTraining.Refused("there are no assessed encounters; record assessments first");
        var table = EncounterFeatures.ToTable([.. encounters.Select(encounter => encounter.Features)])
            .With(CategoryColumn.Of(Patient, [.. encounters.Select(encounter => encounter.PatientId)]))
            .With(CategoryColumn.Of(Target, [.. encounters.Select(encounter => encounter.IsAbnormal ? "abnormal" : "normal")]));
        if (TaskRows.Of(table, Task, out var problem, out var mend) is not { } rows)
            return new ConditionTraining.Refused($"{problem}; {mend}");
        return TrainedModel.Train(rows, learner, plan, origin, progress, cancellation) switch
        {
            LearningOutcome.Trained trained => new ConditionTraining.Trained(
                new ConditionModel(trained.Model), [.. encounters.Select((_, row) => trained.HeldOut.Average(repeat => repeat[row][1]))]),
            LearningOutcome.Guarded guarded => new ConditionTraining.Guarded(guarded.Findings),
            LearningOutcome.Refused refused => new ConditionTraining.Refused(refused.Message),
            var other => throw new InvalidOperationException($"training came to {other.GetType().Name}"),
        };
    }

    /// <summary>Judges each encounter (class 1 is an abnormal assessment), with the words and values that spoke for and against it.</summary>
    public IReadOnlyList<Judgement> Judge(IReadOnlyList<EncounterFeatures> encounters, int reasonsMax = 8) =>
        model.Judge(EncounterFeatures.ToTable(encounters), reasonsMax);

    /// <summary>How far the encounters' vital signs, ages and sexes have moved from those that the model was trained on, the most moved first.</summary>
    public IReadOnlyList<InputDrift> Drift(IReadOnlyList<EncounterFeatures> encounters) => InputProfile.Compare(Card.Inputs, Card.Rows, EncounterFeatures.ToTable(encounters));

    /// <summary>Writes the model with its card.</summary>
    public void Write(Stream stream) => model.Write(stream);

    /// <summary>The bytes that <see cref="Write"/> writes.</summary>
    public byte[] ToBytes() => model.ToBytes();

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ConditionModel? model, [NotNullWhen(false)] out string? refusal)
    {
        model = null;
        if (!TrainedModel.TryRead(bytes, out var read, out refusal))
            return false;
        var known = EncounterFeatures.ToTable([]);
        if (read.Card.Target != Target || read.Card.Classes is not [_, "abnormal"] || read.Columns.Any(column => known.Find(column.Key)?.Kind != column.Value))
        {
            refusal = $"this is no condition model: it predicts '{read.Card.Target}' from {string.Join(", ", read.Columns.Keys)}";
            return false;
        }
        model = new ConditionModel(read);
        return true;
    }
}
