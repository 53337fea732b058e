using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics;

namespace Salus.Fhir.FhirPath;

/// <summary>
/// A unit of UCUM (case-sensitive codes, section 2) as an exact multiple of base units. Covers the prefixes and the units that clinical
/// records use; special units with an offset (Celsius, Fahrenheit) are measured from absolute zero when they stand alone.
/// </summary>
sealed class UcumUnit
{
    const int CodeCharactersMax = 64;
    const int CachedMax = 4_096;
    const int DimensionCount = 8;
    const decimal DecimalFastMax = 1_000_000_000_000m;

    static readonly ConcurrentDictionary<string, UcumUnit?> Cached = new();

    readonly sbyte[] _dimensions;

    /// <summary>The factor where a decimal holds it exactly and there is no offset, which is the common case.</summary>
    readonly decimal? _decimalFactor;

    UcumUnit(Ratio factor, sbyte[] dimensions, Ratio offset = default, string? arbitrary = null)
    {
        Factor = factor;
        Offset = offset;
        Arbitrary = arbitrary;
        _dimensions = dimensions;
        _decimalFactor = offset.CompareTo(default) == 0 && factor.ToDecimal() is { } near && Ratio.Of(near).CompareTo(factor) == 0 ? Numbers.Trimmed(near) : null;
    }

    /// <summary>How many base units one is.</summary>
    public Ratio Factor { get; }

    /// <summary>What its zero is in base units.</summary>
    public Ratio Offset { get; }

    /// <summary>Whether its zero is not that of its base units.</summary>
    public bool IsSpecial => Offset.CompareTo(default) != 0;

    /// <summary>The name of an arbitrary unit (<c>[iU]</c>), comparable with itself alone; null for all others.</summary>
    public string? Arbitrary { get; }

    /// <summary>The unit of a code; null when it is not known here.</summary>
    public static UcumUnit? Parse(string code)
    {
        if (Cached.TryGetValue(code, out var known))
        {
            return known;
        }
        var unit = code.Length is 0 or > CodeCharactersMax ? null : new Reader(code).Whole();
        if (Cached.Count < CachedMax)
        {
            Cached.TryAdd(code, unit);
        }
        return unit;
    }

    /// <summary>Whether both measure the same.</summary>
    public bool IsComparableTo(UcumUnit other) => _dimensions.AsSpan().SequenceEqual(other._dimensions) && Arbitrary == other.Arbitrary;

    /// <summary>A number of this unit in base units.</summary>
    public Ratio InBase(decimal value) => (Ratio.Of(value) * Factor) + Offset;

    /// <summary>The order of two numbers of units that measure the same.</summary>
    public static int Compare(decimal left, UcumUnit leftUnit, decimal right, UcumUnit rightUnit) =>
        leftUnit.InDecimal(left) is { } a && rightUnit.InDecimal(right) is { } b ? a.CompareTo(b) : leftUnit.InBase(left).CompareTo(rightUnit.InBase(right));

    /// <summary>A number in base units; null where a decimal would round it.</summary>
    decimal? InDecimal(decimal value)
    {
        if (_decimalFactor is not { } factor || Math.Abs(value) > DecimalFastMax || Math.Abs(factor) > DecimalFastMax)
        {
            return null;
        }
        var product = value * factor;
        return product.Scale == value.Scale + factor.Scale ? product : null;
    }

    UcumUnit Times(UcumUnit other, int sign)
    {
        var dimensions = new sbyte[DimensionCount];
        for (var index = 0; index < DimensionCount; index++)
        {
            dimensions[index] = checked((sbyte)(_dimensions[index] + (sign * other._dimensions[index])));
        }
        var arbitrary = (Arbitrary, other.Arbitrary) switch
        {
            (null, null) => null,
            ({ } one, null) => one,
            (null, { } two) => sign > 0 ? two : "/" + two,
            ({ } one, { } two) => sign < 0 && one == two ? null : $"{one}{(sign > 0 ? '.' : '/')}{two}",
        };
        return new(sign > 0 ? Factor * other.Factor : Factor / other.Factor, dimensions, default, arbitrary);
    }

