using System.Numerics;
using Salus.Learning.Privacy;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class PrivacyTests
{
    const int Draws = 40_000;

    [Fact]
    public void A_Bernoulli_draw_succeeds_for_exactly_its_share_of_the_random_bytes()
    {
        // Every byte is given once as the first one drawn; 5 of 16 four-bit values are below 5.
        var successes = Enumerable.Range(0, 256).Count(first => new ExactSampler(new Scripted((byte)first)).Bernoulli(new Ratio(5, 16)));
        Assert.Equal(256 * 5 / 16, successes);
    }

    [Fact]
    public void The_first_terms_of_exp_are_reached_by_exactly_their_share_of_the_random_bytes()
    {
        // γ = 1: the trials succeed with 1/1, 1/2, 1/3, 1/4 …; three bytes decide trials 2 to 4 (rejection aside).
        // Stopped first at trial k has probability 1/(k-1)! - 1/k!: 1/2 at 2, 1/3 at 3, 1/8 at 4.
        int[] stops = new int[6];
        foreach (var two in Enumerable.Range(0, 2))
        {
            foreach (var three in Enumerable.Range(0, 3))
            {
                foreach (var four in Enumerable.Range(0, 4))
                {
                    var source = new Scripted((byte)two, (byte)three, (byte)four, 4);
                    var odd = new ExactSampler(source).BernoulliExp(new Ratio(1, 1));
                    // The trial of 1/1 draws no byte, and the last call, for exp(-0), always says yes.
                    var trial = Math.Min(source.Used + 1, 5);
                    stops[trial]++;
                    if (trial < 5)
                        Assert.Equal(trial % 2 == 1, odd);
                }
            }
        }
        Assert.Equal([12, 8, 3, 1], stops[2..]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    public void A_Bernoulli_of_exp_has_its_probability(int over, int under)
    {
        var sampler = new ExactSampler(ByteSource.Seeded(1));
        var expected = Math.Exp(-(double)over / under);
        var share = Enumerable.Range(0, Draws).Count(_ => sampler.BernoulliExp(new Ratio(over, under))) / (double)Draws;
        Assert.InRange(share - expected, -4.5 * Math.Sqrt(expected * (1 - expected) / Draws), 4.5 * Math.Sqrt(expected * (1 - expected) / Draws));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    [InlineData(1, 5)]
    public void Discrete_Laplace_has_its_distribution(int over, int under)
    {
        var sampler = new ExactSampler(ByteSource.Seeded(2));
        var rate = (double)over / under;
        var normal = (1 - Math.Exp(-rate)) / (1 + Math.Exp(-rate));
        var reach = (int)(4 / rate);
        double[] chances = [.. Enumerable.Range(-reach, (2 * reach) + 1).Select(x => normal * Math.Exp(-Math.Abs(x) * rate))];
        var counts = new int[chances.Length + 1];
        for (var i = 0; i < Draws; i++)
        {
            var drawn = sampler.DiscreteLaplace(new Ratio(over, under));
            counts[BigInteger.Abs(drawn) <= reach ? (int)drawn + reach : chances.Length]++;
        }
        AssertChiSquare([.. chances, 1 - chances.Sum()], counts);
    }

    [Fact]
    public void Randomised_response_keeps_the_true_level_with_its_probability()
    {
        var sampler = new ExactSampler(ByteSource.Seeded(3));
        var counts = new int[4];
        for (var i = 0; i < Draws; i++)
            counts[sampler.RandomisedResponse(2, 4, new Ratio(3, 2))]++;
        var keep = Math.Exp(1.5) / (Math.Exp(1.5) + 3);
        AssertChiSquare([(1 - keep) / 3, (1 - keep) / 3, keep, (1 - keep) / 3], counts);
    }

    [Fact]
    public void A_row_spends_its_epsilon_over_its_columns_by_weight()
    {
        var outcome = Assert.IsType<NoiseOutcome.Noised>(NoiseMechanism.Apply(Sample(), new NoisePlan(2m,
        [
            new ColumnNoise.Bounded(0, 100, 1, Weight: 3) { Column = "age" },
            new ColumnNoise.Randomised(["f", "m"]) { Column = "sex" },
            new ColumnNoise.Dropped { Column = "note" },
        ]), ByteSource.Seeded(4)));
        Assert.Equal([1.5, 0.5, 0], outcome.Report.Columns.Select(column => Math.Round(column.Epsilon!.Value, 12)));
        Assert.Equal(["discrete Laplace", "randomised response", "dropped"], outcome.Report.Columns.Select(column => column.Mechanism));
        Assert.Equal(100, outcome.Report.Columns[0].Sensitivity);
        Assert.Equal(["age", "sex"], outcome.Table.Columns.Select(column => column.Name));
        Assert.All(((NumberColumn)outcome.Table["age"]).Values.ToArray(), age => Assert.True(age is >= 0 and <= 100 && age == Math.Floor(age)));
    }

    [Fact]
    public void Neighbouring_values_are_told_apart_no_better_than_epsilon_allows()
    {
        var released = new[] { 0.0, 4.0 }.Select(value =>
        {
            var table = new Table([new NumberColumn("x", [.. Enumerable.Repeat(value, Draws)])]);
            var outcome = (NoiseOutcome.Noised)NoiseMechanism.Apply(table, new NoisePlan(1m, [new ColumnNoise.Bounded(0, 4, 1) { Column = "x" }]), ByteSource.Seeded((ulong)value));
            return ((NumberColumn)outcome.Table["x"]).Values.ToArray().CountBy(x => x).ToDictionary();
        }).ToArray();
        Assert.All(Enumerable.Range(0, 5), x => Assert.InRange(Math.Log((double)released[0][x] / released[1][x]), -1.08, 1.08));
        // The farthest two values use the whole of epsilon at the ends.
        Assert.InRange(Math.Log((double)released[0][0] / released[1][0]), 0.92, 1.08);
    }

    [Fact]
    public void Zero_noise_leaves_the_values_alone_and_says_so()
    {
        var table = Sample();
        var outcome = Assert.IsType<NoiseOutcome.Noised>(NoiseMechanism.Apply(table, new NoisePlan(null, [])));
        Assert.Equal(["20", "70", null], Enumerable.Range(0, 3).Select(outcome.Table["age"].Show));
        Assert.Contains("no differential privacy", outcome.Report.Statement, StringComparison.Ordinal);
        Assert.All(outcome.Report.Columns, column => Assert.Null(column.Epsilon));
    }

    [Fact]
    public void A_plan_that_does_not_fit_is_refused_with_the_mend()
    {
        ColumnNoise age = new ColumnNoise.Bounded(0, 100, 1) { Column = "age" };
        ColumnNoise sex = new ColumnNoise.Randomised { Column = "sex" };
        ColumnNoise note = new ColumnNoise.Dropped { Column = "note" };
        Assert.Equal("column 'note': it holds free text, for which there is no noise; drop it", Refused(1, age, sex, new ColumnNoise.Randomised { Column = "note" }));
        Assert.Contains("does not say", Refused(1, age, sex), StringComparison.Ordinal);
        Assert.Contains("twice", Refused(1, age, age, sex, note), StringComparison.Ordinal);
        Assert.Contains("no such column", Refused(1, age, sex, note, new ColumnNoise.Dropped { Column = "x" }), StringComparison.Ordinal);
        Assert.Contains("epsilon is 0", Refused(0, age, sex, note), StringComparison.Ordinal);
        Assert.Contains("whole number of steps", Refused(1, new ColumnNoise.Bounded(0, 100, 3) { Column = "age" }, sex, note), StringComparison.Ordinal);
        Assert.Contains("low bound below", Refused(1, new ColumnNoise.Bounded(5, 5, 1) { Column = "age" }, sex, note), StringComparison.Ordinal);
        Assert.Contains("too wide", Refused(1, new ColumnNoise.Bounded(0, decimal.MaxValue, 0.1m) { Column = "age" }, sex, note), StringComparison.Ordinal);
        Assert.Contains("not stated", Refused(1, age, new ColumnNoise.Randomised(["f"]) { Column = "sex" }, note), StringComparison.Ordinal);
        Assert.Contains("weight", Refused(1, new ColumnNoise.Bounded(0, 100, 1, Weight: 0) { Column = "age" }, sex, note), StringComparison.Ordinal);
    }

    static string Refused(decimal epsilon, params ColumnNoise[] columns) =>
        Assert.IsType<NoiseOutcome.Refused>(NoiseMechanism.Apply(Sample(), new NoisePlan(epsilon, columns))).Message;

    static Table Sample() => new(
    [
        new NumberColumn("age", [20, 70, double.NaN]),
        CategoryColumn.Of("sex", ["f", "m", null]),
        new TextColumn("note", ["a", "b", "c"]),
    ]);

    static void AssertChiSquare(double[] chances, int[] counts)
    {
        var total = counts.Sum();
        var statistic = chances.Zip(counts).Sum(pair => Math.Pow(pair.Second - (pair.First * total), 2) / (pair.First * total));
        // Mean and variance of chi-square are its degrees of freedom and twice that.
        var freedom = chances.Length - 1;
        Assert.InRange(statistic, 0, freedom + (4.5 * Math.Sqrt(2 * freedom)));
    }

    sealed class Scripted(params byte[] script) : ByteSource
    {
        public int Used { get; private set; }

        public override void Fill(Span<byte> bytes)
        {
            foreach (ref var one in bytes)
                one = script[Used++];
        }
    }
}
