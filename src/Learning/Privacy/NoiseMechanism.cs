using System.Globalization;
using System.Numerics;
using Salus.Learning.Tables;

namespace Salus.Learning.Privacy;

/// <summary>What came of noising a table.</summary>
public abstract record NoiseOutcome
{
    NoiseOutcome() { }

    /// <summary>The table to release.</summary>
    public sealed record Noised(Table Table, NoiseReport Report) : NoiseOutcome;

    /// <summary>The plan does not fit the table; nothing is released.</summary>
    public sealed record Refused(string? Column, string Problem, string Mend) : NoiseOutcome
    {
        /// <summary>The column, the problem and the mend in one sentence.</summary>
        public string Message => Column is null ? $"{Problem}; {Mend}" : $"column '{Column}': {Problem}; {Mend}";
    }
}

/// <summary>Adds noise to a table by a plan.</summary>
public static class NoiseMechanism
{
    const decimal EpsilonMax = 1_000;
    const int StepsMax = 1_000_000_000;

    /// <summary>Noises every row with the operating system's randomness.</summary>
    public static NoiseOutcome Apply(Table table, NoisePlan plan) => Apply(table, plan, ByteSource.System);

    internal static NoiseOutcome Apply(Table table, NoisePlan plan, ByteSource source)
    {
        if (Objection(table, plan) is { } refused)
            return refused;
        if (plan.Epsilon is not { } total)
            return ZeroNoise(table, plan);
        var sampler = new ExactSampler(source);
        var totalWeight = plan.Columns.Sum(column => (long)WeightOf(column));
        var columns = new List<Column>();
        var reports = new List<ColumnNoiseReport>();
        foreach (var noise in plan.Columns.OrderBy(noise => IndexOf(table, noise.Column)))
        {
            var column = table[noise.Column];
            if (noise is ColumnNoise.Dropped)
            {
                reports.Add(new ColumnNoiseReport(column.Name, "dropped", 0, null, "not released"));
                continue;
            }
            var epsilon = Ratio.Of(total) * new Ratio(WeightOf(noise), totalWeight);
            var (noised, report) = noise is ColumnNoise.Bounded bounded
                ? Noise((NumberColumn)column, bounded, epsilon, sampler)
                : Respond((CategoryColumn)column, (ColumnNoise.Randomised)noise, epsilon, sampler);
            columns.Add(noised);
            reports.Add(report);
        }
        var statement = $"each row was noised by itself with a total epsilon of {total.ToString(CultureInfo.InvariantCulture)} over its columns; rows of one person add up";
        return new NoiseOutcome.Noised(new Table(columns), new NoiseReport(plan.Epsilon, reports, statement));
    }

    static NoiseOutcome.Noised ZeroNoise(Table table, NoisePlan plan)
    {
        var dropped = plan.Columns.OfType<ColumnNoise.Dropped>().Select(noise => noise.Column).ToHashSet(StringComparer.Ordinal);
        var reports = table.Columns.Select(column => dropped.Contains(column.Name)
            ? new ColumnNoiseReport(column.Name, "dropped", 0, null, "not released")
            : new ColumnNoiseReport(column.Name, "none", null, null, "values stand as they were"));
        return new NoiseOutcome.Noised(
            table.Without(dropped),
            new NoiseReport(null, [.. reports], "zero noise: no value was changed, and there is no differential privacy"));
    }

    static (Column, ColumnNoiseReport) Noise(NumberColumn column, ColumnNoise.Bounded bounds, Ratio epsilon, ExactSampler sampler)
    {
        var steps = (long)((bounds.High - bounds.Low) / bounds.Step);
        var rate = epsilon / new Ratio(steps, 1);
        var values = new double[column.Count];
        for (var row = 0; row < values.Length; row++)
        {
            var step = column.IsMissing(row) ? steps / 2 : StepOf(column.Values[row], bounds, steps);
            var noised = BigInteger.Clamp(step + sampler.DiscreteLaplace(rate), 0, steps);
            values[row] = (double)(bounds.Low + ((long)noised * bounds.Step));
        }
        var remark = string.Create(CultureInfo.InvariantCulture, $"bounded to {bounds.Low} to {bounds.High} in steps of {bounds.Step}; missing values became the middle before noise");
        return (new NumberColumn(column.Name, values), new ColumnNoiseReport(column.Name, "discrete Laplace", epsilon.ToDouble(), bounds.High - bounds.Low, remark));
    }

    // Clamped as a double first: a value far outside would overflow a decimal.
    static long StepOf(double value, ColumnNoise.Bounded bounds, long steps)
    {
        var clamped = (decimal)Math.Clamp(value, (double)bounds.Low, (double)bounds.High);
        return Math.Clamp((long)Math.Round((clamped - bounds.Low) / bounds.Step), 0, steps);
    }

