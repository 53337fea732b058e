using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Calibration;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>What came of training.</summary>
public abstract record LearningOutcome
{
    LearningOutcome() { }

    /// <summary>The model with its card, and what models that had not seen a row said of it: by repeat, row and class; null for rows that were never held out.</summary>
    public sealed record Trained(TrainedModel Model, IReadOnlyList<double[][]> HeldOut) : LearningOutcome;

    /// <summary>The leakage guard found ways in which the card's figures would lie, and nobody has overridden it.</summary>
    public sealed record Guarded(IReadOnlyList<GuardFinding> Findings) : LearningOutcome;

    /// <summary>The rows or the options cannot train a model.</summary>
    public sealed record Refused(string Message) : LearningOutcome;
}

/// <summary>What a model is trained for, beyond its learner.</summary>
public sealed record LearningPlan
{
    /// <summary>How it is judged, and the seed.</summary>
    public EvaluationOptions Evaluation { get; init; } = new() { Repeats = 3 };

    /// <summary>How probabilities are mended: "platt", "isotonic", or null for not at all. Learned from held-out predictions.</summary>
    public string? Calibration { get; init; }

    /// <summary>What a false alarm and a missed case cost; the threshold is then chosen by held-out predictions.</summary>
    public (double FalseAlarm, double Missed)? Costs { get; init; }

    /// <summary>Why the guard is overridden.</summary>
    public string? Override { get; init; }
}

/// <summary>One row's prediction by a trained model.</summary>
/// <param name="Class">The class that it comes to, at the card's threshold where there are two.</param>
/// <param name="Probabilities">The probability of each class.</param>
/// <param name="Base">What the explanation starts from.</param>
/// <param name="Scale">What the explanation's parts add up to.</param>
/// <param name="Reasons">The features that moved it most.</param>
public sealed record Judgement(int Class, double[] Probabilities, double Base, ExplanationScale Scale, IReadOnlyList<Contribution> Reasons);

/// <summary>A classifier over a table's columns, with its card.</summary>
public sealed class TrainedModel
{
    const int ImportanceMax = 30;

    internal TrainedModel(ModelCard card, TableClassifier classifier) => (Card, Classifier) = (card, classifier);

    /// <summary>What is to be known of the model.</summary>
    public ModelCard Card { get; }

    /// <summary>Preparation and estimator.</summary>
    public TableClassifier Classifier { get; }

    /// <summary>The columns a table must have, with the kinds to read them as.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Columns => Classifier.Preparation.Columns;

    /// <summary>Evaluates the learner on the rows, then trains on all of them.</summary>
    public static LearningOutcome Train(
        TaskRows rows, TableLearner learner, LearningPlan plan, ModelOrigin origin, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if (rows.Classes.Count != 2 && (plan.Calibration is not null || plan.Costs is not null))
            return new LearningOutcome.Refused("calibration and a threshold by costs need two classes; name the positive value");
        switch (Evaluator.Run(rows, learner, plan.Evaluation with { Calibration = plan.Calibration }, plan.Override, progress, cancellation))
        {
            case EvaluationOutcome.Guarded guarded:
                return new LearningOutcome.Guarded(guarded.Findings);
            case EvaluationOutcome.Refused refused:
                return new LearningOutcome.Refused(refused.Message);
            case EvaluationOutcome.Evaluated evaluated:
                var classifier = learner.Fit(rows.Features, rows.Labels, rows.Classes.Count, plan.Evaluation.Seed, cancellation);
                var (mended, threshold) = Mend(classifier, evaluated, rows, plan);
                return new LearningOutcome.Trained(new TrainedModel(CardOf(rows, learner, plan, origin, mended, evaluated.Report, threshold), mended), evaluated.Probabilities);
            case var other:
                throw new InvalidOperationException($"evaluation came to {other.GetType().Name}");
        }
    }

