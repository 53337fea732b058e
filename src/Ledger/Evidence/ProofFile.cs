using System.Text.Json;
using System.Text.Json.Serialization;
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

    internal static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
    };

    /// <summary>The file's bytes: JSON in UTF-8.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(new FileJson(
        FormatName, Leaf.Encode(), Content is null ? null : new ContentJson(Content.Bytes, Content.Salt), Proof.ToString(),
        Anchor is null ? null : AnchorEvidenceJson.Of(Anchor)), Options);

    /// <summary>Reads a proof file.</summary>
    /// <exception cref="FormatException">Not a proof file; the message names the part and why.</exception>
    public static ProofFile Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"A proof file is at most {BytesMax >> 20} MiB long.");
        FileJson json;
        try
        {
            json = JsonSerializer.Deserialize<FileJson>(bytes, Options) ?? throw new FormatException("The file is empty.");
        }
        catch (JsonException cause)
        {
            throw new FormatException($"The file is not a proof: at {(cause.Path is { Length: > 0 } path ? path : "$")}, line {cause.LineNumber + 1}, it is not what it should be.", cause);
        }
        if (json.Format != FormatName)
            throw new FormatException($"'format' is not '{FormatName}'.");
        return new ProofFile(
            Part("leaf", () => LeafEnvelope.Decode(Given(json.Leaf))),
            json.Content is null ? null : Part("content", () => new ProvenContent(Given(json.Content.Bytes), Given(json.Content.Salt))),
            Part("proof", () => TlogProof.Parse(Given(json.Proof))),
            json.Anchor is null ? null : Part("anchor", json.Anchor.ToEvidence));
    }

    static T Part<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException cause)
        {
            throw new FormatException($"'{name}': {cause.Message}", cause);
        }
    }

    static T Given<T>(T? value) where T : class => value ?? throw new FormatException("It is missing.");

    sealed record FileJson(string? Format, byte[]? Leaf, ContentJson? Content, string? Proof, AnchorEvidenceJson? Anchor);

    sealed record ContentJson(byte[]? Bytes, byte[]? Salt);
}
