using Salus.Learning.Privacy;

namespace Salus.Platform.Cohorts;

/// <summary>Noise plans from what was asked for.</summary>
static class NoisePlans
{
    public static (NoisePlan? Plan, DataSetOutcome.Invalid? Invalid) Of(NoiseRequest request)
    {
        List<ColumnNoise> columns = [];
        foreach (var column in request.Columns ?? [])
        {
            switch (column)
            {
                case { Column: null or "" }:
                    return (null, new("columns", "Name the column that each entry is about."));
                case { Mechanism: "laplace", Low: { } low, High: { } high, Step: { } step }:
                    columns.Add(new ColumnNoise.Bounded(low, high, step, column.Weight) { Column = column.Column });
                    break;
                case { Mechanism: "laplace" }:
                    return (null, new(column.Column, "Give the lower bound, the upper bound and the step of the number, from knowledge of the field."));
                case { Mechanism: "randomised" }:
                    columns.Add(new ColumnNoise.Randomised(column.Levels, column.Weight) { Column = column.Column });
                    break;
                case { Mechanism: "drop" }:
                    columns.Add(new ColumnNoise.Dropped { Column = column.Column });
                    break;
                default:
                    return (null, new(column.Column, "The mechanism is laplace, randomised or drop."));
            }
        }
        return (new NoisePlan(request.Epsilon, columns), null);
    }
}