    static (TableClassifier Classifier, double Threshold) Mend(TableClassifier classifier, EvaluationOutcome.Evaluated evaluated, TaskRows rows, LearningPlan plan)
    {
        if (rows.Classes.Count != 2)
            return (classifier, plan.Evaluation.Threshold);
        // By time, the first part was never judged.
        int[] judged = [.. Enumerable.Range(0, rows.Labels.Length).Where(row => evaluated.Unmended[0][row] is not null)];
        var scores = Array.ConvertAll(judged, row => evaluated.Unmended.Average(repeat => repeat[row][1]));
        var labels = Array.ConvertAll(judged, row => rows.Labels[row]);
        if (plan.Calibration is { } way)
        {
            var calibration = ProbabilityCalibration.Fit(way, scores, labels);
            classifier = classifier.With(calibration);
            scores = Array.ConvertAll(scores, calibration.Apply);
        }
        return (classifier, plan.Costs is var (falseAlarm, missed) ? ThresholdChoice.ByCost(scores, labels, falseAlarm, missed).Threshold : plan.Evaluation.Threshold);
    }

    /// <summary>Why this table cannot be judged, and the mend; null where it can.</summary>
    public string? Objection(Table table) => Classifier.Preparation.Objection(table);

    /// <summary>The probability of each class for every row.</summary>
    public double[][] Probabilities(Table table) => Classifier.Predict(table);

    /// <summary>The class that probabilities come to.</summary>
    public int Decide(double[] probabilities) => probabilities.Length == 2 ? (probabilities[1] >= Card.Threshold ? 1 : 0) : ClassMetrics.Likeliest(probabilities);

    /// <summary>Judges and explains every row: for two classes the positive one, else the class it comes to.</summary>
    public IReadOnlyList<Judgement> Judge(Table table, int reasonsMax = 8)
    {
        var probabilities = Probabilities(table);
        var classes = Array.ConvertAll(probabilities, Decide);
        var explained = new Dictionary<int, IReadOnlyList<RowExplanation>>();
        var judged = new Judgement[probabilities.Length];
        for (var row = 0; row < judged.Length; row++)
        {
            var about = probabilities[row].Length == 2 ? 1 : classes[row];
            if (!explained.TryGetValue(about, out var rows))
                explained.Add(about, rows = reasonsMax == 0 ? [] : Classifier.Explain(table, about, reasonsMax));
            judged[row] = new Judgement(classes[row], probabilities[row], rows.Count == 0 ? double.NaN : rows[row].Base, rows.Count == 0 ? ExplanationScale.Probability : rows[row].Scale, rows.Count == 0 ? [] : rows[row].Reasons);
        }
        return judged;
    }

    /// <summary>Writes the model with its card in a versioned format.</summary>
    public void Write(Stream stream) => ModelFormat.Write(this, stream);

    /// <summary>The bytes that <see cref="Write"/> writes.</summary>
    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        Write(stream);
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TrainedModel? model, [NotNullWhen(false)] out string? refusal) =>
        BoundedReader.TryRead(bytes, ModelFormat.Read, out model, out refusal);

    static ModelCard CardOf(TaskRows rows, TableLearner learner, LearningPlan plan, ModelOrigin origin, TableClassifier classifier, EvaluationReport report, double threshold) => new()
    {
        Name = origin.Name,
        IntendedUse = origin.IntendedUse,
        Kind = learner.Name,
        CreatedAt = origin.CreatedAt,
        DataCommitment = Convert.ToHexStringLower(origin.DataCommitment.Span),
        Target = rows.Task.Target,
        Classes = rows.Classes,
        Rows = rows.Labels.Length,
        Columns = [.. classifier.Preparation.Columns.Keys],
        LeftOut = [.. rows.Task.Apart.Skip(1)],
        Features = classifier.Preparation.Features.Count,
        Options = learner.Options,
        Preparation = OptionText.Of(learner.Preparation),
        Seed = plan.Evaluation.Seed,
        Threshold = threshold,
        Costs = plan.Costs is var (falseAlarm, missed) ? [falseAlarm, missed] : null,
        Calibration = plan.Calibration,
        Evaluation = report,
        Importance = ColumnImportance.Of(classifier, rows, plan.Evaluation.Seed, ImportanceMax),
        Attributions = Attribution.Of(classifier, rows.Features, ImportanceMax),
        Inputs = InputProfile.Of(rows.Features),
    };
}
