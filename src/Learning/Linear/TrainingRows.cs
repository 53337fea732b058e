using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>What every trainer over sparse rows asks of them.</summary>
static class TrainingRows
{
    public const int ClassesMax = 1_000;

    /// <summary>Why the rows cannot train, and the mend; null where they can.</summary>
    public static string? Objection(CsrMatrix rows, int[] labels, int classes)
    {
        if (rows.RowCount != labels.Length)
            return $"there are {rows.RowCount} rows and {labels.Length} labels; give one label a row";
        if (rows.ColumnCount == 0)
            return "the rows have no column; give at least one";
        if (classes is < 2 or > ClassesMax)
            return $"there are {classes} classes; give 2 to {ClassesMax}";
        var counts = new int[classes];
        foreach (var label in labels)
        {
            if (label < 0 || label >= classes)
                return $"the label {label} is outside 0 to {classes - 1}";
            counts[label]++;
        }
        if (Array.IndexOf(counts, 0) is >= 0 and var empty)
            return $"class {empty} has no row; give rows of every class";
        for (var row = 0; row < rows.RowCount; row++)
        {
            foreach (var value in rows.Values(row))
            {
                if (!double.IsFinite(value))
                    return $"row {row} holds a value that is not finite; fill missing values first";
            }
        }
        return null;
    }

    /// <summary>The weight of each row: 1, or so that every class weighs alike.</summary>
    public static double[] Weights(int[] labels, int classes, bool balanced)
    {
        var ofClass = ClassWeights(labels, classes, balanced);
        return Array.ConvertAll(labels, label => ofClass[label]);
    }

    /// <summary>The weight of each class: 1, or rows / (classes × rows of the class).</summary>
    public static double[] ClassWeights(int[] labels, int classes, bool balanced)
    {
        var counts = new int[classes];
        foreach (var label in labels)
            counts[label]++;
        return Array.ConvertAll(counts, count => balanced ? (double)labels.Length / ((double)classes * count) : 1);
    }
}
