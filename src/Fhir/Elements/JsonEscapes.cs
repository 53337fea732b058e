using System.Globalization;

namespace Salus.Fhir.Elements;

/// <summary>Looks at the escapes of a JSON string that a parser has found well formed.</summary>
static class JsonEscapes
{
    /// <summary>The offset of the first escape that is no character (a lone surrogate, NUL), or -1.</summary>
    public static int FirstUnusable(ReadOnlySpan<byte> escaped)
    {
        var at = 0;
        while (true)
        {
            var step = escaped[at..].IndexOf((byte)'\\');
            if (step < 0)
            {
                return -1;
            }
            at += step;
            if (escaped[at + 1] != 'u')
            {
                at += 2;
                continue;
            }
            var unit = Unit(escaped, at);
            if (char.IsHighSurrogate(unit) && IsLowEscape(escaped, at + 6))
            {
                at += 12;
                continue;
            }
            if (unit == 0 || char.IsSurrogate(unit))
            {
                return at;
            }
            at += 6;
        }
    }

    static bool IsLowEscape(ReadOnlySpan<byte> escaped, int at) =>
        at + 6 <= escaped.Length && escaped[at] == '\\' && escaped[at + 1] == 'u' && char.IsLowSurrogate(Unit(escaped, at));

    static char Unit(ReadOnlySpan<byte> escaped, int at) =>
        (char)ushort.Parse(escaped.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
