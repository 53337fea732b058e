using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>A fingerprint of each row's values: alike rows have the same, others practically never.</summary>
static class RowKeys
{
    public static UInt128[] Of(Table table)
    {
        var (high, low) = (new ulong[table.RowCount], new ulong[table.RowCount]);
        foreach (var column in table.Columns)
        {
            for (var row = 0; row < high.Length; row++)
            {
                var value = Fingerprint(column, row);
                high[row] = SeededGenerator.Derive(high[row], value);
                low[row] = SeededGenerator.Derive(low[row] ^ 0x5A5A5A5A, value);
            }
        }
        return [.. high.Zip(low, (first, second) => new UInt128(first, second))];
    }

    static ulong Fingerprint(Column column, int row)
    {
        if (column.IsMissing(row))
            return 1;
        if (column is NumberColumn numbers)
            return (ulong)BitConverter.DoubleToInt64Bits(numbers.Values[row] + 0.0);
        var hash = 0xCBF29CE484222325;
        foreach (var character in column.Show(row).AsSpan().Trim())
            hash = (hash ^ character) * 0x100000001B3;
        return hash;
    }
}
