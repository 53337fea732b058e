using Salus.Learning;
using Salus.Learning.Anomaly;
using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

public sealed class AnomalyTests
{
    public static TheoryData<string> Names => [.. Detectors.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_far_from_all_others_score_highest(string name)
    {
        var (matrix, labels) = Sample();
        var detector = Detectors.Fit(name, matrix, 1)!;
        Assert.InRange(Metrics.RocAuc(detector.Score(matrix), labels), 0.97, 1);
        // A row that training never saw, far out in every feature, is less usual than any of the usual ones.
        Assert.True(detector.Score([40, -40, 40]) > labels.Index().Where(row => row.Item == 0).Max(row => detector.Score(matrix.Row(row.Index))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_seed_gives_the_same_bits_and_reads_back_as_it_was_written(string name)
    {
        var (matrix, _) = Sample();
        var bytes = Bytes(Detectors.Fit(name, matrix, 3)!);
        Assert.Equal(bytes, Bytes(Detectors.Fit(name, matrix, 3)!));
        Assert.True(AnomalyDetector.TryRead(bytes, out var read, out _));
        Assert.Equal(Detectors.Fit(name, matrix, 3)!.Score(matrix), read.Score(matrix));
        var refused = Mutation.Run(bytes, bent =>
        {
            if (!AnomalyDetector.TryRead(bent, out var detector, out var refusal))
                return refusal;
            if (detector.FeatureCount == 3)
                detector.Score([1, double.NaN, 1e300]);
            return null;
        }, attempts: 600);
        Assert.True(refused > 200);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_cannot_be_scored_is_refused_with_the_mend_and_missing_values_are_not(string name)
    {
        var (matrix, _) = Sample();
        Assert.Contains("at least two rows", Assert.Throws<ArgumentException>(() => Detectors.Fit(name, FeatureMatrix.OfColumns([[1.0]]), 1)).Message, StringComparison.Ordinal);
        Assert.Contains("infinite", Assert.Throws<ArgumentException>(() => Detectors.Fit(name, FeatureMatrix.OfColumns([[1.0, double.PositiveInfinity]]), 1)).Message, StringComparison.Ordinal);
        var detector = Detectors.Fit(name, matrix, 1)!;
        Assert.Contains("2 values", Assert.Throws<ArgumentException>(() => detector.Score([1.0, 2.0])).Message, StringComparison.Ordinal);
        Assert.True(double.IsFinite(detector.Score([double.NaN, double.NaN, double.NaN])));
        Assert.True(double.IsFinite(Detectors.Fit(name, FeatureMatrix.OfColumns([[1.0, 1.0, double.NaN], [2.0, 2.0, 2.0]]), 1)!.Score([1, 2])));
    }

    [Fact]
    public void A_training_row_is_not_its_own_neighbour()
    {
        var matrix = FeatureMatrix.OfColumns([[0.0, 1.0, 3.0, 7.0]]);
        var deviation = Math.Sqrt(new[] { 0.0, 1, 3, 7 }.Average(value => Math.Pow(value - 2.75, 2)));
        var detector = NearestNeighbours.Fit(matrix, 1);
        Assert.Equal(1 / deviation, detector.Score([0]), 12);
        Assert.Equal(4 / deviation, detector.Score([7]), 12);
        Assert.Equal(0.5 / deviation, detector.Score([0.5]), 12);
    }

    [Fact]
    public void Tails_of_ecod_are_the_shares_of_rows_beyond()
    {
        var detector = Ecod.Fit(FeatureMatrix.OfColumns([[1.0, 2.0, 3.0, 10.0]]));
        Assert.Equal(-Math.Log(0.25), detector.Score([10]), 12);
        Assert.Equal(-Math.Log(0.25), detector.Score([1]), 12);
        Assert.Equal(-Math.Log(0.5), detector.Score([3]), 12);
        Assert.Equal(-Math.Log(0.125), detector.Score([99]), 12);
    }

    static (FeatureMatrix Matrix, int[] Labels) Sample()
    {
        var generator = new SeededGenerator(2);
        double Around(double middle) => middle + generator.NextDouble() + generator.NextDouble() + generator.NextDouble();
        int[] labels = [.. Enumerable.Range(0, 400).Select(i => i % 40 == 0 ? 1 : 0)];
        return (FeatureMatrix.OfColumns([.. Enumerable.Range(0, 3).Select(i => labels.Select(label => label == 0 ? Around(0) : Around(i % 2 == 0 ? 4 + (8 * generator.NextDouble()) : -4 - (8 * generator.NextDouble()))).ToArray())]), labels);
    }

    static byte[] Bytes(AnomalyDetector detector)
    {
        using var stream = new MemoryStream();
        detector.Write(stream);
        return stream.ToArray();
    }
}
