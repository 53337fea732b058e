using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>What stands in for a missing number.</summary>
public enum NumberImputation
{
    /// <summary>Nothing: the model routes missing values itself.</summary>
    Keep,

    /// <summary>The mean of the training rows.</summary>
    Mean,

    /// <summary>The most frequent value of the training rows, the smallest of equals.</summary>
    Mode,

    /// <summary>The median of the training rows.</summary>
    Median,
}

/// <summary>What is done to numbers so that their units do not matter.</summary>
public enum NumberScaling
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The mean of the training rows is taken off, and the rest divided by their standard deviation.</summary>
    Standard,

    /// <summary>The least of the training rows becomes 0, the greatest 1.</summary>
    Range,
}

/// <summary>How categories become numbers.</summary>
public enum CategoryEncoding
{
    /// <summary>A feature per level; above <see cref="PreparationOptions.OneHotLevelsMax"/> levels, ordinal.</summary>
    OneHot,

    /// <summary>One feature, the code by the order of levels.</summary>
    Ordinal,
}

/// <summary>How a table becomes numbers.</summary>
public sealed record PreparationOptions
{
    /// <summary>What stands in for a missing number.</summary>
    public NumberImputation Numbers { get; init; } = NumberImputation.Keep;

    /// <summary>What is done to numbers after they are filled.</summary>
    public NumberScaling Scaling { get; init; } = NumberScaling.None;

    /// <summary>Whether a column that is missing in training rows has a feature that says so.</summary>
    public bool MarkMissing { get; init; }

    /// <summary>Whole numbers of at most this many different values are levels rather than amounts; 0 takes all numbers for amounts.</summary>
    public int WholeLevelsMax { get; init; }

    /// <summary>Whole numbers are levels, too, where each of their values would have as many training rows on average: a level that it can be estimated by. 0 for never.</summary>
    public int WholeLevelRows { get; init; }

    /// <summary>Whether a date is a feature, in days since the year 2000; otherwise dates are left out.</summary>
    public bool Dates { get; init; }

    /// <summary>Whether the most frequent level stands in for a missing category; otherwise it stays missing.</summary>
    public bool CategoryMode { get; init; }

    /// <summary>How categories become numbers.</summary>
    public CategoryEncoding Categories { get; init; } = CategoryEncoding.OneHot;

    /// <summary>Categories with more levels than this are coded as one ordinal feature.</summary>
    public int OneHotLevelsMax { get; init; } = 32;

    /// <summary>Levels in fewer training rows count as unknown.</summary>
    public int LevelRowsMin { get; init; } = 1;

    /// <summary>Levels in a smaller share of the training rows count as unknown, too: where there are thousands, most say nothing but whose row it is.</summary>
    public double LevelShareMin { get; init; }

    /// <summary>How text becomes words.</summary>
    public BagOfWordsOptions Text { get; init; } = new();

    /// <summary>How text becomes weighted terms; null counts words as <see cref="Text"/> says.</summary>
    public TextOptions? Terms { get; init; }
}

/// <summary>
/// Turns tables of one shape into numbers. Everything it knows (means, modes, levels, words) was learned from the
/// training rows it was fitted on, and travels with the model.
/// </summary>
public sealed class Preparation
{
    readonly ColumnStep[] steps;

    internal Preparation(ColumnStep[] steps)
    {
        this.steps = steps;
        Features = [.. steps.SelectMany(step => step.Features)];
    }

    /// <summary>The features it makes.</summary>
    public IReadOnlyList<Feature> Features { get; }

    /// <summary>The columns it needs, with the kinds to read them as.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Columns => steps.ToDictionary(step => step.Column, step => step.Kind);

    internal ReadOnlySpan<ColumnStep> Steps => steps;

    /// <summary>Learns from the training rows only. Dates are left out unless the options take them.</summary>
    public static Preparation Fit(Table training, PreparationOptions options) =>
        new([.. training.Columns.Select(column => ColumnLearning.StepFor(column, options)).OfType<ColumnStep>()]);

    /// <summary>Learns from the training rows only and gives their sparse rows; a table of one text is read once.</summary>
    public static (Preparation Preparation, CsrMatrix Rows) FitSparse(Table training, PreparationOptions options)
    {
        if (training.Columns is [TextColumn or CategoryColumn] && options.Terms is { } terms && training.Columns[0] is TextColumn text)
        {
            var (vectorizer, rows) = TextVectorizer.FitTransform(TermStep.Texts(text), terms);
            return (new Preparation([new TermStep(text.Name, vectorizer)]), rows);
        }
        var fitted = Fit(training, options);
        return (fitted, fitted.TransformSparse(training));
    }

    /// <summary>Why this table cannot be transformed, and the mend; null where it can.</summary>
    public string? Objection(Table table)
    {
        foreach (var step in steps)
        {
            if (table.Find(step.Column) is not { } column)
                return $"there is no column '{step.Column}'; give every column the model was trained on: {string.Join(", ", Columns.Keys)}";
            if (!step.Accepts(column))
                return $"column '{step.Column}' is {column.Kind}, the model was trained on {step.Kind}; read it as {step.Kind}";
        }
        return null;
    }

    /// <summary>The numbers of a table. Columns it was not fitted on are left out; levels and words it has not seen count as missing.</summary>
    public FeatureMatrix Transform(Table table)
    {
        if (Objection(table) is { } objection)
            throw new ArgumentException(objection);
        var columns = new List<double[]>(Features.Count);
        foreach (var step in steps)
            columns.AddRange(step.Transform(table[step.Column]));
        return new FeatureMatrix(Features, [.. columns], table.RowCount);
    }

    /// <summary>The numbers of a table as sparse rows; what is missing after imputation is zero.</summary>
    public CsrMatrix TransformSparse(Table table)
    {
        if (Objection(table) is { } objection)
            throw new ArgumentException(objection);
        if (steps is [TermStep only])
            return only.Matrix(table[only.Column]);
        var writers = Array.ConvertAll(steps, step => step.Rows(table[step.Column]));
        var builder = new CsrBuilder(Features.Count);
        for (var row = 0; row < table.RowCount; row++)
        {
            var offset = 0;
            for (var i = 0; i < writers.Length; i++)
            {
                writers[i](row, offset, builder);
                offset += steps[i].Features.Count;
            }
            builder.EndRow();
        }
        return builder.Build();
    }
}
