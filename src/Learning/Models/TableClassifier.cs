using Salus.Learning.Calibration;
using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Linear;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>A preparation and what was learned from the numbers it makes: a classifier over columns, or a linear one over sparse rows.</summary>
public sealed class TableClassifier
{
    readonly IClassifier? dense;
    readonly LinearClassifier? linear;

    internal TableClassifier(Preparation preparation, IClassifier dense, ProbabilityCalibration? calibration = null)
    {
        (Preparation, this.dense, Calibration) = (preparation, dense, calibration);
        ClassCount = dense.ClassCount;
    }

    internal TableClassifier(Preparation preparation, LinearClassifier linear, double[] typical, ProbabilityCalibration? calibration = null)
    {
        (Preparation, this.linear, Typical, Calibration) = (preparation, linear, typical, calibration);
        ClassCount = linear.ClassCount;
    }

    /// <summary>The number of classes.</summary>
    public int ClassCount { get; }

    /// <summary>How a table becomes numbers.</summary>
    public Preparation Preparation { get; }

    /// <summary>How its probabilities are mended, where there are two classes; null where they are left alone.</summary>
    public ProbabilityCalibration? Calibration { get; }

    /// <summary>Whether it is linear: its explanations are then shares of the sum before the link.</summary>
    public bool IsLinear => linear is not null;

    internal IClassifier? Dense => dense;

    internal LinearClassifier? Linear => linear;

    /// <summary>The mean of each feature over the training rows: what a linear explanation compares with.</summary>
    internal double[] Typical { get; } = [];

    /// <summary>The same model with its probabilities mended.</summary>
    public TableClassifier With(ProbabilityCalibration calibration) =>
        linear is not null ? new TableClassifier(Preparation, linear, Typical, calibration) : new TableClassifier(Preparation, dense!, calibration);

    /// <summary>The probability of each class for each row.</summary>
    public double[][] Predict(Table table)
    {
        var predicted = linear is not null ? linear.Predict(Preparation.TransformSparse(table)) : PredictDense(Preparation.Transform(table));
        if (Calibration is { } calibration)
        {
            foreach (var row in predicted)
            {
                row[1] = calibration.Apply(row[1]);
                row[0] = 1 - row[1];
            }
        }
        return predicted;
    }

    double[][] PredictDense(FeatureMatrix matrix)
    {
        var predicted = new double[matrix.RowCount][];
        if (ClassCount == 2)
        {
            var ones = dense!.Predict(matrix, 1);
            for (var row = 0; row < predicted.Length; row++)
                predicted[row] = [1 - ones[row], ones[row]];
            return predicted;
        }
        Parallel.For(0, (predicted.Length + 63) / 64, block =>
        {
            for (var row = block * 64; row < Math.Min(predicted.Length, (block + 1) * 64); row++)
                dense!.Predict(matrix.Row(row), predicted[row] = new double[ClassCount]);
        });
        return predicted;
    }

    /// <summary>
    /// An explanation of the mended probability: each part takes the share of the mending that the way from the base to the probability gives it
    /// (Aumann and Shapley 1974), so that the parts still add up.
    /// </summary>
    Explanation Mended(Explanation said, int classIndex)
    {
        if (Calibration is null || said.Scale != ExplanationScale.Probability)
            return said;
        var (from, to) = (Mended(said.Base, classIndex), Mended(said.Total, classIndex));
        var stretch = said.Total == said.Base ? 0 : (to - from) / (said.Total - said.Base);
        return new Explanation(from, Array.ConvertAll(said.Contributions, part => part * stretch), to);
    }

    double Mended(double probability, int classIndex) =>
        classIndex == 1 ? Calibration!.Apply(Math.Clamp(probability, 0, 1)) : 1 - Calibration!.Apply(Math.Clamp(1 - probability, 0, 1));

    /// <summary>
    /// What moved each row: for trees, Shapley values; for a linear model, shares of the sum before the link, each feature
    /// compared with its mean over the training rows.
    /// </summary>
    public IReadOnlyList<RowExplanation> Explain(Table table, int classIndex, int reasonsMax)
    {
        if (linear is not null)
            return LinearExplanation.Explain(this, table, classIndex, reasonsMax);
        if (dense is not IExplained explained)
            throw new NotSupportedException($"{dense!.FormatId} explains no single prediction");
        var matrix = Preparation.Transform(table);
        var columns = new ColumnShares(matrix.Features);
        return
        [
            .. Enumerable.Range(0, matrix.RowCount).Select(row =>
            {
                var values = matrix.Row(row);
                var explanation = Mended(explained.Explain(values, classIndex), classIndex);
                return new RowExplanation(explanation.Base, explanation.Scale, columns.Top(table, row, explanation.Contributions, values, reasonsMax));
            }),
        ];
    }
}

/// <summary>What a row's prediction starts from and on what scale, and the columns and words that moved it most.</summary>
public sealed record RowExplanation(double Base, ExplanationScale Scale, IReadOnlyList<Contribution> Reasons);
