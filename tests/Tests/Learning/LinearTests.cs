using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Linear;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>The expected numbers are those of scikit-learn 1.2.1 on the same rows, solved to the last digits.</summary>
public sealed class LinearTests
{
    static readonly CsrMatrix Rows = CsrMatrix.OfRows([[0.5, 1], [1, 0], [1.5, 2], [2, 1], [2.5, 0], [3, 3], [3.5, 1], [4, 2]]);
    static readonly int[] Two = [0, 0, 0, 1, 0, 1, 1, 1];
    static readonly int[] Three = [0, 0, 1, 1, 2, 2, 1, 0];

    [Fact]
    public void Logistic_regression_finds_the_penalised_optimum()
    {
        var model = LogisticRegression.Fit(Rows, Two, 2, new LogisticOptions { Cost = 2, Standardize = false, Tolerance = 1e-10 });
        Assert.Equal(1.3327451, model.Weight(1, 0), 6);
        Assert.Equal(0.66370196, model.Weight(1, 1), 6);
        Assert.Equal(-3.77922378, model.Intercept(1), 6);
        Assert.Equal(-model.Weight(1, 0), model.Weight(0, 0));
    }

    [Fact]
    public void Multinomial_probabilities_sum_to_one_and_agree_with_the_known()
    {
        var model = LogisticRegression.Fit(Rows, Three, 3, new LogisticOptions { Cost = 2, Standardize = false, Tolerance = 1e-10 });
        var predicted = model.Predict(Rows);
        double[][] known = [[0.54669702, 0.3280041, 0.12529888], [0.55432396, 0.31413866, 0.13153737]];
        for (var c = 0; c < 3; c++)
        {
            Assert.Equal(known[0][c], predicted[0][c], 6);
            Assert.Equal(known[1][c], predicted[1][c], 6);
        }
        Assert.All(predicted, row => Assert.Equal(1, row.Sum(), 12));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void A_chosen_cost_is_that_of_the_greatest_likelihood_of_rows_held_out(int classes)
    {
        var (rows, labels) = Noisy(150, 40, classes);
        var options = new LogisticOptions { CostParts = 4, Seed = 7, Tolerance = 1e-8 };
        var folds = Folds.Stratified(labels, classes, 4, 7);
        double HeldOutLoss(double cost)
        {
            var loss = 0.0;
            for (var fold = 0; fold < 4; fold++)
            {
                int[] training = [.. Enumerable.Range(0, 150).Where(row => folds[row] != fold)], held = [.. Enumerable.Range(0, 150).Where(row => folds[row] == fold)];
                var said = LogisticRegression.Fit(rows.Take(training), Array.ConvertAll(training, row => labels[row]), classes, new LogisticOptions { Cost = cost, Tolerance = 1e-8 }).Predict(rows.Take(held));
                loss -= held.Select((row, i) => Math.Log(said[i][labels[row]])).Sum();
            }
            return loss;
        }
        var best = CostChoice.Costs.MinBy(HeldOutLoss);
        Assert.InRange(best, 0.0003, 0.3);
        Assert.Equal(
            LogisticRegression.Fit(rows, labels, classes, options with { CostParts = 0, Cost = best }).Predict(rows),
            LogisticRegression.Fit(rows, labels, classes, options).Predict(rows));
        Assert.Contains("CostParts", (options with { CostParts = 1 }).Objection(), StringComparison.Ordinal);
    }

    static (CsrMatrix Rows, int[] Labels) Noisy(int rows, int columns, int classes)
    {
        var generator = new SeededGenerator(11);
        double[][] values = [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, columns).Select(_ => generator.NextDouble() - 0.5).ToArray())];
        return (CsrMatrix.OfRows(values), Array.ConvertAll(values, row => (int)Math.Clamp(classes * (0.5 + row[0] + (0.8 * (generator.NextDouble() - 0.5))), 0, classes - 1)));
    }

    [Fact]
    public void The_unit_of_a_column_does_not_matter_where_columns_are_standardised()
    {
        var metres = LogisticRegression.Fit(Rows, Two, 2, new LogisticOptions { Tolerance = 1e-10 }).Predict(Rows);
        var millimetres = CsrMatrix.OfRows([.. Enumerable.Range(0, 8).Select(row => new[] { Value(Rows, row, 0) * 1_000, Value(Rows, row, 1) })]);
        var rescaled = LogisticRegression.Fit(millimetres, Two, 2, new LogisticOptions { Tolerance = 1e-10 }).Predict(millimetres);
        Assert.All(metres.Zip(rescaled), pair => Assert.Equal(pair.First[1], pair.Second[1], 6));
    }

    [Fact]
    public void The_squared_hinge_finds_the_optimum_for_two_classes_and_for_each_against_the_rest()
    {
        var exact = new OneVersusRestOptions { Cost = 0.7, Tolerance = 1e-10, PassesMax = 100_000, Balanced = false, CalibrationParts = 0 };
        var two = OneVersusRest.Fit(Rows, Two, 2, exact);
        Assert.Equal(0.4095403, two.Weight(1, 0), 6);
        Assert.Equal(0.19605299, two.Weight(1, 1), 6);
        Assert.Equal(-1.07091453, two.Intercept(1), 6);
        var three = OneVersusRest.Fit(Rows, Three, 3, exact with { Balanced = true });
        double[] known = [-0.16982416, -0.08803151, 0.17548022, -0.01001868, 0.0295216, -0.29148056, 0.11833423, 0.02116887, -0.63033612];
        for (var c = 0; c < 3; c++)
        {
            Assert.Equal(known[c * 3], three.Weight(c, 0), 6);
            Assert.Equal(known[(c * 3) + 1], three.Weight(c, 1), 6);
            Assert.Equal(known[(c * 3) + 2], three.Intercept(c), 6);
        }
    }

    [Fact]
    public void The_logistic_loss_finds_the_same_optimum_by_its_dual()
    {
        var model = OneVersusRest.Fit(Rows, Two, 2, new OneVersusRestOptions { Loss = LinearLoss.Logistic, Cost = 0.7, Tolerance = 1e-10, PassesMax = 100_000, Balanced = false });
        Assert.Equal(0.36463099, model.Weight(1, 0), 6);
        Assert.Equal(0.20240517, model.Weight(1, 1), 6);
        Assert.Equal(-0.60427229, model.Intercept(1), 6);
    }

    [Fact]
    public void Turning_sums_into_probabilities_moves_no_row_to_another_class()
    {
        var (rows, labels) = Sample(400, 3);
        var plain = OneVersusRest.Fit(rows, labels, 3, new OneVersusRestOptions { CalibrationParts = 0 });
        var mended = OneVersusRest.Fit(rows, labels, 3, new OneVersusRestOptions());
        Assert.Equal(plain.Predict(rows).Select(Likeliest), mended.Predict(rows).Select(Likeliest));
        double Loss(LinearClassifier model) => model.Predict(rows).Zip(labels).Average(pair => -Math.Log(pair.First[pair.Second]));
        Assert.True(Loss(mended) < Loss(plain));
    }

    [Fact]
    public void Least_squares_are_the_known_ones_with_and_without_a_penalty()
    {
        double[] targets = [1, 2, 2.5, 3, 5, 4.5, 6, 7];
        var plain = LinearRegression.Fit(Rows, targets);
        Assert.Equal((1.77631579, -0.32894737, 0.28947368), (Math.Round(plain.Weights[0], 8), Math.Round(plain.Weights[1], 8), Math.Round(plain.Intercept, 8)));
        var ridge = LinearRegression.Fit(Rows, targets, 3);
        Assert.Equal((1.31756757, -0.08204633, 1.01303089), (Math.Round(ridge.Weights[0], 8), Math.Round(ridge.Weights[1], 8), Math.Round(ridge.Intercept, 8)));
        // A column twice, and one that never varies, leave the predictions as they were.
        var doubled = CsrMatrix.OfRows([.. Enumerable.Range(0, 8).Select(row => new[] { Value(Rows, row, 0), Value(Rows, row, 1), Value(Rows, row, 0), 4 })]);
        Assert.All(plain.Predict(Rows).Zip(LinearRegression.Fit(doubled, targets).Predict(doubled)), pair => Assert.Equal(pair.First, pair.Second, 5));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_whatever_the_number_of_threads()
    {
        var (rows, labels) = Sample(6_000, 4);
        byte[] Logistic(int threads) => Bytes(LogisticRegression.Fit(rows, labels, 4, new LogisticOptions { Threads = threads, IterationsMax = 20 }));
        Assert.Equal(Logistic(1), Logistic(4));
        byte[] Hinge(int threads, ulong seed) => Bytes(OneVersusRest.Fit(rows, labels, 4, new OneVersusRestOptions { Threads = threads, Seed = seed, PassesMax = 5, CalibrationParts = 3 }));
        Assert.Equal(Hinge(1, 1), Hinge(4, 1));
        Assert.NotEqual(Hinge(1, 1), Hinge(1, 2));
    }

    [Fact]
    public void Rows_that_cannot_train_are_refused_with_the_mend()
    {
        string Refused(CsrMatrix rows, int[] labels, int classes) => Assert.Throws<ArgumentException>(() => LogisticRegression.Fit(rows, labels, classes, new LogisticOptions())).Message;
        Assert.Contains("8 rows and 1 labels", Refused(Rows, [0], 2), StringComparison.Ordinal);
        Assert.Contains("class 1 has no row", Refused(Rows, new int[8], 2), StringComparison.Ordinal);
        Assert.Contains("outside 0 to 1", Refused(Rows, [0, 1, 2, 0, 0, 0, 0, 0], 2), StringComparison.Ordinal);
        Assert.Contains("not finite; fill", Refused(CsrMatrix.OfRows([[double.NaN], [1]]), [0, 1], 2), StringComparison.Ordinal);
        Assert.Contains("no column", Refused(CsrMatrix.OfRows([[], []]), [0, 1], 2), StringComparison.Ordinal);
        Assert.Contains("Cost", new LogisticOptions { Cost = 0 }.Objection(), StringComparison.Ordinal);
        Assert.Contains("Tolerance", new OneVersusRestOptions { Tolerance = double.NaN }.Objection(), StringComparison.Ordinal);
        var model = LogisticRegression.Fit(Rows, Two, 2, new LogisticOptions());
        Assert.Contains("3 columns", Assert.Throws<ArgumentException>(() => model.Predict(CsrMatrix.OfRows([[1, 2, 3]]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_reads_back_as_it_was_written_and_bent_bytes_are_refused()
    {
        var (rows, labels) = Sample(300, 3);
        var model = OneVersusRest.Fit(rows, labels, 3, new OneVersusRestOptions());
        Assert.True(LinearClassifier.TryRead(Bytes(model), out var read, out _));
        Assert.Equal(model.Predict(rows), read.Predict(rows));
        var refused = Mutation.Run(Bytes(model), bytes =>
        {
            if (!LinearClassifier.TryRead(bytes, out var bent, out var refusal))
                return refusal;
            if (bent.ColumnCount == rows.ColumnCount)
                bent.Predict(rows);
            return null;
        });
        Assert.True(refused > 500);
    }

    static (CsrMatrix Rows, int[] Labels) Sample(int count, int classes)
    {
        var generator = new SeededGenerator(9);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => generator.NextInt(classes))];
        return (CsrMatrix.OfRows([.. labels.Select(label => Enumerable.Range(0, 12).Select(i => generator.NextInt(3) == 0 ? 0 : generator.NextDouble() + (i % classes == label ? 0.7 : 0)).ToArray())]), labels);
    }

    static double Value(CsrMatrix rows, int row, int column)
    {
        var at = rows.Indices(row).IndexOf(column);
        return at < 0 ? 0 : rows.Values(row)[at];
    }

    static int Likeliest(double[] row) => Array.IndexOf(row, row.Max());

    static byte[] Bytes(LinearClassifier model)
    {
        using var stream = new MemoryStream();
        model.Write(stream);
        return stream.ToArray();
    }
}
