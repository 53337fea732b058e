using System.Runtime.InteropServices;
using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>Gathers the words and pairs of training texts, then keeps the terms that the options ask for.</summary>
sealed class VocabularyBuilder(TextOptions options)
{
    readonly Dictionary<string, int> words = new(StringComparer.Ordinal);
    readonly List<string> spelled = [];
    readonly Dictionary<ulong, int> terms = [];
    readonly List<(ulong Key, int Documents, int Count, int LastText)> known = [];

    /// <summary>The key of a word by itself.</summary>
    public static ulong Single(int word) => (ulong)(uint)word << 32;

    /// <summary>The key of two words that follow each other.</summary>
    public static ulong Pair(int first, int second) => ((ulong)(uint)first << 32) | (uint)(second + 1);

    public (TextVectorizer Vectorizer, CsrMatrix Rows) Build(IReadOnlyList<string?> texts)
    {
        var found = new int[texts.Count][];
        for (var text = 0; text < texts.Count; text++)
            found[text] = texts[text] is { } present ? Gather(present, text) : [];
        var kept = Keep();
        var columns = new int[known.Count];
        Array.Fill(columns, -1);
        for (var column = 0; column < kept.Length; column++)
            columns[kept[column]] = column;
        var weights = TextRows.InverseFrequencies(Array.ConvertAll(kept, term => known[term].Documents), texts.Count);
        var rows = new (int[] Columns, double[] Values)[texts.Count];
        Parallel.For(0, (texts.Count + TextRows.Block - 1) / TextRows.Block, block =>
        {
            for (var row = block * TextRows.Block; row < Math.Min(texts.Count, (block + 1) * TextRows.Block); row++)
            {
                var mapped = found[row];
                var count = 0;
                foreach (var term in found[row])
                {
                    if (columns[term] >= 0)
                        mapped[count++] = columns[term];
                }
                rows[row] = TextRows.Weigh(mapped.AsSpan(0, count), weights, options);
            }
        });
        return (Vectorizer(kept, weights), TextRows.Join(rows, kept.Length));
    }

    int[] Gather(string text, int number)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        var found = new List<int>();
        Span<char> buffer = stackalloc char[WordScanner.LengthMax];
        var scanner = new WordScanner(text, buffer, options.LeaveOutJoins);
        var before = -1;
        while (scanner.Next())
        {
            if (!lookup.TryGetValue(scanner.Word, out var word))
            {
                word = spelled.Count;
                spelled.Add(scanner.Word.ToString());
                words.Add(spelled[word], word);
            }
            found.Add(Note(Single(word), number));
            if (options.RunMax > 1 && before >= 0)
                found.Add(Note(Pair(before, word), number));
            before = word;
        }
        return [.. found];
    }

    int Note(ulong key, int text)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(terms, key, out var exists);
        if (!exists)
        {
            place = known.Count;
            known.Add((key, 1, 1, text));
            return place;
        }
        ref var entry = ref CollectionsMarshal.AsSpan(known)[place];
        entry.Count++;
        if (entry.LastText != text)
        {
            entry.Documents++;
            entry.LastText = text;
        }
        return place;
    }

    // The most frequent first, equals in the order of their spelling: the order of the texts plays no part.
    int[] Keep()
    {
        var enough = Enumerable.Range(0, known.Count).Where(term => known[term].Documents >= options.DocumentsMin).ToArray();
        var ranks = Array.ConvertAll(enough, term => (known[term].Count, Spelling: Spell(term)));
        Array.Sort(ranks, enough, Comparer<(int Count, string Spelling)>.Create((left, right) =>
            left.Count != right.Count ? right.Count.CompareTo(left.Count) : string.CompareOrdinal(left.Spelling, right.Spelling)));
        return enough.Length <= options.TermsMax ? enough : enough[..options.TermsMax];
    }

    string Spell(int term)
    {
        var (first, second) = Parts(known[term].Key);
        return second < 0 ? spelled[first] : $"{spelled[first]} {spelled[second]}";
    }

    // Only words that stand in a kept term are kept, numbered in the order of the terms.
    TextVectorizer Vectorizer(int[] kept, double[] weights)
    {
        var numbers = new Dictionary<int, int>();
        var vocabulary = new List<string>();
        int Renumber(int word)
        {
            if (!numbers.TryGetValue(word, out var number))
            {
                numbers.Add(word, number = vocabulary.Count);
                vocabulary.Add(spelled[word]);
            }
            return number;
        }
        var keys = Array.ConvertAll(kept, term =>
        {
            var (first, second) = Parts(known[term].Key);
            var renumbered = Renumber(first);
            return second < 0 ? Single(renumbered) : Pair(renumbered, Renumber(second));
        });
        return new TextVectorizer(options, vocabulary, keys, weights);
    }

    static (int First, int Second) Parts(ulong key) => ((int)(key >> 32), (int)(key & uint.MaxValue) - 1);
}
