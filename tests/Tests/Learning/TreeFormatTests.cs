using Salus.Learning;
using Salus.Learning.Boosting;
using Salus.Learning.Estimators;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class TreeFormatTests
{
    public static TheoryData<string> Kinds => ["forest", "forest of three", "regression forest", "boosting", "boosting of three", "boosting with categories", "regression boosting"];

    static IEstimator Model(string kind)
    {
        var (matrix, labels) = RandomForestTests.Sample(60, 3, 7);
        int[] three = [.. labels.Select((label, row) => row % 4 == 0 ? 2 : label)];
        double[] targets = [.. labels.Select((label, row) => label + (row * 0.1))];
        var forest = new ForestOptions { Trees = 3 };
        var boosting = new BoostingOptions { Trees = 3, LearningRate = 0.3 };
        return kind switch
        {
            "forest" => ForestTrainer.Train(matrix, labels, 2, forest).Forest,
            "forest of three" => ForestTrainer.Train(matrix, three, 3, forest).Forest,
            "regression forest" => ForestTrainer.Train(matrix, targets, forest).Forest,
            "boosting" => BoostingTrainer.Train(matrix, labels, 2, boosting).Model,
            "boosting of three" => BoostingTrainer.Train(matrix, three, 3, boosting).Model,
            "boosting with categories" => WithCategories(boosting),
            _ => BoostingTrainer.Train(matrix, targets, boosting).Model,
        };
    }

    static BoostedClassifier WithCategories(BoostingOptions options)
    {
        var (matrix, labels) = BoostingTests.Categories(300, 1);
        return BoostingTrainer.Train(matrix, labels, 2, options).Model;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_model_reads_back_bit_for_bit(string kind)
    {
        var model = Model(kind);
        Assert.True(EstimatorFormat.TryRead(Bytes(model), out var read, out var refusal), refusal);
        Assert.Equal(Bytes(model), Bytes(read));
        Assert.Equal(Outputs(model), Outputs(read));
        Assert.Equal(model.GetType(), read.GetType());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Bent_bytes_are_refused_with_a_reason_or_read_as_a_model_that_still_predicts(string kind)
    {
        var model = Model(kind);
        var bytes = Bytes(model);
        for (var length = 0; length < bytes.Length; length += length < 200 ? 1 : 13)
            Assert.False(EstimatorFormat.TryRead(bytes.AsSpan(0, length), out _, out _));
        Assert.False(EstimatorFormat.TryRead([.. bytes, 0], out _, out var follows));
        Assert.Contains("follow the end", follows, StringComparison.Ordinal);
        var generator = new SeededGenerator(8);
        var refused = 0;
        for (var attempt = 0; attempt < 1_500; attempt++)
        {
            var bent = Bent(bytes, generator);
            if (!EstimatorFormat.TryRead(bent, out var read, out var reason))
            {
                Assert.NotEmpty(reason);
                refused++;
            }
            else if (read.FeatureCount == model.FeatureCount)
            {
                Assert.All(Outputs(read), value => Assert.True(read is IClassifier ? value is >= 0 and <= 1 : double.IsFinite(value)));
            }
        }
        Assert.InRange(refused, 300, 1_500);
    }

    // A byte, or a whole field, or a stretch that is written over another.
    static byte[] Bent(byte[] bytes, SeededGenerator generator)
    {
        var bent = (byte[])bytes.Clone();
        var at = generator.NextInt(bent.Length);
        switch (generator.NextInt(4))
        {
            case 0:
                bent.AsSpan(at, Math.Min(8, bent.Length - at)).Fill((byte)(generator.NextInt(2) * 255));
                break;
            case 1:
                var length = 1 + generator.NextInt(Math.Min(32, bent.Length));
                bytes.AsSpan(generator.NextInt(bytes.Length - length + 1), length).CopyTo(bent.AsSpan(Math.Min(at, bent.Length - length)));
                break;
            default:
                bent[at] ^= (byte)(1 + generator.NextInt(255));
                break;
        }
        return bent;
    }

    [Fact]
    public void Claimed_counts_are_refused_before_memory_is_taken()
    {
        byte[] bytes = [.. "SALUSFOREST"u8, 2, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x03, .. new byte[100]];
        Assert.False(EstimatorFormat.TryRead(bytes, out _, out var reason));
        Assert.Contains("nodes are claimed, but only 100 bytes are left", reason, StringComparison.Ordinal);
        Assert.False(EstimatorFormat.TryRead("SALUSFOREST\u0001"u8, out _, out var older));
        Assert.Contains("version is 1; 2 can be read", older, StringComparison.Ordinal);
        Assert.False(RandomForest.TryRead(Bytes(Model("boosting")), out _, out var other));
        Assert.Contains("no random forest but SALUSBOOST", other, StringComparison.Ordinal);
    }

    static double[] Outputs(IEstimator model)
    {
        double[] row = [0.5, double.NaN, 0.1];
        if (model is IRegressor regressor)
            return [regressor.Predict(row), .. regressor.Predict(FeatureMatrix.OfColumns([[0.1, 2], [double.NaN, 1], [5, 0.4]]))];
        var classifier = (IClassifier)model;
        var probabilities = new double[classifier.ClassCount];
        classifier.Predict(row, probabilities);
        return [.. probabilities, .. classifier.Predict(FeatureMatrix.OfColumns([[0.1, 2], [double.NaN, 1], [5, 0.4]]), 1)];
    }

    internal static byte[] Bytes(IEstimator model)
    {
        using var stream = new MemoryStream();
        model.Write(stream);
        return stream.ToArray();
    }
}
