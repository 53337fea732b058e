using Salus.Learning.Estimators;
using Salus.Learning.Linear;
using Salus.Learning.Tables;
using Salus.Learning.Text;

namespace Salus.Learning.Models;

/// <summary>How a classifier is learned from a table: preparation and estimator together, so that both see the training rows only.</summary>
public abstract record TableLearner
{
    /// <summary>The kind of model as it is named on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>How the table becomes numbers.</summary>
    public required PreparationOptions Preparation { get; init; }

    /// <summary>The options that a model card keeps, by name.</summary>
    public abstract IReadOnlyDictionary<string, string> Options { get; }

    /// <summary>What is wrong with the options and the mend, or null.</summary>
    public virtual string? Objection() => Preparation.Terms?.Objection();

    /// <summary>Learns from rows with labels in [0, <paramref name="classes"/>). The same seed gives the same bits. Throws ArgumentException with the mend where the rows cannot train.</summary>
    public abstract TableClassifier Fit(Table training, int[] labels, int classes, ulong seed, CancellationToken cancellation = default);
}

/// <summary>Trees, or any other learner over columns.</summary>
public sealed record ColumnLearner(IClassifierLearner Learner) : TableLearner
{
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => OptionText.Of(Learner);

    /// <inheritdoc/>
    public override TableClassifier Fit(Table training, int[] labels, int classes, ulong seed, CancellationToken cancellation = default)
    {
        var prepared = Tables.Preparation.Fit(training, Preparation);
        return new TableClassifier(prepared, Learner.Fit(prepared.Transform(training), labels, classes, seed, cancellation));
    }
}

/// <summary>Logistic regression over sparse rows.</summary>
public sealed record LogisticLearner(LogisticOptions Logistic) : TableLearner
{
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => OptionText.Of(Logistic);

    /// <inheritdoc/>
    public override string? Objection() => Logistic.Objection() ?? base.Objection();

    /// <inheritdoc/>
    public override TableClassifier Fit(Table training, int[] labels, int classes, ulong seed, CancellationToken cancellation = default)
    {
        var (prepared, rows) = Tables.Preparation.FitSparse(training, Preparation);
        return new TableClassifier(prepared, LogisticRegression.Fit(rows, labels, classes, Logistic with { Seed = seed }), rows.Moments().Means);
    }
}

/// <summary>A linear one-versus-rest classifier over sparse rows.</summary>
public sealed record OneVersusRestLearner(OneVersusRestOptions Linear) : TableLearner
{
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => OptionText.Of(Linear);

    /// <inheritdoc/>
    public override string? Objection() => Linear.Objection() ?? base.Objection();

    /// <inheritdoc/>
    public override TableClassifier Fit(Table training, int[] labels, int classes, ulong seed, CancellationToken cancellation = default)
    {
        var (prepared, rows) = Tables.Preparation.FitSparse(training, Preparation);
        return new TableClassifier(prepared, OneVersusRest.Fit(rows, labels, classes, Linear with { Seed = seed }), rows.Moments().Means);
    }
}

/// <summary>Complement naive Bayes over counts of words.</summary>
public sealed record BayesLearner(double Smoothing = 1) : TableLearner
{
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string> { ["Smoothing"] = Smoothing.ToString() };

    /// <inheritdoc/>
    public override TableClassifier Fit(Table training, int[] labels, int classes, ulong seed, CancellationToken cancellation = default)
    {
        var (prepared, rows) = Tables.Preparation.FitSparse(training, Preparation);
        return new TableClassifier(prepared, ComplementNaiveBayes.Fit(rows, labels, classes, Smoothing), rows.Moments().Means);
    }
}
