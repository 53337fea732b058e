using System.Buffers.Binary;
using System.Text;

namespace Salus.Ledger.Proofs;

/// <summary>One signature line of a note.</summary>
public sealed record NoteSignature(string Name, uint KeyId, byte[] Signature)
{
    internal const int KeyIdBytes = 4;
    internal const string LinePrefix = "\u2014 ";

    /// <summary>The line, without its newline.</summary>
    public override string ToString()
    {
        var bytes = new byte[KeyIdBytes + Signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, KeyId);
        Signature.CopyTo(bytes, KeyIdBytes);
        return $"{LinePrefix}{Name} {Convert.ToBase64String(bytes)}";
    }
}

/// <summary>A text signed by one or more keys (C2SP signed-note). Its text counts for nothing until <see cref="Verify"/> has passed.</summary>
/// <param name="Text">The signed text; ends in a newline.</param>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    const int NoteBytesMax = 1 << 20;
    const int SignaturesMax = 64;

    /// <summary>Signs a text with one or more keys.</summary>
    /// <exception cref="FormatException">The text cannot be a note's.</exception>
    public static SignedNote Sign(string text, params IReadOnlyList<NoteSigner> signers)
    {
        RequireText(text);
        return new SignedNote(text, [.. signers.Select(signer => signer.Sign(text))]);
    }

    /// <summary>The note with more signatures, for example a witness's; a line that it has already is not repeated.</summary>
    public SignedNote With(params IReadOnlyList<NoteSignature> more)
    {
        ArgumentNullException.ThrowIfNull(more);
        return this with { Signatures = [.. Signatures, .. more.Where(line => !Signatures.Any(own => own.Name == line.Name && own.KeyId == line.KeyId))] };
    }

    /// <summary>Reads signature lines as a witness answers them.</summary>
    /// <exception cref="FormatException">Not signature lines.</exception>
    public static IReadOnlyList<NoteSignature> ReadLines(string lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var split = lines.Split('\n');
        if (split.Length is < 2 or > SignaturesMax + 1 || split[^1].Length != 0)
            throw new FormatException($"Signature lines are 1 to {SignaturesMax}, each ended by a newline.");
        return [.. split[..^1].Select(ReadLine)];
    }

    /// <summary>Reads a note, at most 1 MiB and 64 signatures.</summary>
    /// <exception cref="FormatException">Not a signed note; the message says why.</exception>
    public static SignedNote Parse(string note)
    {
        ArgumentNullException.ThrowIfNull(note);
        if (note.Length > NoteBytesMax)
            throw new FormatException($"A note is at most {NoteBytesMax} bytes long.");
        var split = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0 || note[^1] != '\n')
            throw new FormatException("A note is a text, an empty line, and signature lines that end in newlines.");
        var text = note[..(split + 1)];
        RequireText(text);
        var lines = note[(split + 2)..].Split('\n')[..^1];
        if (lines.Length is 0 or > SignaturesMax)
            throw new FormatException($"A note has 1 to {SignaturesMax} signatures, not {lines.Length}.");
        return new SignedNote(text, [.. lines.Select(ReadLine)]);
    }

    /// <summary>
    /// The names among <paramref name="known"/> that signed. Signatures of unknown keys are ignored; a bad one of a
    /// known key spoils the note.
    /// </summary>
    /// <returns>The signers' names, each once; empty where no known key has signed or a known key's signature is bad.</returns>
    public IReadOnlyList<string> Verify(params IReadOnlyList<NoteVerifier> known)
    {
        var signed = new List<string>();
        foreach (var signature in Signatures)
        {
            var verifier = known.FirstOrDefault(key => key.Name == signature.Name && key.KeyId == signature.KeyId);
            if (verifier is null)
                continue;
            if (!verifier.Verify(Text, signature.Signature))
                return [];
            if (!signed.Contains(verifier.Name))
                signed.Add(verifier.Name);
        }
        return signed;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var note = new StringBuilder(Text).Append('\n');
        foreach (var signature in Signatures)
            note.Append(signature).Append('\n');
        return note.ToString();
    }

    static NoteSignature ReadLine(string line)
    {
        var parts = line.StartsWith(NoteSignature.LinePrefix, StringComparison.Ordinal) ? line[NoteSignature.LinePrefix.Length..].Split(' ') : [];
        if (parts.Length != 2 || !NoteVerifier.IsName(parts[0]))
            throw new FormatException("A signature line is an em dash, a key name and base64, with single spaces between.");
        var bytes = NoteText.FromBase64(parts[1]);
        if (bytes.Length <= NoteSignature.KeyIdBytes)
            throw new FormatException("A signature is longer than its key id.");
        return new NoteSignature(parts[0], BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[NoteSignature.KeyIdBytes..]);
    }

    static void RequireText(string text)
    {
        if (text.Length < 2 || text[^1] != '\n' || text.Any(character => character < ' ' && character != '\n'))
            throw new FormatException("A note's text ends in a newline, and has no other control characters.");
    }
}

static class NoteText
{
    /// <summary>Reads base64 in its one canonical form.</summary>
    public static byte[] FromBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == text
            ? bytes[..length]
            : throw new FormatException("Text that should be base64 is not.");
    }
}
