using System.Globalization;
using System.Text;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>Reads the values of search parameters (R4 section 3.1.1.4).</summary>
sealed class ValueParser(DateTimeOffset? now)
{
    /// <summary>A tenth of the distance from now is how far <c>ap</c> reaches.</summary>
    const int ApproximateShare = 10;

    static readonly Dictionary<string, SearchPrefix> Prefixes = new()
    {
        ["eq"] = SearchPrefix.Eq, ["ne"] = SearchPrefix.Ne, ["gt"] = SearchPrefix.Gt, ["lt"] = SearchPrefix.Lt, ["ge"] = SearchPrefix.Ge,
        ["le"] = SearchPrefix.Le, ["sa"] = SearchPrefix.Sa, ["eb"] = SearchPrefix.Eb, ["ap"] = SearchPrefix.Ap,
    };

    public static TokenValue Token(string text) => Split(text, '|') switch
    {
        [var code] => new(null, Unescape(code)),
        [var system, "" ] => new(Unescape(system), null),
        [var system, .. var code] => new(Unescape(system), Unescape(string.Join('|', code))),
        _ => new(null, Unescape(text)),
    };

    public static List<TypedIdentifierValue>? TypedIdentifiers(List<string> values, out string? wrong)
    {
        wrong = null;
        List<TypedIdentifierValue> typed = [];
        foreach (var value in values)
        {
            if (Split(value, '|') is not [var system, { Length: > 0 } code, { Length: > 0 } identifier])
            {
                wrong = $"'{value}' is not of the form system|type|value, such as http://terminology.hl7.org/CodeSystem/v2-0203|MR|12345.";
                return null;
            }
            typed.Add(new(Unescape(system), Unescape(code), Unescape(identifier)));
        }
        return typed;
    }

    static readonly Dictionary<string, double> Kilometres = new() { ["km"] = 1, ["m"] = 0.001, ["[mi_i]"] = 1.609344, ["[mi_us]"] = 1.6093472, ["[nmi_i]"] = 1.852 };

    public static List<NearValue>? Places(List<string> values, out string? wrong)
    {
        // The specification leaves to the server how far near is where no distance is given
        const double nearKilometres = 25;
        wrong = null;
        List<NearValue> places = [];
        foreach (var value in values)
        {
            var parts = Split(value, '|').ConvertAll(Unescape);
            var distance = nearKilometres;
            if (parts.Count is < 2 or > 4 || Coordinate(parts[0], 90) is not { } latitude || Coordinate(parts[1], 180) is not { } longitude
                || (parts.Count > 2 && !(double.TryParse(parts[2], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out distance) && double.IsFinite(distance)))
                || !Kilometres.TryGetValue(parts.Count == 4 ? parts[3] : "km", out var unit))
            {
                wrong = $"'{value}' is not a place to search near: expected latitude|longitude|distance|unit in degrees, such as 48.2|16.37|5|km; units are {string.Join(", ", Kilometres.Keys)}.";
                return null;
            }
            places.Add(new(latitude, longitude, distance * unit));
        }
        return places;
    }

    static double? Coordinate(string text, int most) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var degrees) && Math.Abs(degrees) <= most ? degrees : null;

    public List<DateValue>? Dates(List<string> values, out string? wrong)
    {
        wrong = null;
        List<DateValue> dates = [];
        foreach (var value in values)
        {
            var (prefix, text) = Prefixed(value);
            // A '+' of a zone that was not percent-encoded arrives as a space
            if (prefix is null || !FhirTime.TryParse(Encoding.UTF8.GetBytes(text.Replace(' ', '+')), out var time))
            {
                wrong = $"'{value}' is not a date to search by: expected YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, after eq, ne, gt, lt, ge, le, sa, eb, ap or nothing.";
                return null;
            }
            dates.Add(prefix == SearchPrefix.Ap ? Widened(time) : new(prefix.Value, time.Low, time.High));
        }
        return dates;
    }

    DateValue Widened(FhirTime time)
    {
        var reach = now is { } at ? (at < time.Low ? time.Low - at : at > time.High ? at - time.High : TimeSpan.Zero) / ApproximateShare : TimeSpan.Zero;
        return new(SearchPrefix.Ap,
            time.Low - DateTimeOffset.MinValue > reach ? time.Low - reach : DateTimeOffset.MinValue,
            DateTimeOffset.MaxValue - time.High > reach ? time.High + reach : DateTimeOffset.MaxValue);
    }

    public static List<NumberValue>? Numbers(List<string> values, out string? wrong)
    {
        wrong = null;
        List<NumberValue> numbers = [];
        foreach (var value in values)
        {
            if (Number(value) is not { } number)
            {
                wrong = $"'{value}' is not a number to search by: expected one such as 5.40, after eq, ne, gt, lt, ge, le, sa, eb, ap or nothing.";
                return null;
            }
            numbers.Add(number);
        }
        return numbers;
    }

    public static List<QuantityValue>? Quantities(List<string> values, out string? wrong)
    {
        wrong = null;
        List<QuantityValue> quantities = [];
        foreach (var value in values)
        {
            var parts = Split(value, '|');
            if (parts.Count is not (1 or 3) || Number(parts[0]) is not { } number)
            {
                wrong = $"'{value}' is not a quantity to search by: expected number, number|system|code or number||code.";
                return null;
            }
            quantities.Add(new(number, parts.Count == 3 && parts[1].Length > 0 ? Unescape(parts[1]) : null, parts.Count == 3 && parts[2].Length > 0 ? Unescape(parts[2]) : null));
        }
        return quantities;
    }

    static NumberValue? Number(string value)
    {
        var (prefix, text) = Prefixed(value);
        if (prefix is null || !decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }
        if (prefix == SearchPrefix.Ap)
        {
            var reach = Math.Abs(number) / ApproximateShare;
            return new(SearchPrefix.Ap, number, number - reach, number + reach);
        }
        var half = HalfDigit(text);
        return new(prefix.Value, number, number - half, number + half);
    }

    /// <summary>Half of the last digit that was written: 0.5 for 100, 0.005 for 5.40, 5 for 1e1.</summary>
    static decimal HalfDigit(string text)
    {
        var e = text.IndexOfAny(['e', 'E']);
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? text : text[..e];
        var point = mantissa.IndexOf('.');
        var power = exponent - (point < 0 ? 0 : mantissa.Length - point - 1);
        var digit = 1m;
        for (; power > 0 && power <= 27; power--)
        {
            digit *= 10;
        }
        for (; power < 0 && digit > 0; power++)
        {
            digit /= 10;
        }
        return digit / 2;
    }

    static (SearchPrefix? Prefix, string Text) Prefixed(string value) =>
        value.Length > 2 && char.IsAsciiLetterLower(value[0])
            ? (Prefixes.TryGetValue(value[..2], out var prefix) ? prefix : null, value[2..])
            : (SearchPrefix.Eq, value);

    /// <summary>Splits at separators that no backslash stands before.</summary>
    public static List<string> Split(string value, char separator)
    {
        var parts = new List<string>();
        var start = 0;
        for (var at = 0; at < value.Length; at++)
        {
            if (value[at] == '\\')
            {
                at++;
            }
            else if (value[at] == separator)
            {
                parts.Add(value[start..at]);
                start = at + 1;
            }
        }
        parts.Add(value[Math.Min(start, value.Length)..]);
        return parts;
    }

    public static string Unescape(string text)
    {
        if (!text.Contains('\\'))
        {
            return text;
        }
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length && (text[at + 1] is '\\' or ',' or '$' or '|'))
            {
                at++;
            }
            plain.Append(text[at]);
        }
        return plain.ToString();
    }
}