    static (Column, ColumnNoiseReport) Respond(CategoryColumn column, ColumnNoise.Randomised noise, Ratio epsilon, ExactSampler sampler)
    {
        string[] levels = noise.Levels is { } stated ? [.. stated] : [.. column.Levels.Order(StringComparer.Ordinal)];
        var codeOf = levels.Select((level, i) => (level, i)).ToDictionary(pair => pair.level, pair => pair.i, StringComparer.Ordinal);
        var codes = new int[column.Count];
        for (var row = 0; row < codes.Length; row++)
        {
            // "Missing" is the last answer: whether a value is missing is protected like the value.
            var code = column.Show(row) is { } level ? codeOf[level] : levels.Length;
            var answer = sampler.RandomisedResponse(code, levels.Length + 1, epsilon);
            codes[row] = answer == levels.Length ? -1 : answer;
        }
        var remark = $"{levels.Length} levels and missing; {(noise.Levels is null ? "the list of levels was taken from the data and is disclosed" : "the levels were stated")}";
        return (new CategoryColumn(column.Name, codes, levels), new ColumnNoiseReport(column.Name, "randomised response", epsilon.ToDouble(), null, remark));
    }

    static NoiseOutcome.Refused? Objection(Table table, NoisePlan plan)
    {
        if (plan.Epsilon is { } epsilon && (epsilon <= 0 || epsilon > EpsilonMax))
            return new NoiseOutcome.Refused(null, $"epsilon is {epsilon.ToString(CultureInfo.InvariantCulture)}", $"give a number above 0 and up to {EpsilonMax}, or none for zero noise");
        if (plan.Columns.GroupBy(noise => noise.Column).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return new NoiseOutcome.Refused(twice.Key, "the plan names it twice", "name each column once");
        foreach (var noise in plan.Columns)
        {
            if (table.Find(noise.Column) is not { } column)
                return new NoiseOutcome.Refused(noise.Column, "the table has no such column", $"name one of: {string.Join(", ", table.Columns.Select(known => known.Name))}");
            if (plan.Epsilon is not null && Objection(column, noise) is var (problem, mend))
                return new NoiseOutcome.Refused(column.Name, problem, mend);
        }
        var unnamed = table.Columns.FirstOrDefault(column => plan.Columns.All(noise => noise.Column != column.Name));
        if (plan.Epsilon is not null && unnamed is not null)
            return new NoiseOutcome.Refused(unnamed.Name, "the plan does not say what happens to it", "bound it, randomise it, or drop it");
        return table.Columns.All(column => plan.Columns.Any(noise => noise is ColumnNoise.Dropped && noise.Column == column.Name))
            ? new NoiseOutcome.Refused(null, "every column is dropped", "keep at least one")
            : null;
    }

    static (string Problem, string Mend)? Objection(Column column, ColumnNoise noise)
    {
        if (noise is ColumnNoise.Dropped)
            return null;
        if (column.Kind is ColumnKind.Text or ColumnKind.Date)
            return ($"it holds {(column.Kind == ColumnKind.Text ? "free text" : "dates")}, for which there is no noise", "drop it");
        if (WeightOf(noise) is < 1 or > 1_000_000)
            return ($"its weight is {WeightOf(noise)}", "give 1 to 1000000");
        return (column, noise) switch
        {
            (NumberColumn, ColumnNoise.Bounded bounds) => BoundsObjection(bounds),
            (CategoryColumn categories, ColumnNoise.Randomised randomised) => LevelsObjection(categories, randomised),
            (NumberColumn, _) => ("it holds numbers", "give its bounds and step, or read it as a category"),
            _ => ("it holds categories", "randomise it instead of bounding it"),
        };
    }

    static (string, string)? BoundsObjection(ColumnNoise.Bounded bounds)
    {
        const decimal SizeMax = 1_000_000_000_000m;
        if (bounds.Step <= 0 || bounds.High <= bounds.Low)
            return (string.Create(CultureInfo.InvariantCulture, $"the bounds are {bounds.Low} to {bounds.High} in steps of {bounds.Step}"), "give a low bound below the high one and a step above 0");
        if (Math.Abs(bounds.Low) > SizeMax || Math.Abs(bounds.High) > SizeMax || (bounds.High - bounds.Low) / SizeMax > bounds.Step || (bounds.High - bounds.Low) / bounds.Step > StepsMax)
            return ("the bounds are too wide for the step", $"give at most {StepsMax} steps");
        return (bounds.High - bounds.Low) % bounds.Step != 0
            ? ("the bounds are not a whole number of steps apart", "move a bound or change the step")
            : null;
    }

    static (string, string)? LevelsObjection(CategoryColumn column, ColumnNoise.Randomised noise)
    {
        if (noise.Levels is not { } levels)
            return null;
        if (levels.Distinct(StringComparer.Ordinal).Count() != levels.Count || levels.Count == 0)
            return ("its levels are none, or one stands twice", "state each level once");
        var unknown = Enumerable.Range(0, column.Count).Select(column.Show).FirstOrDefault(level => level is not null && !levels.Contains(level));
        return unknown is null ? null : ("a row holds a level that is not stated", "state every level that can occur, or make such values missing");
    }

    static int WeightOf(ColumnNoise noise) => noise switch
    {
        ColumnNoise.Bounded bounded => bounded.Weight,
        ColumnNoise.Randomised randomised => randomised.Weight,
        _ => 0,
    };

    static int IndexOf(Table table, string name)
    {
        for (var i = 0; i < table.Columns.Count; i++)
        {
            if (table.Columns[i].Name == name)
                return i;
        }
        return -1;
    }
}
