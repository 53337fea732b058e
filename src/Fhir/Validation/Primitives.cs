using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>The formats of R4's primitive types (R4 section 2.24.0.1), checked by hand because regular expressions cost most of an import.</summary>
static class Primitives
{
    static readonly SearchValues<byte> Spaces = SearchValues.Create(" \t\r\n\f\v"u8);
    static readonly SearchValues<byte> IdBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."u8);
    static readonly SearchValues<byte> OidBytes = SearchValues.Create("0123456789."u8);

    /// <summary>Null when the value has the format, otherwise what would.</summary>
    public static string? Mend(PrimitiveKind kind, Element value) => kind switch
    {
        PrimitiveKind.Boolean => value.Kind is ElementKind.True or ElementKind.False ? null : "true or false, without quotes",
        PrimitiveKind.Decimal => value.Kind == ElementKind.Number ? null : "a number, without quotes",
        PrimitiveKind.Integer => Whole(value, int.MinValue) ? null : "a whole number of 32 bits, without quotes",
        PrimitiveKind.PositiveInt => Whole(value, 1) ? null : "a whole number from 1 to 2147483647, without quotes",
        PrimitiveKind.UnsignedInt => Whole(value, 0) ? null : "a whole number from 0 to 2147483647, without quotes",
        _ when value.Kind != ElementKind.Text => "a string in quotes",
        _ when value.IsEscaped => Mend(kind, Encoding.UTF8.GetBytes(value.Text!)),
        _ => Mend(kind, value.Raw),
    };

    /// <summary>Whether a text is a logical id.</summary>
    public static bool IsId(ReadOnlySpan<byte> text) => text.Length is > 0 and <= 64 && text.IndexOfAnyExcept(IdBytes) < 0;

    static bool Whole(Element value, int min) =>
        value.Kind == ElementKind.Number
        && Utf8Parser.TryParse(value.Raw, out int number, out var used)
        && used == value.Raw.Length
        && number >= min;

    static string? Mend(PrimitiveKind kind, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return "something: a value is never empty";
        }
        return kind switch
        {
            PrimitiveKind.Code => IsCode(text) ? null : "a code: no spaces at its ends, single ones inside",
            PrimitiveKind.Id => IsId(text) ? null : "1 to 64 of the characters A-Z a-z 0-9 - .",
            PrimitiveKind.Uri or PrimitiveKind.Url or PrimitiveKind.Canonical => text.IndexOfAny(Spaces) < 0 ? null : "a URI, which has no spaces",
            PrimitiveKind.Oid => text.StartsWith("urn:oid:"u8) && IsOid(text[8..]) ? null : "an OID such as urn:oid:1.2.3",
            PrimitiveKind.Uuid => text.StartsWith("urn:uuid:"u8) && Guid.TryParse(text[9..], out _) && text.Length == 45 && text.IndexOfAnyInRange((byte)'A', (byte)'F') < 0 ? null : "a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            PrimitiveKind.Date => FhirTime.TryParse(text, out var date) && date.Precision <= TimePrecision.Day ? null : "a date: YYYY, YYYY-MM or YYYY-MM-DD",
            PrimitiveKind.DateTime => IsDateTime(text) ? null : "a date, or a date and time with a zone: YYYY-MM-DDThh:mm:ss+zz:zz",
            PrimitiveKind.Instant => IsInstant(text) ? null : "an instant: YYYY-MM-DDThh:mm:ss.sss+zz:zz",
            PrimitiveKind.Time => FhirTime.IsTimeOfDay(text) ? null : "a time of day: hh:mm:ss",
            PrimitiveKind.Base64Binary => IsBase64(text) ? null : "base64",
            PrimitiveKind.Xhtml => IsDiv(text.TrimStart(" \t\r\n"u8)) ? null : "XHTML in a <div>",
            _ => text.IndexOfAnyExcept(Spaces) >= 0 ? null : "more than white space",
        };
    }

    static bool IsCode(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAny(Spaces) < 0)
        {
            return true;
        }
        if (Spaces.Contains(text[0]) || Spaces.Contains(text[^1]))
        {
            return false;
        }
        for (var at = 1; at < text.Length; at++)
        {
            if (Spaces.Contains(text[at]) && Spaces.Contains(text[at - 1]))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether a text is an object identifier in dots.</summary>
    public static bool IsOid(ReadOnlySpan<byte> text) =>
        text.Length > 2 && text[0] is >= (byte)'0' and <= (byte)'2' && text[1] == '.' && text.IndexOfAnyExcept(OidBytes) < 0
        && text[^1] != '.' && text.IndexOf(".."u8) < 0 && !BeginsPartWithZero(text);

    static bool BeginsPartWithZero(ReadOnlySpan<byte> oid)
    {
        for (var at = oid.IndexOf(".0"u8); at >= 0 && at + 2 < oid.Length;)
        {
            if (oid[at + 2] != '.')
            {
                return true;
            }
            var next = oid[(at + 2)..].IndexOf(".0"u8);
            at = next < 0 ? -1 : at + 2 + next;
        }
        return false;
    }

    static bool IsDateTime(ReadOnlySpan<byte> text) =>
        FhirTime.TryParse(text, out var time) && (time.Precision <= TimePrecision.Day || (time.Precision >= TimePrecision.Second && time.HasZone));

    static bool IsInstant(ReadOnlySpan<byte> text) =>
        FhirTime.TryParse(text, out var time) && time.Precision >= TimePrecision.Second && time.HasZone;

    static bool IsDiv(ReadOnlySpan<byte> text) =>
        text.StartsWith("<div"u8) && text.Length > 4 && (text[4] is (byte)'>' or (byte)'/' || Spaces.Contains(text[4]));

    static bool IsBase64(ReadOnlySpan<byte> text) => Base64.IsValid(text);
}
