using System.Collections.Frozen;
using System.Text;

namespace Salus.Learning.Text;

/// <summary>How text becomes words.</summary>
/// <param name="KeepNumbers">Whether runs of digits are words too.</param>
/// <param name="MarkNegation">Whether words after a negation ("denies", "no", "without") and before the clause ends are marked as denied.</param>
/// <param name="LengthMin">Words of fewer letters are left out.</param>
public sealed record TokenizerOptions(bool KeepNumbers = false, bool MarkNegation = true, int LengthMin = 2);

/// <summary>Splits text into lower-case words of Unicode letters; English words that only join others are left out.</summary>
public static class Tokenizer
{
    /// <summary>Stands before a word that the text denies ("denies fever" gives "¬fever").</summary>
    public const char Denied = '¬';

    // A word beyond this is noise (encoded data, a URL); cutting keeps vocabularies bounded.
    const int LengthMax = 64;

    static readonly FrozenSet<string> Negations =
        new[] { "no", "not", "denies", "denied", "without", "never", "absent", "negative" }.ToFrozenSet(StringComparer.Ordinal);

    static readonly FrozenSet<string> Turns =
        new[] { "but", "however", "although", "reports", "with", "has" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The words in their order, denied ones with the mark before them.</summary>
    public static IEnumerable<string> Words(string text, TokenizerOptions options)
    {
        var word = new StringBuilder();
        var denied = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetter(rune) || (options.KeepNumbers && Rune.IsDigit(rune)) || (word.Length > 0 && IsMark(rune)))
            {
                if (word.Length < LengthMax)
                    word.Append(Rune.ToLowerInvariant(rune).ToString());
                continue;
            }
            if (Finish(word, options, ref denied) is { } found)
                yield return found;
            if (rune.Value is '.' or ';' or ':' or '!' or '?' or '\n')
                denied = false;
        }
        if (Finish(word, options, ref denied) is { } last)
            yield return last;
    }

    static string? Finish(StringBuilder word, TokenizerOptions options, ref bool denied)
    {
        if (word.Length == 0)
            return null;
        var found = word.ToString();
        word.Clear();
        if (options.MarkNegation)
        {
            if (Negations.Contains(found))
            {
                denied = true;
                return null;
            }
            if (Turns.Contains(found))
                denied = false;
        }
        if (found.Length < options.LengthMin || JoinWords.Contains(found))
            return null;
        return denied ? Denied + found : found;
    }

    static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;
}
