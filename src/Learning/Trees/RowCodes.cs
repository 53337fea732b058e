using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Salus.Learning.Trees;

/// <summary>
/// The bins of a block of rows as trees ask for them. Each feature has two slots: in the lower a missing value is the
/// least code, in the upper the greatest. 32 rows' slots stand together, so that what one tree asks of them is near:
/// a byte a code for crowns and short nodes, 16 bits for long ones.
/// </summary>
sealed class RowCodes(int slots, int rows, bool isNarrow, bool isWide)
{
    /// <summary>The code of a missing value that goes right.</summary>
    public const ushort Greatest = ushort.MaxValue;

    readonly byte[] narrow = isNarrow ? new byte[slots * rows] : [];
    readonly ushort[] wide = isWide ? new ushort[slots * rows] : [];
    readonly byte[] bins = new byte[rows];

    /// <summary>Room for crowns.</summary>
    public byte[] Room { get; } = isNarrow ? TreeCrown.NewRoom() : [];

    /// <summary>What was read of trees before their turn; nobody asks for it.</summary>
    public int Fetched { get; set; }

    /// <summary>The bytes of 32 rows, slot after slot.</summary>
    public ReadOnlySpan<byte> Narrow(int row) => narrow.AsSpan(row * slots, TreeCrown.Rows * slots);

    /// <summary>The first code of 32 rows, of so many bytes a code.</summary>
    public ref byte First(int row, int codeBytes) =>
        ref codeBytes == 1 ? ref narrow[row * slots] : ref Unsafe.As<ushort, byte>(ref wide[row * slots]);

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
            var at = ((row & -TreeCrown.Rows) * slots) + (2 * feature * TreeCrown.Rows) + (row & (TreeCrown.Rows - 1));
            wide[at] = bin == of.Bins ? (ushort)0 : (ushort)(bin + 1);
            wide[at + TreeCrown.Rows] = bin == of.Bins ? Greatest : (ushort)(bin + 1);
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
            var at = (row * slots) + (2 * feature * TreeCrown.Rows);
            if (isNarrow)
            {
                var sign = Vector256.Create(TreeCrown.CodeOf(0));
                (least ^ sign).CopyTo(narrow, at);
                (greatest ^ sign).CopyTo(narrow, at + TreeCrown.Rows);
            }
            if (isWide)
            {
                var (lower, upper) = Vector256.Widen(bin);
                WriteWide(lower, missing, at);
                WriteWide(upper, missing, at + Vector256<ushort>.Count);
            }
        }
    }

    void WriteWide(Vector256<ushort> bin, int missing, int at)
    {
        var isMissing = Vector256.Equals(bin, Vector256.Create((ushort)missing));
        var code = bin + Vector256<ushort>.One;
        Vector256.AndNot(code, isMissing).CopyTo(wide, at);
        (code | isMissing).CopyTo(wide, at + TreeCrown.Rows);
    }

    /// <summary>Writes the codes of one row alone, a slot each, of so many bytes a code.</summary>
    public static void Write(Span<byte> codes, int feature, int bin, int missing, bool isNarrow)
    {
        if (isNarrow)
        {
            codes[2 * feature] = TreeCrown.CodeOf(bin == missing ? 0 : bin);
            codes[(2 * feature) + 1] = TreeCrown.CodeOf(bin == missing ? byte.MaxValue : bin);
            return;
        }
        var wide = MemoryMarshal.Cast<byte, ushort>(codes);
        wide[2 * feature] = bin == missing ? (ushort)0 : (ushort)(bin + 1);
        wide[(2 * feature) + 1] = bin == missing ? Greatest : (ushort)(bin + 1);
    }
}
