using System.Globalization;
using Salus.Learning;
using Salus.Learning.Tables;

namespace Salus.Platform.Cohorts;

/// <summary>How a table is made ready for learning.</summary>
/// <param name="Target">The column to be predicted; it is kept as it is but for numbers in place of its levels. Null for none.</param>
/// <param name="TrainShare">The share of rows in the training part, 0.1 to 0.95. What is learned is learned there.</param>
/// <param name="Numbers">What stands in for a missing number.</param>
/// <param name="FillCategories">Whether the most frequent level stands in for a missing category.</param>
/// <param name="Categories">How categories become numbers.</param>
/// <param name="Drop">Columns left out, such as names and numbers of people.</param>
/// <param name="Seed">The same seed makes the same parts.</param>
public sealed record ProcessingRequest(
    string? Target = null, double TrainShare = 0.7, NumberImputation Numbers = NumberImputation.Mean, bool FillCategories = true,
    CategoryEncoding Categories = CategoryEncoding.OneHot, IReadOnlyList<string>? Drop = null, ulong Seed = 1);

/// <summary>What was learned of one column.</summary>
/// <param name="Column">The column.</param>
/// <param name="Kind">What it held.</param>
/// <param name="Became">The columns it became; none for one that was left out.</param>
/// <param name="Filled">Missing values that were filled.</param>
/// <param name="Fill">What they were filled with; null where nothing is.</param>
/// <param name="Codes">For a category that became one number, the number of each level.</param>
/// <param name="Unseen">Values of levels that the training part does not have; they are missing now.</param>
/// <param name="Remark">What else a reader must know.</param>
public sealed record LearnedColumn(
    string Column, ColumnKind Kind, IReadOnlyList<string> Became, int Filled, string? Fill, IReadOnlyDictionary<string, double>? Codes, int Unseen, string Remark);

/// <summary>What was learned of a table, and from which rows.</summary>
/// <param name="TrainingRows">Rows of the training part.</param>
/// <param name="OtherRows">Rows held out, to test on.</param>
/// <param name="PartColumn">The column that tells the parts apart: <c>train</c> or <c>test</c>.</param>
/// <param name="Target">The column to be predicted.</param>
/// <param name="Seed">The seed of the parts.</param>
/// <param name="Columns">What was learned of each column.</param>
public sealed record ProcessingReport(
    int TrainingRows, int OtherRows, string PartColumn, string? Target, ulong Seed, IReadOnlyList<LearnedColumn> Columns);

/// <summary>What became of processing.</summary>
public abstract record ProcessingOutcome
{
    ProcessingOutcome() { }

    /// <summary>The table of numbers, with what was learned.</summary>
    public sealed record Processed(Table Table, ProcessingReport Report) : ProcessingOutcome;

    /// <summary>The request does not fit the table.</summary>
    public sealed record Refused(string Field, string Message) : ProcessingOutcome;
}

/// <summary>Makes numbers of a table: parts are drawn first, and means, modes and levels are learned on the training part only.</summary>
public static class TableProcessing
{
    const double TrainShareMin = 0.1;
    const double TrainShareMax = 0.95;

    /// <summary>Processes a table.</summary>
    public static ProcessingOutcome Apply(Table table, ProcessingRequest request)
    {
        if (Objection(table, request) is { } refused)
        {
            return refused;
        }
        var training = TrainingRows(table, request);
        var rows = Enumerable.Range(0, table.RowCount).Where(row => training[row]).ToArray();
        List<Column> made = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        List<LearnedColumn> learned = [];
        foreach (var column in table.Columns)
        {
            var (became, told) = request.Drop?.Contains(column.Name) == true
                ? ([], Left(column, "left out as asked"))
                : column.Kind switch
                {
                    ColumnKind.Date => ([], Left(column, "a date is no number until it is made a duration; left out")),
                    ColumnKind.Text => ([], Left(column, "free text names people and is no number; left out")),
                    _ => Process(column, rows, request),
                };
            List<string> unique = [];
            foreach (var one in became)
            {
                var name = Unique(one.Name, names);
                unique.Add(name);
                made.Add(name == one.Name ? one : new NumberColumn(name, ((NumberColumn)one).Values.ToArray()));
            }
            learned.Add(told with { Became = unique });
        }
        if (made.Count == 0)
        {
            return new ProcessingOutcome.Refused("drop", "No column is left that is or can become a number. Drop fewer columns.");
        }
        var part = Unique("part", names);
        made.Add(new CategoryColumn(part, [.. training.Select(isTraining => isTraining ? 0 : 1)], ["train", "test"]));
        return new ProcessingOutcome.Processed(new Table(made),
            new ProcessingReport(rows.Length, table.RowCount - rows.Length, part, request.Target, request.Seed, learned));
    }

