using System.Buffers;
using System.Runtime.CompilerServices;

namespace Salus.Learning.Trees;

/// <summary>Sorts numbers; by radix where single precision holds them all, as it does most that were measured.</summary>
static class NumberSort
{
    const int DigitBits = 11;
    const int Digits = 1 << DigitBits;
    const int FewRows = 1_024;

    /// <summary>Sorts numbers of which none is NaN.</summary>
    public static void Sort(Span<double> values)
    {
        if (values.Length < FewRows || !AreSingle(values))
        {
            values.Sort();
            return;
        }
        var keys = ArrayPool<uint>.Shared.Rent(2 * values.Length);
        var from = keys.AsSpan(0, values.Length);
        var into = keys.AsSpan(values.Length, values.Length);
        for (var i = 0; i < values.Length; i++)
            from[i] = KeyOf((float)values[i]);
        for (var shift = 0; shift < 32; shift += DigitBits)
        {
            Pass(from, into, shift);
            var sorted = into;
            into = from;
            from = sorted;
        }
        for (var i = 0; i < values.Length; i++)
            values[i] = ValueOf(from[i]);
        ArrayPool<uint>.Shared.Return(keys);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static bool AreSingle(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            if ((float)value != value)
                return false;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Pass(ReadOnlySpan<uint> from, Span<uint> into, int shift)
    {
        Span<int> places = stackalloc int[Digits];
        places.Clear();
        foreach (var key in from)
            places[(int)(key >> shift) & (Digits - 1)]++;
        var before = 0;
        for (var digit = 0; digit < Digits; digit++)
        {
            var here = places[digit];
            places[digit] = before;
            before += here;
        }
        foreach (var key in from)
            into[places[(int)(key >> shift) & (Digits - 1)]++] = key;
    }

    // Bits that rise as the numbers do: those below zero are turned round.
    static uint KeyOf(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return bits ^ ((uint)((int)bits >> 31) | 0x8000_0000);
    }

    static double ValueOf(uint key) => BitConverter.UInt32BitsToSingle(key ^ ((uint)((int)~key >> 31) | 0x8000_0000));
}