    UcumUnit Power(int exponent)
    {
        var result = new UcumUnit(Ratio.One, new sbyte[DimensionCount]);
        for (var count = Math.Abs(exponent); count > 0; count--)
        {
            result = result.Times(this, Math.Sign(exponent));
        }
        return result;
    }

    /// <summary>Reads a code: terms with <c>.</c> and <c>/</c>, parentheses, exponents, annotations and whole numbers.</summary>
    sealed class Reader(string code)
    {
        const int ExponentMax = 30;
        const int NestingMax = 8;
        int _at;
        int _depth;

        public UcumUnit? Whole()
        {
            try
            {
                var unit = Term();
                return _at == code.Length ? unit : null;
            }
            catch (OverflowException)
            {
                return null;
            }
        }

        UcumUnit? Term()
        {
            var result = new UcumUnit(Ratio.One, new sbyte[DimensionCount]);
            var sign = 1;
            var isFirst = true;
            if (Take('/'))
            {
                (sign, isFirst) = (-1, false);
            }
            while (true)
            {
                if (Component() is not { } component)
                {
                    return null;
                }
                result = isFirst ? component : result.Times(component, sign);
                isFirst = false;
                if (Take('.'))
                {
                    sign = 1;
                }
                else if (Take('/'))
                {
                    sign = -1;
                }
                else
                {
                    return result;
                }
            }
        }

        UcumUnit? Component()
        {
            if (Take('('))
            {
                if (++_depth > NestingMax || Term() is not { } inner || !Take(')'))
                {
                    return null;
                }
                _depth--;
                return inner;
            }
            if (Annotation())
            {
                return new(Ratio.One, new sbyte[DimensionCount]);
            }
            var start = _at;
            var unit = Symbol() is { Length: > 0 } symbol ? OfSymbol(symbol) : null;
            if (unit is null)
            {
                _at = start;
                return Digits() is { Length: > 0 } digits ? new(Ratio.Of(decimal.Parse(digits, CultureInfo.InvariantCulture)), new sbyte[DimensionCount]) : null;
            }
            var exponent = Exponent();
            Annotation();
            return exponent is null or > ExponentMax or < -ExponentMax ? null : exponent == 1 ? unit : unit.Power(exponent.Value);
        }

        /// <summary>A symbol runs to an operator, a bracketed part being whole; its trailing digits are the exponent.</summary>
        string Symbol()
        {
            var start = _at;
            if (code.AsSpan(_at).StartsWith("10*") || code.AsSpan(_at).StartsWith("10^"))
            {
                _at += 3;
                return "10*";
            }
            while (_at < code.Length && code[_at] is not ('.' or '/' or '(' or ')' or '{' or '+' or '-') && !char.IsAsciiDigit(code[_at]))
            {
                if (code[_at] == '[')
                {
                    var end = code.IndexOf(']', _at);
                    _at = end < 0 ? code.Length : end;
                }
                _at = Math.Min(_at + 1, code.Length);
            }
            return code[start.._at];
        }

        int? Exponent()
        {
            var sign = Take('-') ? -1 : 1;
            var isSigned = sign < 0 || Take('+');
            var digits = Digits();
            return digits.Length is 0 or > 2 ? (digits.Length == 0 && !isSigned ? 1 : null) : sign * int.Parse(digits, CultureInfo.InvariantCulture);
        }

        string Digits()
        {
            var start = _at;
            while (_at < code.Length && char.IsAsciiDigit(code[_at]))
            {
                _at++;
            }
            return code[start..Math.Min(_at, start + 20)];
        }

        bool Annotation()
        {
            if (_at >= code.Length || code[_at] != '{')
            {
                return false;
            }
            var end = code.IndexOf('}', _at);
            if (end < 0)
            {
                return false;
            }
            _at = end + 1;
            return true;
        }

