using System.Security.Cryptography;
using Salus.Ledger.Proofs;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class CheckpointTests : IDisposable
{
    const string Origin = "hospital.example/log";

    readonly ECDsa logKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly ECDsa witnessKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly NoteSigner log;
    readonly NoteSigner witness;
    readonly Checkpoint checkpoint = new(Origin, 20_852_163, SHA256.HashData("root"u8));

    public CheckpointTests() => (log, witness) = (new NoteSigner(Origin, logKey), new NoteSigner("witness.example", witnessKey));

    public void Dispose()
    {
        logKey.Dispose();
        witnessKey.Dispose();
    }

    [Fact]
    public void A_checkpoint_is_three_lines_and_comes_back_from_its_note()
    {
        Assert.Equal($"{Origin}\n20852163\n{Convert.ToBase64String(checkpoint.Root.Span)}\n", checkpoint.ToText());
        var note = checkpoint.Sign(log, witness).ToString();
        var read = Checkpoint.Verify(note, Origin, log.Verifier);
        Assert.Equal((checkpoint.Size, Convert.ToHexString(checkpoint.Root.Span)), (read!.Size, Convert.ToHexString(read.Root.Span)));
        Assert.Equal([Origin, "witness.example"], SignedNote.Parse(note).Verify(log.Verifier, witness.Verifier));
        Assert.Null(Checkpoint.Verify(note, "other.example/log", log.Verifier));
    }

    [Fact]
    public void A_note_without_the_known_keys_signature_or_with_a_bad_one_counts_for_nothing()
    {
        var note = checkpoint.Sign(log).ToString();
        Assert.Null(Checkpoint.Verify(note, Origin, witness.Verifier));
        Assert.Null(Checkpoint.Verify(note.Replace("20852163", "20852164", StringComparison.Ordinal), Origin, log.Verifier));
        var spoiled = checkpoint.Sign(log, witness) is var both ? both with { Signatures = [both.Signatures[0], both.Signatures[1] with { Signature = [1, 2, 3] }] } : null;
        Assert.Empty(spoiled!.Verify(log.Verifier, witness.Verifier));
        Assert.Equal([Origin], spoiled.Verify(log.Verifier));
    }

    [Theory]
    [InlineData("hospital.example/log\n5\n")]
    [InlineData("hospital.example/log\n05\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("hospital.example/log\n-5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("hospital.example/log\n9223372036854775808\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("hospital.example/log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n")]
    [InlineData("hospital.example/log\n5\n47DEQpj8HBSa\n")]
    [InlineData("\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("hospital.example/log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    public void A_text_that_is_no_checkpoint_is_refused(string text) =>
        Assert.Throws<FormatException>(() => Checkpoint.Parse(text));

    [Fact]
    public void A_note_that_is_not_well_formed_is_refused()
    {
        var note = checkpoint.Sign(log).ToString();
        foreach (var bent in new[] { note[..^1], note + "x", note.Replace("\u2014", "-", StringComparison.Ordinal), note.Replace("\n\n", "\n", StringComparison.Ordinal), note.Replace("20852163", "20852163\r", StringComparison.Ordinal), checkpoint.ToText() + "\n", "" })
            Assert.Throws<FormatException>(() => SignedNote.Parse(bent));
        var line = note[(note.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        Assert.Throws<FormatException>(() => SignedNote.Parse(note + string.Concat(Enumerable.Repeat(line, 64))));
    }

    [Fact]
    public void A_verifier_key_is_read_back_from_its_text_and_no_bent_one_is()
    {
        var text = log.Verifier.ToString();
        using var parsed = NoteVerifier.Parse(text);
        Assert.NotNull(Checkpoint.Verify(checkpoint.Sign(log).ToString(), Origin, parsed));
        foreach (var bent in new[] { text[..^4], "x" + text[..Origin.Length], text.Replace("+", "", StringComparison.Ordinal), $"{Origin}+00000000+{text.Split('+', 3)[2]}" })
            Assert.Throws<FormatException>(() => NoteVerifier.Parse(bent));
        using var otherCurve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<FormatException>(() => NoteVerifier.Of(Origin, otherCurve));
        Assert.Throws<FormatException>(() => NoteVerifier.Of("two words", logKey));
    }

    [Fact]
    public void The_key_id_is_that_of_the_public_keys_encoding()
    {
        var spki = logKey.ExportSubjectPublicKeyInfo();
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(spki).AsSpan(0, 4)), $"{log.Verifier.KeyId:x8}");
        Assert.Equal(2, Convert.FromBase64String(log.Verifier.ToString().Split('+', 3)[2])[0]);
    }
}
