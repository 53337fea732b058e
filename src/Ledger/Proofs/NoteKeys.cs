using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Salus.Ledger.Proofs;

/// <summary>
/// A key that checks signed notes (C2SP signed-note), on P-256 alone: a log's signatures of type 0x02, ECDSA over the text's SHA-256, or a
/// witness's cosignatures, see <see cref="Cosignature"/>. Prints as the text that others configure: name+key id+base64.
/// </summary>
public sealed class NoteVerifier : IDisposable
{
    const byte EcdsaType = 0x02;
    const int KeyIdDigits = 8;
    const string P256Oid = "1.2.840.10045.3.1.7";

    readonly ECDsa key;
    readonly byte[] subjectPublicKeyInfo;

    NoteVerifier(string name, ECDsa key, bool isWitness)
    {
        if (!IsName(name))
            throw new FormatException($"'{name}' is not a key name: it has no spaces, plus signs or control characters, and is not empty.");
        if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value != P256Oid)
            throw new FormatException($"The key of {name} is not on the curve P-256.");
        (Name, this.key, IsWitness) = (name, key, isWitness);
        subjectPublicKeyInfo = key.ExportSubjectPublicKeyInfo();
        KeyId = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(
            isWitness ? [.. Encoding.UTF8.GetBytes(name), (byte)'\n', .. Cosignature.Type, .. subjectPublicKeyInfo] : subjectPublicKeyInfo));
    }

    /// <summary>The key's name, by convention an address without a scheme: "hospital.example/log".</summary>
    public string Name { get; }

    /// <summary>Whether the key makes cosignatures, which carry their time, rather than plain signatures.</summary>
    public bool IsWitness { get; }

    /// <summary>
    /// The first four bytes of a SHA-256, of the key's SubjectPublicKeyInfo or, for a witness, of its name, type and SubjectPublicKeyInfo:
    /// a hint, not a fingerprint.
    /// </summary>
    public uint KeyId { get; }

    /// <summary>A verifier for the public half of a P-256 key.</summary>
    /// <exception cref="FormatException">The name is no key name, or the key on another curve.</exception>
    public static NoteVerifier Of(string name, ECDsa key) => Of(name, key, isWitness: false);

    /// <summary>A verifier for the cosignatures of a witness.</summary>
    /// <exception cref="FormatException">The name is no key name, or the key on another curve.</exception>
    public static NoteVerifier OfWitness(string name, ECDsa key) => Of(name, key, isWitness: true);

    /// <summary>Reads a verifier key's text.</summary>
    /// <exception cref="FormatException">Not such a text; the message says why.</exception>
    public static NoteVerifier Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('+', 3);
        if (parts.Length != 3 || parts[1].Length != KeyIdDigits)
            throw new FormatException("A verifier key is written name+keyid+base64.");
        var encoded = NoteText.FromBase64(parts[2]);
        var isWitness = encoded.AsSpan().StartsWith(Cosignature.Type);
        if (!isWitness && encoded is not [EcdsaType, ..])
            throw new FormatException("The verifier key is neither an ECDSA key (type 2) nor a witness's P-256 key.");
        var subjectPublicKeyInfo = encoded.AsSpan(isWitness ? Cosignature.Type.Length : 1);
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out var read);
            var verifier = new NoteVerifier(parts[0], key, isWitness);
            return read == subjectPublicKeyInfo.Length && verifier.ToString() == text
                ? verifier
                : throw new FormatException("The verifier key's id is not that of its key.");
        }
        catch (CryptographicException cause)
        {
            throw new FormatException("The verifier key holds no public key.", cause);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}+{KeyId:x8}+{Convert.ToBase64String([.. IsWitness ? Cosignature.Type : [EcdsaType], .. subjectPublicKeyInfo])}";

    /// <inheritdoc/>
    public void Dispose() => key.Dispose();

    internal bool Verify(string text, byte[] signature)
    {
        if (!IsWitness)
            return P256Signature.Verify(key, SHA256.HashData(Encoding.UTF8.GetBytes(text)), signature);
        return Cosignature.TryRead(signature, out var cosignature)
            && P256Signature.Verify(key, SHA256.HashData(Cosignature.Message(text, cosignature.UnixTimeSeconds)), cosignature.Signature);
    }

    static NoteVerifier Of(string name, ECDsa key, bool isWitness)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new NoteVerifier(name, ECDsa.Create(key.ExportParameters(includePrivateParameters: false)), isWitness);
    }

    internal static bool IsName(string name) =>
        name.Length > 0 && !name.Any(character => char.IsWhiteSpace(character) || char.IsControl(character) || character == '+');
}

/// <summary>A key that signs notes. The ECDSA key stays its owner's.</summary>
public sealed class NoteSigner(string name, ECDsa key)
{
    /// <summary>The verifier of this signer's notes.</summary>
    public NoteVerifier Verifier { get; } = NoteVerifier.Of(name, key);

    internal NoteSignature Sign(string text) => new(
        Verifier.Name,
        Verifier.KeyId,
        key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
}
