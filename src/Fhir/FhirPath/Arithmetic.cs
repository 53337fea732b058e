namespace Salus.Fhir.FhirPath;

/// <summary>The operators of mathematics (FHIRPath section 6.6). What overflows or divides by zero is empty.</summary>
static class Arithmetic
{
    public static FhirPathCollection Calculate(Evaluation run, string name, FhirPathCollection left, FhirPathCollection right, int position)
    {
        var (a, b) = (Value(left, name, position), Value(right, name, position));
        try
        {
            var result = (a, b) switch
            {
                (IntegerItem x, IntegerItem y) => OnIntegers(name, x.Value, y.Value),
                (IntegerItem or DecimalItem, IntegerItem or DecimalItem) => OnDecimals(name, a.Number!.Value, b.Number!.Value),
                (StringItem x, StringItem y) when name == "+" => Joined(run, x.Value, y.Value),
                (TemporalItem x, QuantityItem y) when name is "+" or "-" => Moved(x.Value, y, name == "-", position),
                (QuantityItem or IntegerItem or DecimalItem, QuantityItem or IntegerItem or DecimalItem) when name is "+" or "-" or "*" or "/" =>
                    OnQuantities(name, Conversion.Quantity(a), Conversion.Quantity(b)),
                _ => throw new FhirPathException(FhirPathFault.Execution, $"'{name}' does not go between {a.TypeName} and {b.TypeName}", position),
            };
            return result is null ? default : new(result);
        }
        catch (OverflowException)
        {
            return default;
        }
    }

    public static FhirPathCollection Signed(FhirPathCollection items, bool isNegative, int position)
    {
        var sign = isNegative ? "-" : "+";
        var value = Value(items, sign, position);
        return value switch
        {
            IntegerItem or DecimalItem or QuantityItem when !isNegative => new(value),
            IntegerItem { Value: int.MinValue } => default,
            IntegerItem integer => new(new IntegerItem(-integer.Value)),
            DecimalItem number => new(new DecimalItem(-number.Value)),
            QuantityItem quantity => new(new QuantityItem(-quantity.Value, quantity.Unit)),
            _ => throw new FhirPathException(FhirPathFault.Execution, $"'{sign}' does not go before {value.TypeName}", position),
        };
    }

    public static FhirPathCollection Concatenate(Evaluation run, FhirPathCollection left, FhirPathCollection right, int position) =>
        new(Joined(run, TextOf(left, position), TextOf(right, position)));

    static string TextOf(FhirPathCollection items, int position)
    {
        if (items.IsEmpty)
        {
            return "";
        }
        var value = Value(items, "&", position);
        return value is StringItem text ? text.Value : throw new FhirPathException(FhirPathFault.Execution, $"'&' joins strings; here is {value.TypeName}", position);
    }

    static FhirPathItem Value(FhirPathCollection items, string name, int position)
    {
        if (items.OnlyItem is not { } item)
        {
            throw new FhirPathException(FhirPathFault.Execution, $"'{name}' takes single items; here are {items.Count}", position);
        }
        return item.System ?? throw new FhirPathException(FhirPathFault.Execution, $"'{name}' does not take {item.TypeName}", position);
    }

    static StringItem Joined(Evaluation run, string left, string right)
    {
        run.CheckLength((long)left.Length + right.Length);
        return new StringItem(left + right);
    }

    static FhirPathItem? OnIntegers(string name, int left, int right)
    {
        switch (name)
        {
            case "+":
                return new IntegerItem(checked(left + right));
            case "-":
                return new IntegerItem(checked(left - right));
            case "*":
                return new IntegerItem(checked(left * right));
            case "/":
                return right == 0 ? null : new DecimalItem((decimal)left / right);
            case "div":
                return right == 0 ? null : new IntegerItem(checked((int)((long)left / right)));
            default:
                return right == 0 ? null : new IntegerItem((int)((long)left % right));
        }
    }

    static FhirPathItem? OnDecimals(string name, decimal left, decimal right) => name switch
    {
        "+" => new DecimalItem(left + right),
        "-" => new DecimalItem(left - right),
        "*" => new DecimalItem(left * right),
        _ when right == 0 => null,
        "/" => new DecimalItem(left / right),
        "div" => new IntegerItem((int)decimal.Truncate(left / right)),
        _ => new DecimalItem(left % right),
    };

    static QuantityItem? OnQuantities(string name, QuantityItem left, QuantityItem right) => name switch
    {
        "+" => Quantities.Add(left, right, 1),
        "-" => Quantities.Add(left, right, -1),
        "*" => Quantities.Multiply(left, right),
        _ => Quantities.Divide(left, right),
    };

    /// <summary>A moment and a duration later or earlier. UCUM's year and month are fixed lengths, which no calendar has.</summary>
    static TemporalItem? Moved(Temporal moment, QuantityItem duration, bool back, int position)
    {
        if (Calendar.WordOf(duration.Unit) is not { } word || (!duration.IsCalendar && Calendar.IsVariable(word)))
        {
            throw new FhirPathException(FhirPathFault.Execution, $"'{duration.Unit}' is no duration of a calendar", position);
        }
        if (moment.Kind == TemporalKind.Time && word is ("year" or "month" or "week" or "day"))
        {
            throw new FhirPathException(FhirPathFault.Execution, $"A time is moved by hours and what is shorter, not by a {word}", position);
        }
        return moment.Plus(back ? -duration.Value : duration.Value, word) is { } moved ? new TemporalItem(moved) : null;
    }
}

/// <summary>Order (FHIRPath section 6.2).</summary>
static class Comparison
{
    /// <summary>The order of two single items; null when either is empty or too imprecise to tell.</summary>
    /// <exception cref="FhirPathException">There are several, or of types that have no order between them.</exception>
    public static int? Compare(FhirPathCollection left, FhirPathCollection right, string name, int position)
    {
        if (left.IsEmpty || right.IsEmpty)
        {
            return null;
        }
        if (left.OnlyItem is not { } a || right.OnlyItem is not { } b)
        {
            throw new FhirPathException(FhirPathFault.Execution, $"'{name}' compares single items; here are {left.Count} and {right.Count}", position);
        }
        return Compare(a, b, name, position);
    }

    public static int? Compare(FhirPathItem left, FhirPathItem right, string name, int position) => (left.System, right.System) switch
    {
        (IntegerItem or DecimalItem, IntegerItem or DecimalItem) => left.Number!.Value.CompareTo(right.Number!.Value),
        (StringItem a, StringItem b) => string.CompareOrdinal(a.Value, b.Value),
        (TemporalItem a, TemporalItem b) when Temporal.AreComparable(a.Value, b.Value) => Temporal.Compare(a.Value, b.Value),
        (QuantityItem or IntegerItem or DecimalItem, QuantityItem or IntegerItem or DecimalItem) =>
            Quantities.Compare(Conversion.Quantity(left.System!), Conversion.Quantity(right.System!)),
        (null, _) when left is ElementItem { IsPrimitive: true } => null,
        (_, null) when right is ElementItem { IsPrimitive: true } => null,
        _ => throw new FhirPathException(FhirPathFault.Execution, $"'{name}' does not go between {left.TypeName} and {right.TypeName}", position),
    };
}
