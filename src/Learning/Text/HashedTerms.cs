using System.Runtime.InteropServices;
using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>Terms by their hash (Weinberger and others 2009, unsigned), for collections whose vocabulary would not fit: FNV-1a over the characters, so that it is the same everywhere.</summary>
static class HashedTerms
{
    const ulong Offset = 0xCBF29CE484222325;
    const ulong Prime = 0x100000001B3;

    public static (TextVectorizer Vectorizer, CsrMatrix Rows) FitTransform(IReadOnlyList<string?> texts, TextOptions options)
    {
        var documents = new int[1 << options.HashBits];
        var last = new int[documents.Length];
        var found = new List<int>();
        for (var text = 0; text < texts.Count; text++)
        {
            found.Clear();
            if (texts[text] is { } present)
                Find(present, options, found);
            foreach (var column in found)
            {
                if (last[column] == text + 1)
                    continue;
                last[column] = text + 1;
                documents[column]++;
            }
        }
        var vectorizer = new TextVectorizer(options, [], [], TextRows.InverseFrequencies(documents, texts.Count));
        return (vectorizer, vectorizer.Transform(texts));
    }

    public static void Find(string text, TextOptions options, List<int> found)
    {
        Span<char> buffer = stackalloc char[WordScanner.LengthMax];
        var scanner = new WordScanner(text, buffer, options.LeaveOutJoins);
        ulong before = 0;
        while (scanner.Next())
        {
            var word = Offset;
            foreach (var part in MemoryMarshal.AsBytes(scanner.Word))
                word = (word ^ part) * Prime;
            found.Add(Column(word, options.HashBits));
            if (options.RunMax > 1 && before != 0)
                found.Add(Column((before * Prime) ^ word, options.HashBits));
            before = word;
        }
    }

    static int Column(ulong hash, int bits)
    {
        hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93;
        return (int)(hash >> (64 - bits));
    }
}
