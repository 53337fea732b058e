namespace Salus.Fhir.FhirPath;

/// <summary>The words of calendar durations and the UCUM codes that mean the same, or nearly.</summary>
static class Calendar
{
    static readonly Dictionary<string, string> Codes = new()
    {
        ["year"] = "a", ["month"] = "mo", ["week"] = "wk", ["day"] = "d",
        ["hour"] = "h", ["minute"] = "min", ["second"] = "s", ["millisecond"] = "ms",
    };

    static readonly Dictionary<string, string> Words = Codes.ToDictionary(pair => pair.Value, pair => pair.Key);

    public static bool IsWord(string unit) => Codes.ContainsKey(unit);

    /// <summary>A word in the singular from one in the singular or plural; null when it is none.</summary>
    public static string? Singular(string word) =>
        Codes.ContainsKey(word) ? word : word.EndsWith('s') && Codes.ContainsKey(word[..^1]) ? word[..^1] : null;

    /// <summary>The UCUM code of a word; any other unit as it is.</summary>
    public static string CodeOf(string unit) => Codes.GetValueOrDefault(unit, unit);

    /// <summary>The word of a UCUM code of time; null for any other unit.</summary>
    public static string? WordOf(string unit) => Codes.ContainsKey(unit) ? unit : Words.GetValueOrDefault(unit);

    /// <summary>Whether a calendar duration has no fixed length, so that it equals no UCUM unit.</summary>
    public static bool IsVariable(string word) => word is "year" or "month";
}
