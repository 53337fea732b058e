using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Forest;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>What came of training.</summary>
public abstract record TrainingOutcome
{
    TrainingOutcome() { }

    /// <summary>The model, with its card.</summary>
    public sealed record Trained(TabularModel Model) : TrainingOutcome;

    /// <summary>The data or the options cannot train a model.</summary>
    public sealed record Refused(string Problem, string Mend) : TrainingOutcome
    {
        /// <summary>The problem and the mend in one sentence.</summary>
        public string Message => Mend.Length == 0 ? Problem : $"{Problem}; {Mend}";
    }
}

/// <summary>One row's prediction.</summary>
/// <param name="Probability">The probability of the positive value.</param>
/// <param name="IsPositive">Whether it reaches the card's threshold.</param>
/// <param name="Base">The probability before anything of the row is known.</param>
/// <param name="Reasons">The features that moved it most.</param>
public sealed record Prediction(double Probability, bool IsPositive, double Base, IReadOnlyList<Contribution> Reasons);

/// <summary>A random forest over a table's columns, with its preparation and its card.</summary>
public sealed class TabularModel
{
    const int ImportanceMax = 30;

    readonly Preparation preparation;

    internal TabularModel(ModelCard card, Preparation preparation, RandomForest forest)
    {
        Card = card;
        this.preparation = preparation;
        Forest = forest;
    }

    /// <summary>What is to be known of the model.</summary>
    public ModelCard Card { get; }

    /// <summary>The columns a table must have, with the kinds to read them as.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Columns => preparation.Columns;

    /// <summary>The features the forest sees.</summary>
    public IReadOnlyList<Feature> Features => preparation.Features;

    internal RandomForest Forest { get; }

    internal Preparation Preparation => preparation;

    /// <summary>Cross-validates the options on the table, then trains on all of it.</summary>
    public static TrainingOutcome Train(Table table, TabularTask task, TrainingOptions options, ModelOrigin origin, CancellationToken cancellation = default)
    {
        if (options.Objection() is { } objection)
            return new TrainingOutcome.Refused(objection, "");
        if (TaskRows.Of(table, task, out var problem, out var mend) is not { } rows)
            return new TrainingOutcome.Refused(problem, mend);
        if (Folds.Objection(rows.Labels, rows.Groups, options.Validation.Folds) is { } unsplittable)
            return new TrainingOutcome.Refused(unsplittable, "");
        var preparation = Preparation.Fit(rows.Features, options.Preparation);
        if (preparation.Features.Count == 0)
            return new TrainingOutcome.Refused("no feature could be made of the columns", "give columns with values, or texts that share words");
        var report = CrossValidation.Run(rows.Features, rows.Labels, rows.Groups, options.Preparation, options.Forest, options.Validation, cancellation).Report;
        var fit = ForestTrainer.Train(preparation.Transform(rows.Features), rows.Labels, 2, options.Forest with { Importance = true }, cancellation);
        return new TrainingOutcome.Trained(new TabularModel(CardOf(task, rows, options, origin, preparation, report, fit), preparation, fit.Forest));
    }

    /// <summary>Why this table cannot be predicted, and the mend; null where it can.</summary>
    public string? Objection(Table table) => preparation.Objection(table);

    /// <summary>The probability of the positive value for every row.</summary>
    public double[] Probabilities(Table table) => Forest.Predict(preparation.Transform(table), 1);

    /// <summary>Predicts and explains every row.</summary>
    public IReadOnlyList<Prediction> Predict(Table table, int reasonsMax = 8)
    {
        var matrix = preparation.Transform(table);
        var predictions = new Prediction[matrix.RowCount];
        for (var i = 0; i < predictions.Length; i++)
        {
            var row = matrix.Row(i);
            var explanation = Forest.Explain(row, 1);
            predictions[i] = new Prediction(
                explanation.Probability,
                explanation.Probability >= Card.Validation.Threshold,
                explanation.Base,
                explanation.Top(matrix.Features, row, reasonsMax));
        }
        return predictions;
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
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TabularModel? model, [NotNullWhen(false)] out string? refusal) =>
        ModelFormat.TryRead(bytes, out model, out refusal);

    static ModelCard CardOf(TabularTask task, TaskRows rows, TrainingOptions options, ModelOrigin origin, Preparation preparation, CrossValidationReport report, ForestFit fit) => new()
    {
        Name = origin.Name,
        IntendedUse = origin.IntendedUse,
        Kind = "random forest",
        CreatedAt = origin.CreatedAt,
        DataCommitment = Convert.ToHexStringLower(origin.DataCommitment.Span),
        Target = task.Target,
        Positive = rows.Positive,
        Rows = rows.Labels.Length,
        Columns = [.. preparation.Columns.Keys],
        Features = preparation.Features.Count,
        Preparation = options.Preparation,
        // Threads do not change the model, so the card of the same model is the same on any machine.
        Forest = options.Forest with { Threads = 0 },
        Validation = report,
        OutOfBagAccuracy = fit.OutOfBagAccuracy,
        Importance =
        [
            .. fit.Importance!
                .Select((importance, i) => new FeatureImportance(preparation.Features[i].Label, importance))
                .Where(entry => entry.Importance > 0)
                .OrderByDescending(entry => entry.Importance)
                .ThenBy(entry => entry.Feature, StringComparer.Ordinal)
                .Take(ImportanceMax),
        ],
    };
}
