using Salus.Ledger.Proofs;

namespace Salus.Ledger.Evidence;

/// <summary>A version's bytes as they were stored, and the salt of its commitment.</summary>
public sealed record ProvenContent(byte[] Bytes, byte[] Salt);

/// <summary>
/// All that is needed to check, without asking anyone, that a version stands in a log: its leaf, the leaf's place, the checkpoint with its
/// signatures, and what the chain showed when that checkpoint was anchored. With the content, that these are the bytes; without, it tells
/// nothing of them.
/// </summary>
public sealed record ProofFile(LeafEnvelope Leaf, ProvenContent? Content, TlogProof Proof, AnchorEvidence? Anchor)
{
    /// <summary>The longest file read, in bytes.</summary>
    public const int BytesMax = 64 << 20;

    const string FormatName = "salus-proof/1";

    /// <summary>The file's bytes: JSON in UTF-8.</summary>
    public byte[] ToBytes() => StrictJson.Write(new FileJson(
        FormatName, Leaf.Encode(), Content is null ? null : new ContentJson(Content.Bytes, Content.Salt), Proof.ToString(),
        Anchor is null ? null : AnchorEvidenceJson.Of(Anchor)));

    /// <summary>Reads a proof file.</summary>
    /// <exception cref="FormatException">Not a proof file; the message names the part and why.</exception>
    public static ProofFile Read(ReadOnlySpan<byte> bytes)
    {
        var json = StrictJson.Read<FileJson>(bytes, BytesMax, "proof file");
        if (json.Format != FormatName)
            throw new FormatException($"'format' is not '{FormatName}'.");
        return new ProofFile(
            StrictJson.Part("leaf", () => LeafEnvelope.Decode(Given(json.Leaf))),
            json.Content is null ? null : StrictJson.Part("content", () => new ProvenContent(Given(json.Content.Bytes), Given(json.Content.Salt))),
            StrictJson.Part("proof", () => TlogProof.Parse(Given(json.Proof))),
            json.Anchor is null ? null : StrictJson.Part("anchor", json.Anchor.ToEvidence));
    }

    static T Given<T>(T? value) where T : class => value ?? throw new FormatException("It is missing.");

    sealed record FileJson(string? Format, byte[]? Leaf, ContentJson? Content, string? Proof, AnchorEvidenceJson? Anchor);

    sealed record ContentJson(byte[]? Bytes, byte[]? Salt);
}
