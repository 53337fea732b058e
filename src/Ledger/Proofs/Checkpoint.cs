using System.Globalization;
using Salus.Ledger.Merkle;

namespace Salus.Ledger.Proofs;

/// <summary>A log's size and root at a moment (C2SP tlog-checkpoint), signed as a note by the log's key and its witnesses.</summary>
/// <param name="Origin">The log's unique name, by convention the key's: "hospital.example/log".</param>
public sealed record Checkpoint(string Origin, long Size, ReadOnlyMemory<byte> Root)
{
    /// <summary>Extension lines, none of them empty.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = [];

    /// <summary>The text that is signed.</summary>
    public string ToText()
    {
        if (Origin.Length == 0 || Origin.Contains('\n') || Size < 0 || Root.Length != MerkleHash.Size || Extensions.Any(line => line.Length == 0 || line.Contains('\n')))
            throw new ArgumentException("A checkpoint has an origin, a size and a root of 32 bytes, and no empty lines.");
        string[] lines = [Origin, Size.ToString(CultureInfo.InvariantCulture), Convert.ToBase64String(Root.Span), .. Extensions];
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>The checkpoint as a signed note.</summary>
    public SignedNote Sign(params IReadOnlyList<NoteSigner> signers) => SignedNote.Sign(ToText(), signers);

    /// <summary>Reads a note's text as a checkpoint, in its one canonical form.</summary>
    /// <exception cref="FormatException">Not a checkpoint; the message says why.</exception>
    public static Checkpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = text.Split('\n');
        if (lines.Length < 4 || lines[^1].Length != 0)
            throw new FormatException("A checkpoint has lines for origin, size and root, each ended by a newline.");
        lines = lines[..^1];
        if (lines.Any(line => line.Length == 0))
            throw new FormatException("A checkpoint has no empty line.");
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || lines[1] != size.ToString(CultureInfo.InvariantCulture))
            throw new FormatException($"'{lines[1]}' is not a tree's size.");
        var root = NoteText.FromBase64(lines[2]);
        if (root.Length != MerkleHash.Size)
            throw new FormatException($"A checkpoint's root is {MerkleHash.Size} bytes long, not {root.Length}.");
        return new Checkpoint(lines[0], size, root) { Extensions = lines[3..] };
    }

    /// <summary>The checkpoint of a note that the log's key has signed; null where it has not, or for another origin.</summary>
    /// <exception cref="FormatException">Not a signed note, or not of a checkpoint.</exception>
    public static Checkpoint? Verify(string note, string origin, NoteVerifier logKey)
    {
        var signed = SignedNote.Parse(note);
        if (signed.Verify(logKey).Count == 0)
            return null;
        var checkpoint = Parse(signed.Text);
        return checkpoint.Origin == origin ? checkpoint : null;
    }
}
