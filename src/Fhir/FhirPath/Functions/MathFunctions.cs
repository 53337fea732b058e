namespace Salus.Fhir.FhirPath;

/// <summary>Mathematics (FHIRPath section 5.7). What has no value, or none that a decimal holds, is empty.</summary>
static class MathFunctions
{
    const int DigitsMax = 28;

    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("abs", 0, 0, Abs);
        add("ceiling", 0, 0, Whole(decimal.Ceiling));
        add("floor", 0, 0, Whole(decimal.Floor));
        add("truncate", 0, 0, Whole(decimal.Truncate));
        add("round", 0, 1, Round);
        add("exp", 0, 0, Real(Math.Exp));
        add("ln", 0, 0, Real(value => value > 0 ? Math.Log(value) : double.NaN));
        add("sqrt", 0, 0, Real(Math.Sqrt));
        add("log", 1, 1, Log);
        add("power", 1, 1, Power);
    }

    static decimal? Number(Call call, FhirPathCollection input)
    {
        if (call.Single(input) is not { } item)
        {
            return null;
        }
        return item.Number ?? throw call.Fail($"is for a number; here is {item.TypeName}");
    }

    static FhirPathCollection Abs(Call call, Frame frame, FhirPathCollection input) => call.Single(input)?.System switch
    {
        null when input.IsEmpty => default,
        IntegerItem { Value: int.MinValue } => default,
        IntegerItem integer => new(new IntegerItem(Math.Abs(integer.Value))),
        DecimalItem number => new(new DecimalItem(Math.Abs(number.Value))),
        QuantityItem quantity => new(new QuantityItem(Math.Abs(quantity.Value), quantity.Unit)),
        _ => throw call.Fail($"is for a number or quantity; here is {input[0].TypeName}"),
    };

    static Function Whole(Func<decimal, decimal> apply) => (call, _, input) =>
        Number(call, input) is { } number && apply(number) is var whole && whole is >= int.MinValue and <= int.MaxValue ? new(new IntegerItem((int)whole)) : default;

    static FhirPathCollection Round(Call call, Frame frame, FhirPathCollection input)
    {
        if (Number(call, input) is not { } number)
        {
            return default;
        }
        var digits = call.Count == 0 ? 0 : call.Integer(frame, 0);
        return digits switch
        {
            null => default,
            < 0 => throw call.Fail("takes a count of digits that is not negative"),
            _ => new(new DecimalItem(Numbers.Round(number, Math.Min(digits.Value, DigitsMax)))),
        };
    }

    static Function Real(Func<double, double> apply) => (call, _, input) => Number(call, input) is { } number ? Decimal(apply((double)number)) : default;

    static FhirPathCollection Log(Call call, Frame frame, FhirPathCollection input)
    {
        if (Number(call, input) is not { } number || Number(call, call.Argument(frame, 0)) is not { } radix)
        {
            return default;
        }
        return number > 0 && radix > 0 && radix != 1
            ? Decimal(radix == 10 ? Math.Log10((double)number) : radix == 2 ? Math.Log2((double)number) : Math.Log((double)number, (double)radix))
            : default;
    }

    static FhirPathCollection Power(Call call, Frame frame, FhirPathCollection input)
    {
        if (Number(call, input) is not { } number || Number(call, call.Argument(frame, 0)) is not { } exponent)
        {
            return default;
        }
        if (exponent == decimal.Truncate(exponent) && Math.Abs(exponent) <= 1_000)
        {
            return Exact(number, (int)exponent, call.Single(input)?.System is IntegerItem);
        }
        return Decimal(Math.Pow((double)number, (double)exponent));
    }

    static FhirPathCollection Exact(decimal number, int exponent, bool isInteger)
    {
        if (number == 0 && exponent < 0)
        {
            return default;
        }
        try
        {
            var result = 1m;
            for (var count = Math.Abs(exponent); count > 0; count--)
            {
                result *= number;
            }
            if (exponent < 0)
            {
                return new(new DecimalItem(1 / result));
            }
            return isInteger && result is >= int.MinValue and <= int.MaxValue ? new(new IntegerItem((int)result)) : new(new DecimalItem(result));
        }
        catch (Exception outside) when (outside is OverflowException or DivideByZeroException)
        {
            return default;
        }
    }

    static FhirPathCollection Decimal(double value) =>
        double.IsFinite(value) && Math.Abs(value) < (double)decimal.MaxValue ? new(new DecimalItem((decimal)value)) : default;
}
