using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>The bytes of a vectorizer inside those of a preparation.</summary>
static class TextFormat
{
    const int TermsMax = 1 << 24;

    public static void Write(TextVectorizer vectorizer, BoundedWriter writer)
    {
        var options = vectorizer.Options;
        writer.Int32(options.RunMax);
        writer.Int32(options.DocumentsMin);
        writer.Int32(options.TermsMax);
        writer.Int32(options.HashBits);
        writer.Boolean(options.Sublinear);
        writer.Boolean(options.InverseFrequency);
        writer.Boolean(options.Normalize);
        writer.Boolean(options.LeaveOutJoins);
        PreparationFormat.Write(vectorizer.Vocabulary, writer);
        writer.Int32(vectorizer.Terms.Count);
        foreach (var term in vectorizer.Terms)
            writer.Int64((long)term);
        foreach (var weight in vectorizer.Weights)
            writer.Double(weight);
    }

    public static TextVectorizer Read(ref BoundedReader reader)
    {
        var options = new TextOptions
        {
            RunMax = reader.Int32(), DocumentsMin = reader.Int32(), TermsMax = reader.Int32(), HashBits = reader.Int32(),
            Sublinear = reader.Boolean(), InverseFrequency = reader.Boolean(), Normalize = reader.Boolean(), LeaveOutJoins = reader.Boolean(),
        };
        if (options.Objection() is { } objection)
            throw new FormatRefusedException(objection);
        var vocabulary = PreparationFormat.Strings(ref reader, "words of the vocabulary");
        var terms = new ulong[reader.Count("terms", 0, TermsMax, 8)];
        var seen = new HashSet<ulong>();
        for (var i = 0; i < terms.Length; i++)
        {
            terms[i] = (ulong)reader.Int64();
            if (terms[i] >> 32 >= (ulong)vocabulary.Length || (terms[i] & uint.MaxValue) > (ulong)vocabulary.Length || !seen.Add(terms[i]))
                throw new FormatRefusedException($"term {i} names a word that is not in the vocabulary, or stands twice");
        }
        var columns = options.HashBits > 0 ? 1 << options.HashBits : terms.Length;
        if ((options.HashBits > 0 && terms.Length > 0) || (long)columns * 8 > reader.Left)
            throw new FormatRefusedException($"{columns} weights are claimed, but only {reader.Left} bytes are left");
        var weights = new double[columns];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = reader.Finite("a term's weight");
        return new TextVectorizer(options, vocabulary, terms, weights);
    }
}
