using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Estimators;

/// <summary>What was learned from the rows of a matrix. Safe to use from several threads.</summary>
public interface IEstimator
{
    /// <summary>The magic that its bytes begin with, which tells what can read them.</summary>
    string FormatId { get; }

    /// <summary>The number of values a row must have.</summary>
    int FeatureCount { get; }

    /// <summary>Writes it in its own versioned format; <see cref="EstimatorFormat"/> reads it.</summary>
    void Write(Stream stream);
}

/// <summary>Tells classes apart by their probabilities.</summary>
public interface IClassifier : IEstimator
{
    /// <summary>The number of classes.</summary>
    int ClassCount { get; }

    /// <summary>Writes the probability of each class for one row (NaN where a value is missing); they sum to 1.</summary>
    void Predict(ReadOnlySpan<double> row, Span<double> probabilities);

    /// <summary>The probability of one class for every row of a matrix; the same bits as row by row.</summary>
    double[] Predict(FeatureMatrix matrix, int classIndex);
}

/// <summary>Estimates a number.</summary>
public interface IRegressor : IEstimator
{
    /// <summary>The estimate for one row (NaN where a value is missing).</summary>
    double Predict(ReadOnlySpan<double> row);

    /// <summary>The estimate for every row of a matrix; the same bits as row by row.</summary>
    double[] Predict(FeatureMatrix matrix);
}

/// <summary>Takes a prediction apart into what each feature added.</summary>
public interface IExplained
{
    /// <summary>Explains one output (the class's index; 0 for a regressor) for one row.</summary>
    Explanation Explain(ReadOnlySpan<double> row, int output);
}

/// <summary>How a classifier is learned: the options of one kind of model.</summary>
public interface IClassifierLearner
{
    /// <summary>The kind of model, as a reader would say it.</summary>
    string Kind { get; }

    /// <summary>Why these rows cannot train the model, and the mend; null where they can.</summary>
    string? Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes);

    /// <summary>Learns from rows with labels in [0, <paramref name="classes"/>). The same seed gives the same bits. Throws ArgumentException with the objection.</summary>
    IClassifier Fit(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ulong seed, CancellationToken cancellation = default);
}

/// <summary>How a regressor is learned: the options of one kind of model.</summary>
public interface IRegressorLearner
{
    /// <summary>The kind of model, as a reader would say it.</summary>
    string Kind { get; }

    /// <summary>Why these rows cannot train the model, and the mend; null where they can.</summary>
    string? Objection(FeatureMatrix features, ReadOnlySpan<double> targets);

    /// <summary>Learns from rows with finite targets. The same seed gives the same bits. Throws ArgumentException with the objection.</summary>
    IRegressor Fit(FeatureMatrix features, ReadOnlySpan<double> targets, ulong seed, CancellationToken cancellation = default);
}