        bool Take(char expected)
        {
            if (_at < code.Length && code[_at] == expected)
            {
                _at++;
                return true;
            }
            return false;
        }
    }

    static UcumUnit? OfSymbol(string symbol)
    {
        if (UcumTable.Find(symbol) is { } atom)
        {
            return Of(atom, Ratio.One);
        }
        foreach (var length in (ReadOnlySpan<int>)[2, 1])
        {
            if (symbol.Length > length && UcumTable.Prefix(symbol[..length]) is { } power && UcumTable.Find(symbol[length..]) is { IsMetric: true } metric)
            {
                return Of(metric, power < 0 ? Ratio.One / Ratio.Ten(-power) : Ratio.Ten(power));
            }
        }
        return null;
    }

    static UcumUnit Of(UcumAtom atom, Ratio prefix)
    {
        if (atom.Base >= 0)
        {
            var dimensions = new sbyte[DimensionCount];
            dimensions[atom.Base] = 1;
            return new(prefix, dimensions);
        }
        if (atom.IsArbitrary)
        {
            return new(prefix, new sbyte[DimensionCount], default, atom.Symbol);
        }
        var unit = Parse(atom.Unit)!;
        return new(prefix * atom.Factor * unit.Factor, unit._dimensions, atom.Offset, unit.Arbitrary);
    }
}

/// <summary>An exact ratio of whole numbers.</summary>
readonly struct Ratio
{
    readonly BigInteger _top;

    /// <summary>One less than the denominator, so that the default is zero.</summary>
    readonly BigInteger _bottomLessOne;

    Ratio(BigInteger top, BigInteger bottom)
    {
        var shared = BigInteger.GreatestCommonDivisor(top, bottom);
        _top = top / shared;
        _bottomLessOne = (bottom / shared) - 1;
    }

    BigInteger Bottom => _bottomLessOne + 1;

    public static Ratio One { get; } = new(1, 1);

    public static Ratio Ten(int power) => new(BigInteger.Pow(10, power), 1);

    public static Ratio Of(decimal value)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        var whole = ((BigInteger)(uint)parts[2] << 64) | ((BigInteger)(uint)parts[1] << 32) | (uint)parts[0];
        return new(parts[3] < 0 ? -whole : whole, BigInteger.Pow(10, value.Scale));
    }

    public static Ratio operator *(Ratio left, Ratio right) => new(left._top * right._top, left.Bottom * right.Bottom);

    public static Ratio operator /(Ratio left, Ratio right) => right._top.Sign < 0
        ? new(-left._top * right.Bottom, left.Bottom * -right._top)
        : new(left._top * right.Bottom, left.Bottom * right._top);

    public static Ratio operator +(Ratio left, Ratio right) => new((left._top * right.Bottom) + (right._top * left.Bottom), left.Bottom * right.Bottom);

    public static Ratio operator -(Ratio left, Ratio right) => left + new Ratio(-right._top, right.Bottom);

    public int CompareTo(Ratio other) => (_top * other.Bottom).CompareTo(other._top * Bottom);

    /// <summary>The nearest decimal; null when there is none.</summary>
    public decimal? ToDecimal()
    {
        var scaled = BigInteger.Divide(BigInteger.Abs(_top) * BigInteger.Pow(10, 28), Bottom);
        var digits = 28;
        while (digits > 0 && BigInteger.Log10(scaled + 1) >= 28)
        {
            scaled /= 10;
            digits--;
        }
        return scaled > new BigInteger(decimal.MaxValue) ? null : Scaled(scaled, digits) * (_top.Sign < 0 ? -1 : 1);
    }

    static decimal Scaled(BigInteger whole, int digits) =>
        new((int)(uint)(whole & uint.MaxValue), (int)(uint)((whole >> 32) & uint.MaxValue), (int)(uint)((whole >> 64) & uint.MaxValue), false, (byte)digits);
}
