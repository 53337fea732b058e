using System.Collections.Frozen;

namespace Salus.Learning.Text;

/// <summary>English words that join others and tell nothing of themselves. Negations are not among them.</summary>
static class JoinWords
{
    static readonly FrozenSet<string> Words = new[]
    {
        "a", "an", "the", "and", "or", "but", "of", "to", "in", "on", "at", "for", "from", "with", "by", "as", "into", "onto", "than", "then", "so", "also", "such",
        "is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "having", "do", "does", "did",
        "this", "that", "these", "those", "there", "here", "it", "its", "he", "him", "his", "she", "her", "hers", "they", "them", "their", "theirs",
        "we", "us", "our", "you", "your", "me", "my", "who", "whom", "whose", "which", "what", "when", "where", "while", "if", "both", "each",
    }.ToFrozenSet(StringComparer.Ordinal);

    static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Words.GetAlternateLookup<ReadOnlySpan<char>>();

    public static bool Contains(ReadOnlySpan<char> word) => Lookup.Contains(word);
}
