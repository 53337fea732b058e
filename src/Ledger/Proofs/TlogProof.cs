using System.Globalization;
using System.Text;
using Salus.Ledger.Merkle;

namespace Salus.Ledger.Proofs;

/// <summary>An offline-verifiable proof that a leaf stands in a log (C2SP tlog-proof): its index, its path, and a checkpoint with signatures.</summary>
/// <param name="Path">From the leaf's sibling to the root's child, 32 bytes each.</param>
/// <param name="Checkpoint">A signed note whose text is a checkpoint.</param>
public sealed record TlogProof(long Index, IReadOnlyList<byte[]> Path, SignedNote Checkpoint)
{
    const string FirstLine = "c2sp.org/tlog-proof@v1";
    const string ExtraPrefix = "extra ";
    const string IndexPrefix = "index ";
    const int PathMax = 63;

    /// <summary>The proof's text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(FirstLine).Append('\n').Append(IndexPrefix).Append(Index.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Path)
            text.Append(Convert.ToBase64String(hash)).Append('\n');
        return text.Append('\n').Append(Checkpoint).ToString();
    }

    /// <summary>Reads a proof; extra data, which nothing authenticates, is passed over.</summary>
    /// <exception cref="FormatException">Not such a proof; the message says why.</exception>
    public static TlogProof Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException("A log proof is its lines, an empty line, and a checkpoint.");
        var lines = text[..end].Split('\n');
        var next = 0;
        if (lines[next++] != FirstLine)
            throw new FormatException($"A log proof begins with '{FirstLine}'.");
        if (next < lines.Length && lines[next].StartsWith(ExtraPrefix, StringComparison.Ordinal))
            NoteText.FromBase64(lines[next++][ExtraPrefix.Length..]);
        if (next == lines.Length || !lines[next].StartsWith(IndexPrefix, StringComparison.Ordinal))
            throw new FormatException("A log proof names the index of its leaf.");
        var index = Index64(lines[next++][IndexPrefix.Length..]);
        if (lines.Length - next > PathMax)
            throw new FormatException($"A log proof has at most {PathMax} hashes.");
        return new TlogProof(index, [.. lines[next..].Select(Hash)], SignedNote.Parse(text[(end + 2)..]));
    }

    static byte[] Hash(string line)
    {
        var hash = NoteText.FromBase64(line);
        return hash.Length == MerkleHash.Size ? hash : throw new FormatException($"A hash of the proof is {MerkleHash.Size} bytes long, not {hash.Length}.");
    }

    static long Index64(string digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && digits == index.ToString(CultureInfo.InvariantCulture)
            ? index
            : throw new FormatException($"'{digits}' is not a leaf's index.");
}
