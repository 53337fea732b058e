namespace Salus.Learning.Text;

/// <summary>How many texts a word must be in, and how many words are kept.</summary>
/// <param name="DocumentsMin">Words in fewer training texts are left out.</param>
/// <param name="WordsMax">The words in the most training texts are kept, up to this many.</param>
/// <param name="Tokens">How text becomes words.</param>
public sealed record BagOfWordsOptions(int DocumentsMin = 3, int WordsMax = 500, TokenizerOptions? Tokens = null);

/// <summary>Word counts of one text: indices into the vocabulary, ascending, each with its count.</summary>
public readonly record struct SparseRow(int[] Indices, int[] Counts);

/// <summary>A vocabulary learned from training texts, and the counting of other texts by it.</summary>
public sealed class BagOfWords
{
    readonly Dictionary<string, int> indices;
    readonly string[] words;

    /// <summary>Takes a known vocabulary of distinct words.</summary>
    public BagOfWords(IReadOnlyList<string> words, TokenizerOptions tokens)
    {
        this.words = [.. words];
        Tokens = tokens;
        indices = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < this.words.Length; i++)
        {
            if (!indices.TryAdd(this.words[i], i))
                throw new ArgumentException($"the word '{this.words[i]}' is in the vocabulary twice");
        }
    }

    /// <summary>The vocabulary, the most widespread word first.</summary>
    public IReadOnlyList<string> Words => words;

    /// <summary>How text becomes words.</summary>
    public TokenizerOptions Tokens { get; }

    /// <summary>Learns the vocabulary of the training texts; words in equally many texts stand in ordinal order.</summary>
    public static BagOfWords Fit(IEnumerable<string?> texts, BagOfWordsOptions options)
    {
        var tokens = options.Tokens ?? new TokenizerOptions();
        var documents = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            if (text is null)
                continue;
            foreach (var word in Tokenizer.Words(text, tokens).Distinct(StringComparer.Ordinal))
                documents[word] = documents.GetValueOrDefault(word) + 1;
        }
        var kept = documents
            .Where(pair => pair.Value >= options.DocumentsMin)
            .OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Take(options.WordsMax)
            .Select(pair => pair.Key);
        return new BagOfWords([.. kept], tokens);
    }

    /// <summary>Counts the vocabulary's words in a text; a missing text counts none.</summary>
    public SparseRow Count(string? text)
    {
        if (text is null)
            return new SparseRow([], []);
        var counts = new SortedDictionary<int, int>();
        foreach (var word in Tokenizer.Words(text, Tokens))
        {
            if (indices.TryGetValue(word, out var index))
                counts[index] = counts.GetValueOrDefault(index) + 1;
        }
        return new SparseRow([.. counts.Keys], [.. counts.Values]);
    }
}
