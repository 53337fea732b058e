using System.Globalization;
using System.Text;

namespace Salus.Ledger.Proofs;

/// <summary>What a log asks of a witness (C2SP tlog-witness, add-checkpoint): to cosign a checkpoint that extends the last one it saw.</summary>
/// <param name="OldSize">The size of the checkpoint that the witness cosigned last; 0 for none.</param>
/// <param name="Proof">The consistency proof from there, at most 63 hashes.</param>
/// <param name="Checkpoint">The signed note.</param>
public sealed record WitnessRequest(long OldSize, IReadOnlyList<byte[]> Proof, SignedNote Checkpoint)
{
    const string OldPrefix = "old ";
    const int ProofMax = 63;

    /// <summary>The request's body.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(OldPrefix).Append(OldSize.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Proof)
            text.Append(Convert.ToBase64String(hash)).Append('\n');
        return text.Append('\n').Append(Checkpoint).ToString();
    }

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="FormatException">Not such a request; the message says why.</exception>
    public static WitnessRequest Parse(string body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var end = body.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException("A request is the old size, a proof, an empty line, and a checkpoint.");
        var lines = body[..end].Split('\n');
        if (!lines[0].StartsWith(OldPrefix, StringComparison.Ordinal)
            || !long.TryParse(lines[0].AsSpan(OldPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || lines[0] != OldPrefix + size.ToString(CultureInfo.InvariantCulture))
            throw new FormatException("The first line is 'old' and a tree's size.");
        return lines.Length - 1 <= ProofMax
            ? new WitnessRequest(size, [.. lines[1..].Select(NoteText.FromBase64)], SignedNote.Parse(body[(end + 2)..]))
            : throw new FormatException($"A consistency proof has at most {ProofMax} hashes.");
    }
}
