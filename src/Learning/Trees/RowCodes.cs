using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Salus.Learning.Trees;

/// <summary>
/// The bins of a block of rows as trees ask for them. Each feature has two slots: in the lower a missing value is the
/// least code, in the upper the greatest. For crowns a byte a code, 32 rows' slots together; for walks 16 bits, a slot's
/// rows together.
/// </summary>
sealed class RowCodes(int slots, int rows, bool isNarrow, bool isWide)
{
    /// <summary>The code of a missing value that goes right.</summary>
    public const ushort Greatest = ushort.MaxValue;

    readonly byte[] narrow = isNarrow ? new byte[slots * rows] : [];
    readonly byte[] bins = new byte[rows];

    /// <summary>16 bits a code, slot after slot; a value's code is one above its bin.</summary>
    public ushort[] Wide { get; } = isWide ? new ushort[slots * rows] : [];

    /// <summary>Room for crowns.</summary>
    public byte[] Room { get; } = isNarrow ? TreeCrown.NewRoom() : [];

    /// <summary>The bytes of 32 rows, slot after slot.</summary>
    public ReadOnlySpan<byte> Narrow(int row) => narrow.AsSpan(row * slots, TreeCrown.Rows * slots);

    /// <summary>Writes one feature's values, from the first row on.</summary>
    public void Write(int feature, FeatureBins of, ReadOnlySpan<double> values)
    {
        if (of.Bins <= FeatureBins.BinsLimit)
        {
            of.BinsOf(values, bins);
            Write(feature, of.Bins, bins);
            return;
        }
        for (var row = 0; row < values.Length; row++)
        {
            var bin = of.BinOf(values[row]);
            Wide[(2 * feature * rows) + row] = bin == of.Bins ? (ushort)0 : (ushort)(bin + 1);
            Wide[(((2 * feature) + 1) * rows) + row] = bin == of.Bins ? Greatest : (ushort)(bin + 1);
        }
    }

    /// <summary>Writes one feature's bins, a byte for each row of the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(int feature, int missing, ReadOnlySpan<byte> of)
    {
        for (var row = 0; row < rows; row += TreeCrown.Rows)
        {
            var bin = Vector256.LoadUnsafe(in of[row]);
            var isMissing = Vector256.Equals(bin, Vector256.Create((byte)missing));
            var (least, greatest) = (Vector256.AndNot(bin, isMissing), bin | isMissing);
            if (isNarrow)
            {
                var sign = Vector256.Create(TreeCrown.CodeOf(0));
                var at = (row * slots) + (2 * feature * TreeCrown.Rows);
                (least ^ sign).CopyTo(narrow, at);
                (greatest ^ sign).CopyTo(narrow, at + TreeCrown.Rows);
            }
            if (isWide)
            {
                var (lower, upper) = Vector256.Widen(bin);
                WriteWide(lower, missing, (2 * feature * rows) + row);
                WriteWide(upper, missing, (2 * feature * rows) + row + Vector256<ushort>.Count);
            }
        }
    }

    void WriteWide(Vector256<ushort> bin, int missing, int at)
    {
        var isMissing = Vector256.Equals(bin, Vector256.Create((ushort)missing));
        var code = bin + Vector256<ushort>.One;
        Vector256.AndNot(code, isMissing).CopyTo(Wide, at);
        (code | isMissing).CopyTo(Wide, at + rows);
    }
}
