using System.Runtime.InteropServices;
using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>
/// Turns texts into sparse rows of term weights (TF-IDF of Salton and Buckley 1988, with the smoothed inverse frequency
/// ln((1 + n) / (1 + d)) + 1). The vocabulary and the frequencies are learned from the training texts only.
/// </summary>
public sealed class TextVectorizer
{
    readonly TextOptions options;
    readonly Dictionary<string, int> words;
    readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup;
    // The column of each word by itself, and of pairs.
    readonly int[] singles;
    readonly Dictionary<ulong, int> pairs = [];
    readonly double[] weights;

    internal TextVectorizer(TextOptions options, IReadOnlyList<string> vocabulary, IReadOnlyList<ulong> terms, double[] weights)
    {
        this.options = options;
        Vocabulary = vocabulary;
        Terms = terms;
        this.weights = weights;
        words = new Dictionary<string, int>(vocabulary.Count, StringComparer.Ordinal);
        for (var i = 0; i < vocabulary.Count; i++)
            words.Add(vocabulary[i], i);
        lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        singles = new int[vocabulary.Count];
        Array.Fill(singles, -1);
        for (var i = 0; i < terms.Count; i++)
        {
            if ((terms[i] & uint.MaxValue) == 0)
                singles[terms[i] >> 32] = i;
            else
                pairs.Add(terms[i], i);
        }
    }

    /// <summary>How texts become rows.</summary>
    public TextOptions Options => options;

    /// <summary>The number of columns.</summary>
    public int ColumnCount => options.HashBits > 0 ? 1 << options.HashBits : Terms.Count;

    internal IReadOnlyList<string> Vocabulary { get; }

    internal IReadOnlyList<ulong> Terms { get; }

    internal ReadOnlySpan<double> Weights => weights;

    /// <summary>The term of a column as it is read.</summary>
    public string Term(int column)
    {
        if (options.HashBits > 0)
            return $"#{column}";
        var term = Terms[column];
        var second = (int)(term & uint.MaxValue) - 1;
        var first = Vocabulary[(int)(term >> 32)];
        return second < 0 ? first : $"{first} {Vocabulary[second]}";
    }

    /// <summary>Learns the vocabulary of the training texts.</summary>
    public static TextVectorizer Fit(IReadOnlyList<string?> texts, TextOptions options) => FitTransform(texts, options).Vectorizer;

    /// <summary>Learns the vocabulary of the training texts and gives their rows, reading each once.</summary>
    public static (TextVectorizer Vectorizer, CsrMatrix Rows) FitTransform(IReadOnlyList<string?> texts, TextOptions options)
    {
        if (options.Objection() is { } objection)
            throw new ArgumentException(objection);
        return options.HashBits > 0 ? HashedTerms.FitTransform(texts, options) : new VocabularyBuilder(options).Build(texts);
    }

    /// <summary>The rows of texts; a missing text has none of the terms.</summary>
    public CsrMatrix Transform(IReadOnlyList<string?> texts)
    {
        var rows = new (int[] Columns, double[] Values)[texts.Count];
        Parallel.For(0, (texts.Count + TextRows.Block - 1) / TextRows.Block, block =>
        {
            var found = new List<int>();
            for (var row = block * TextRows.Block; row < Math.Min(texts.Count, (block + 1) * TextRows.Block); row++)
            {
                found.Clear();
                if (texts[row] is { } text)
                    Find(text, found);
                rows[row] = TextRows.Weigh(CollectionsMarshal.AsSpan(found), weights, options);
            }
        });
        return TextRows.Join(rows, ColumnCount);
    }

    void Find(string text, List<int> found)
    {
        if (options.HashBits > 0)
        {
            HashedTerms.Find(text, options, found);
            return;
        }
        Span<char> buffer = stackalloc char[WordScanner.LengthMax];
        var scanner = new WordScanner(text, buffer, options.LeaveOutJoins);
        var before = -1;
        while (scanner.Next())
        {
            if (!lookup.TryGetValue(scanner.Word, out var word))
            {
                before = -1;
                continue;
            }
            if (singles[word] >= 0)
                found.Add(singles[word]);
            if (options.RunMax > 1 && before >= 0 && pairs.TryGetValue(VocabularyBuilder.Pair(before, word), out var pair))
                found.Add(pair);
            before = word;
        }
    }
}
