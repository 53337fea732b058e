namespace Salus.Learning.Text;

/// <summary>Walks the words of a text without allocating: runs of letters, digits and underscores of two characters or more, in lower case; on request without those that only join others.</summary>
ref struct WordScanner(ReadOnlySpan<char> text, Span<char> buffer, bool leaveOutJoins)
{
    /// <summary>Longer words are cut to this; the buffer holds as many.</summary>
    public const int LengthMax = 64;

    static readonly char[] Lower = MakeLower();

    readonly ReadOnlySpan<char> text = text;
    readonly Span<char> buffer = buffer;
    int position;
    int length;

    /// <summary>The word last found.</summary>
    public readonly ReadOnlySpan<char> Word => buffer[..length];

    /// <summary>Finds the next word; false at the end.</summary>
    public bool Next()
    {
        while (position < text.Length)
        {
            var all = 0;
            length = 0;
            for (; position < text.Length && Fold(text[position]) is var folded && folded != 0; position++, all++)
            {
                if (length < LengthMax)
                    buffer[length++] = folded;
            }
            position++;
            if (all >= 2 && !(leaveOutJoins && JoinWords.Contains(Word)))
                return true;
        }
        return false;
    }

    static char Fold(char character) =>
        character < 128 ? Lower[character]
        : char.IsLetterOrDigit(character) || char.GetUnicodeCategory(character) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark ? char.ToLowerInvariant(character)
        : '\0';

    static char[] MakeLower()
    {
        var lower = new char[128];
        for (var i = 0; i < lower.Length; i++)
            lower[i] = char.IsAsciiLetterOrDigit((char)i) || i == '_' ? char.ToLowerInvariant((char)i) : '\0';
        return lower;
    }
}
