using System.Globalization;
using System.Text;

namespace Salus.Fhir.Search;

/// <summary>Text as string searches compare it (R4 section 3.1.1.4.8): case, accents and runs of white space do not count.</summary>
public static class NormalisedText
{
    /// <summary>The normalised form.</summary>
    public static string Of(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (char.IsWhiteSpace(character))
            {
                if (result.Length > 0 && result[^1] != ' ')
                {
                    result.Append(' ');
                }
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(character) != UnicodeCategory.NonSpacingMark)
            {
                result.Append(Diacritics.Remove(char.ToLowerInvariant(character)));
            }
        }
        return result.ToString().TrimEnd();
    }
}
