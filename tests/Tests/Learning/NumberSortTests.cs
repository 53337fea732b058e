using Salus.Learning;
using Salus.Learning.Trees;

namespace Salus.Tests.Learning;

public sealed class NumberSortTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Numbers_of_either_precision_are_sorted(bool areSingle)
    {
        var generator = new SeededGenerator(5);
        double[] values =
        [
            double.NegativeInfinity, double.PositiveInfinity, 0, -0.0, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 1, 1,
            .. Enumerable.Range(0, 5_000).Select(_ => Math.ScaleB(generator.NextDouble() - 0.5, generator.NextInt(200) - 100)),
        ];
        if (areSingle)
            values = Array.ConvertAll(values, value => (double)(float)value);
        double[] expected = [.. values.Order()];
        NumberSort.Sort(values);
        Assert.Equal(expected, values);
    }
}
