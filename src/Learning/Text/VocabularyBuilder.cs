using System.Runtime.InteropServices;
using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>
/// Gathers the words and pairs of training texts, then keeps the terms that the options ask for. Texts are read once, as
/// the numbers of their words; pairs are counted by sorting, a first word at a time, which stays in the cache where a
/// table of all pairs would not.
/// </summary>
sealed class VocabularyBuilder(TextOptions options)
{
    const int None = -1;

    readonly Dictionary<string, int> words = new(StringComparer.Ordinal);
    readonly List<string> spelled = [];
    readonly List<Occurrence> ofWord = [];
    readonly List<int> sequence = [];
    readonly List<int> textOf = [];
    readonly List<Term> terms = [];

    /// <summary>How often a word was found, in how many texts, and in which last.</summary>
    struct Occurrence
    {
        public int Count;
        public int Documents;
        public int LastText;
    }

    /// <summary>A word, or two that follow each other, that is in enough texts.</summary>
    readonly record struct Term(int First, int Second, int Count, int Documents)
    {
        public ulong Key => Second < 0 ? Single(First) : Pair(First, Second);
    }

    /// <summary>The key of a word by itself.</summary>
    public static ulong Single(int word) => (ulong)(uint)word << 32;

    /// <summary>The key of two words that follow each other.</summary>
    public static ulong Pair(int first, int second) => ((ulong)(uint)first << 32) | (uint)(second + 1);

    public (TextVectorizer Vectorizer, CsrMatrix Rows) Build(IReadOnlyList<string?> texts)
    {
        var starts = new int[texts.Count + 1];
        for (var text = 0; text < texts.Count; text++)
        {
            if (texts[text] is { } present)
                Gather(present, text);
            starts[text + 1] = sequence.Count;
        }
        var singles = KeepWords();
        var pairs = options.RunMax > 1 ? KeepPairs() : [];
        var kept = Keep();
        var columns = new int[terms.Count];
        Array.Fill(columns, None);
        for (var column = 0; column < kept.Length; column++)
            columns[kept[column]] = column;
        var weights = TextRows.InverseFrequencies(Array.ConvertAll(kept, term => terms[term].Documents), texts.Count);
        var rows = new (int[] Columns, double[] Values)[texts.Count];
        Parallel.For(0, (texts.Count + TextRows.Block - 1) / TextRows.Block, block =>
        {
            var found = new List<int>();
            for (var row = block * TextRows.Block; row < Math.Min(texts.Count, (block + 1) * TextRows.Block); row++)
            {
                found.Clear();
                for (var at = starts[row]; at < starts[row + 1]; at++)
                {
                    Note(singles[sequence[at]]);
                    Note(pairs.Length == 0 ? None : pairs[at]);
                }
                rows[row] = TextRows.Weigh(CollectionsMarshal.AsSpan(found), weights, options);
            }

            void Note(int term)
            {
                if (term >= 0 && columns[term] >= 0)
                    found.Add(columns[term]);
            }
        });
        return (Vectorizer(kept, weights), TextRows.Join(rows, kept.Length));
    }

    void Gather(string text, int number)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> buffer = stackalloc char[WordScanner.LengthMax];
        var scanner = new WordScanner(text, buffer, options.LeaveOutJoins);
        while (scanner.Next())
        {
            if (!lookup.TryGetValue(scanner.Word, out var word))
            {
                word = spelled.Count;
                spelled.Add(scanner.Word.ToString());
                words.Add(spelled[word], word);
                ofWord.Add(new Occurrence { LastText = None });
            }
            ref var known = ref CollectionsMarshal.AsSpan(ofWord)[word];
            known.Count++;
            known.Documents += known.LastText == number ? 0 : 1;
            known.LastText = number;
            sequence.Add(word);
            textOf.Add(number);
        }
    }

    /// <summary>The term of each word by itself, where it is in enough texts.</summary>
    int[] KeepWords()
    {
        var singles = new int[spelled.Count];
        for (var word = 0; word < singles.Length; word++)
            singles[word] = Keep(new Term(word, None, ofWord[word].Count, ofWord[word].Documents));
        return singles;
    }

    /// <summary>The term of each word with the one before it, by its place, where the two are in enough texts.</summary>
    int[] KeepPairs()
    {
        // What is in too few texts makes no pair that is in more.
        bool IsPair(int at) => at > 0 && textOf[at] == textOf[at - 1] && ofWord[sequence[at]].Documents >= options.DocumentsMin && ofWord[sequence[at - 1]].Documents >= options.DocumentsMin;
        var ends = new int[spelled.Count];
        for (var at = 0; at < sequence.Count; at++)
            ends[sequence[Math.Max(0, at - 1)]] += IsPair(at) ? 1 : 0;
        for (var (word, sum) = (0, 0); word < ends.Length; word++)
            (ends[word], sum) = (sum, sum + ends[word]);
        var places = new ulong[sequence.Count];
        for (var at = 0; at < sequence.Count; at++)
        {
            if (IsPair(at))
                places[ends[sequence[at - 1]]++] = ((ulong)(uint)sequence[at] << 32) | (uint)at;
        }
        var pairs = new int[sequence.Count];
        Array.Fill(pairs, None);
        for (var (word, begin) = (0, 0); word < ends.Length; begin = ends[word++])
        {
            var after = places.AsSpan(begin, ends[word] - begin);
            after.Sort();
            while (after.Length > 0)
            {
                var second = (int)(after[0] >> 32);
                var (count, documents) = (0, 0);
                for (; count < after.Length && (int)(after[count] >> 32) == second; count++)
                    documents += count == 0 || textOf[(int)(uint)after[count]] != textOf[(int)(uint)after[count - 1]] ? 1 : 0;
                var term = Keep(new Term(word, second, count, documents));
                foreach (var place in after[..count])
                    pairs[(int)(uint)place] = term;
                after = after[count..];
            }
        }
        return pairs;
    }

    int Keep(Term term)
    {
        if (term.Documents < options.DocumentsMin)
            return None;
        terms.Add(term);
        return terms.Count - 1;
    }

    // The most frequent first, equals in the order of their spelling: the order of the texts plays no part. No letter of a
    // word comes before the space between two, so that terms are spelled in the order of their first words, then of their second.
    int[] Keep()
    {
        string[] sorted = [.. spelled];
        int[] order = [.. Enumerable.Range(0, sorted.Length)];
        Array.Sort(sorted, order, StringComparer.Ordinal);
        var ranks = new int[order.Length];
        for (var rank = 0; rank < order.Length; rank++)
            ranks[order[rank]] = rank;
        int[] kept = [.. Enumerable.Range(0, terms.Count)];
        Array.Sort(Array.ConvertAll(kept, term => Pair(ranks[terms[term].First], terms[term].Second < 0 ? None : ranks[terms[term].Second])), kept);
        ulong[] places = [.. kept.Select((term, place) => ((ulong)(uint.MaxValue - terms[term].Count) << 32) | (uint)place)];
        Array.Sort(places, kept);
        return kept.Length <= options.TermsMax ? kept : kept[..options.TermsMax];
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
            var (first, second, _, _) = terms[term];
            return new Term(Renumber(first), second < 0 ? None : Renumber(second), 0, 0).Key;
        });
        return new TextVectorizer(options, vocabulary, keys, weights);
    }
}
