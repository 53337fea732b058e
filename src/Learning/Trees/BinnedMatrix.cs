using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>Every value as the byte of its bin, row by row, so that what one node reads of a row lies together.</summary>
sealed class BinnedMatrix
{
    /// <summary>Codes that may be read beyond the last, so that a row's first ones can be read as a vector.</summary>
    public const int CodesBeyond = 32;

    const int BlockRows = 2_048;

    readonly byte[][] columns;

    BinnedMatrix(FeatureBins[] bins, byte[] codes, byte[][] columns, int rows)
    {
        Bins = bins;
        Codes = codes;
        this.columns = columns;
        RowCount = rows;
    }

    public FeatureBins[] Bins { get; }

    /// <summary>Bin of feature f of row r at r × features + f.</summary>
    public byte[] Codes { get; }

    public int RowCount { get; }

    public int FeatureCount => Bins.Length;

    /// <summary>The bins of one feature, where the matrix was made to hold them by column too.</summary>
    public ReadOnlySpan<byte> Column(int feature) => columns[feature];

    /// <summary>Bins of all values; <paramref name="byColumn"/> keeps them by column too, for what reads one feature of many rows.</summary>
    public static BinnedMatrix Of(FeatureMatrix matrix, FeatureBins[] bins, ParallelOptions parallel, bool byColumn = false)
    {
        var (rows, features) = (matrix.RowCount, bins.Length);
        var codes = new byte[((long)rows * features) + CodesBeyond];
        var columns = new byte[byColumn ? features : 0][];
        for (var feature = 0; feature < columns.Length; feature++)
            columns[feature] = new byte[rows];
        Parallel.For(0, (rows + BlockRows - 1) / BlockRows, parallel, block =>
        {
            var from = block * BlockRows;
            var count = Math.Min(BlockRows, rows - from);
            Span<double> values = new double[count];
            Span<byte> column = new byte[count];
            for (var feature = 0; feature < features; feature++)
            {
                matrix.CopyColumn(feature, from, values);
                bins[feature].BinsOf(values, column);
                for (int row = 0, at = (from * features) + feature; row < count; row++, at += features)
                    codes[at] = column[row];
                if (byColumn)
                    column.CopyTo(columns[feature].AsSpan(from));
            }
        });
        return new BinnedMatrix(bins, codes, columns, rows);
    }

    /// <summary>Why a matrix is too large for trees, and the mend; null where it is not.</summary>
    public static string? Objection(FeatureMatrix matrix)
    {
        if (matrix.Features.Count > TreeEnsemble.FeaturesMax)
            return $"there are {matrix.Features.Count} features; trees take {TreeEnsemble.FeaturesMax}, use a linear model or fewer words";
        return (long)matrix.RowCount * matrix.Features.Count > Array.MaxLength - CodesBeyond
            ? $"{matrix.RowCount} rows of {matrix.Features.Count} features are more than {Array.MaxLength - CodesBeyond} values; give fewer rows or features"
            : null;
    }
}