    static ProcessingOutcome.Refused? Objection(Table table, ProcessingRequest request)
    {
        var known = string.Join(", ", table.Columns.Select(column => column.Name));
        if (request.TrainShare is not (>= TrainShareMin and <= TrainShareMax))
        {
            return new("trainShare", $"The training share is {request.TrainShare}; give {TrainShareMin} to {TrainShareMax}.");
        }
        if (!Enum.IsDefined(request.Numbers) || !Enum.IsDefined(request.Categories))
        {
            return new("numbers", "Fill numbers by Keep, Mean or Mode, and make categories OneHot or Ordinal.");
        }
        if (request.Target is { } target && table.Find(target) is not { Kind: ColumnKind.Number or ColumnKind.Category })
        {
            return new("target", table.Find(target) is null
                ? $"There is no column '{target}'. Name one of: {known}."
                : $"The column '{target}' holds text or dates. Name one that holds numbers or categories.");
        }
        if (request.Drop?.FirstOrDefault(name => table.Find(name) is null) is { } unknown)
        {
            return new("drop", $"There is no column '{unknown}'. Name one of: {known}.");
        }
        if (request.Target is { } kept && request.Drop?.Contains(kept) == true)
        {
            return new("drop", $"'{kept}' is the target and cannot be left out.");
        }
        return table.RowCount < 2 ? new("trainShare", "A table of one row has no training part. Load more rows.") : null;
    }

    /// <summary>Whether each row is of the training part; the levels of a categorical target are in both parts in about equal shares.</summary>
    static bool[] TrainingRows(Table table, ProcessingRequest request)
    {
        var target = request.Target is { } name ? table[name] as CategoryColumn : null;
        var training = new bool[table.RowCount];
        var generator = new SeededGenerator(request.Seed);
        var taken = 0;
        var owed = 0.0;
        foreach (var group in Enumerable.Range(0, table.RowCount).GroupBy(row => target?.Codes[row] ?? 0).OrderBy(group => group.Key))
        {
            int[] rows = [.. group];
            generator.Shuffle<int>(rows);
            owed += rows.Length * request.TrainShare;
            var count = Math.Clamp((int)Math.Round(owed) - taken, 0, rows.Length);
            taken += count;
            foreach (var row in rows.AsSpan(0, count))
            {
                training[row] = true;
            }
        }
        if (taken == 0)
        {
            training[generator.NextInt(training.Length)] = true;
        }
        else if (taken == training.Length)
        {
            training[generator.NextInt(training.Length)] = false;
        }
        return training;
    }

    static (IReadOnlyList<Column> Became, LearnedColumn Told) Process(Column column, int[] trainingRows, ProcessingRequest request)
    {
        var isTarget = column.Name == request.Target;
        var options = new PreparationOptions
        {
            // What is to be predicted is never made up.
            Numbers = isTarget ? NumberImputation.Keep : request.Numbers,
            CategoryMode = !isTarget && request.FillCategories,
            Categories = isTarget ? CategoryEncoding.Ordinal : request.Categories,
        };
        var preparation = Preparation.Fit(new Table([column.Take(trainingRows)]), options);
        var matrix = preparation.Transform(new Table([column]));
        var became = Enumerable.Range(0, preparation.Features.Count)
            .Select(feature => (Column)new NumberColumn(preparation.Features[feature].Name, Values(matrix, feature))).ToList();
        if (became.Count == 0)
        {
            return ([], Left(column, "the training part has no value of it; left out"));
        }
        var fill = FillOf(preparation, column);
        var missing = Enumerable.Range(0, column.Count).Count(column.IsMissing);
        var stillMissing = Enumerable.Range(0, column.Count).Count(became[0].IsMissing);
        var unseen = fill is null ? stillMissing - missing : stillMissing;
        return (became, new LearnedColumn(
            column.Name, column.Kind, [], fill is null ? 0 : missing, fill, Codes(preparation, column, trainingRows), unseen,
            isTarget ? "the target; its missing values stay missing" : ""));
    }

    static double[] Values(FeatureMatrix matrix, int feature)
    {
        var values = new double[matrix.RowCount];
        for (var row = 0; row < values.Length; row++)
        {
            values[row] = matrix.Row(row)[feature];
        }
        return values;
    }

    // What a missing value becomes is what was learned.
    static string? FillOf(Preparation preparation, Column column)
    {
        var row = preparation.Transform(new Table([Missing(column)])).Row(0);
        var features = preparation.Features;
        for (var i = 0; i < features.Count; i++)
        {
            if (features[i].Kind == FeatureKind.Level ? row[i] == 1 : !double.IsNaN(row[i]))
            {
                return features[i].Kind == FeatureKind.Level ? features[i].Part : row[i].ToString(CultureInfo.InvariantCulture);
            }
        }
        return null;
    }

    static Column Missing(Column column) => column is CategoryColumn ? CategoryColumn.Of(column.Name, [null]) : new NumberColumn(column.Name, [double.NaN]);

    static Dictionary<string, double>? Codes(Preparation preparation, Column column, int[] trainingRows)
    {
        if (column is not CategoryColumn || preparation.Features[0].Kind != FeatureKind.Code)
        {
            return null;
        }
        var levels = Grouping.Count(column.Take(trainingRows)).Select(level => level.Label).ToArray();
        var codes = preparation.Transform(new Table([CategoryColumn.Of(column.Name, levels)]));
        return Enumerable.Range(0, levels.Length).OrderBy(row => codes.Row(row)[0]).ToDictionary(row => levels[row], row => codes.Row(row)[0]);
    }

    static LearnedColumn Left(Column column, string remark) => new(column.Name, column.Kind, [], 0, null, null, 0, remark);

    static string Unique(string wanted, HashSet<string> names)
    {
        var name = wanted;
        for (var i = 2; !names.Add(name); i++)
        {
            name = $"{wanted}_{i}";
        }
        return name;
    }
}
