using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Salus.Ledger.Proofs;

namespace Salus.Ledger.Contracts;

/// <summary>
/// A WebAuthn assertion (Web Authentication Level 2 section 7.2) in the shape that the chain checks: the signature as
/// two words with s in the lower half, and where type and challenge stand in the client data.
/// </summary>
public sealed record WebAuthnAssertion(byte[] R, byte[] S, int ChallengeIndex, int TypeIndex, byte[] AuthenticatorData, byte[] ClientDataJson)
{
    const byte UserPresent = 0x01;
    const byte UserVerified = 0x04;
    const int FlagsIndex = SHA256.HashSizeInBytes;
    const int AuthenticatorDataBytesMin = SHA256.HashSizeInBytes + 1 + 4;
    const string TypeMember = "\"type\":\"webauthn.get\"";

    static readonly BigInteger Order = BigInteger.Parse(
        "0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", System.Globalization.NumberStyles.AllowHexSpecifier);

    /// <summary>
    /// What an authenticator answers that is kept in software: user present and verified, counter zero, as platform
    /// passkeys have it.
    /// </summary>
    /// <param name="key">A P-256 key.</param>
    /// <param name="origin">The page's origin, for example https://hospital.example; written as it stands.</param>
    public static WebAuthnAssertion Sign(ECDsa key, string relyingPartyId, string origin, ReadOnlySpan<byte> challenge)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (origin.AsSpan().ContainsAny('"', '\\'))
            throw new ArgumentException("An origin holds no quotes.", nameof(origin));
        byte[] authenticatorData = [.. RelyingPartyIdHash(relyingPartyId), UserPresent | UserVerified, 0, 0, 0, 0];
        var clientData = Encoding.UTF8.GetBytes($"{{{TypeMember},{ChallengeMember(challenge)},\"origin\":\"{origin}\",\"crossOrigin\":false}}");
        var signature = key.SignHash(SignedHash(authenticatorData, clientData), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return FromParts(signature, authenticatorData, clientData, challenge);
    }

    /// <summary>An assertion as a browser gives it, with its signature in DER.</summary>
    /// <exception cref="FormatException">The signature is not DER, or the client data lacks this type or challenge.</exception>
    public static WebAuthnAssertion FromBrowser(
        ReadOnlySpan<byte> authenticatorData, ReadOnlySpan<byte> clientDataJson, ReadOnlySpan<byte> derSignature, ReadOnlySpan<byte> challenge) =>
        FromParts(P256Signature.FromDer(derSignature), authenticatorData.ToArray(), clientDataJson.ToArray(), challenge);

    /// <summary>SHA-256 of a relying party's id, as authenticator data begins.</summary>
    public static byte[] RelyingPartyIdHash(string relyingPartyId) => SHA256.HashData(Encoding.UTF8.GetBytes(relyingPartyId));

    /// <summary>
    /// Whether the assertion is one over <paramref name="challenge"/> by the key, with the user verified: the checks of
    /// the contract, and that the client data has no second challenge or type.
    /// </summary>
    public bool Verify(ECDsa key, ReadOnlySpan<byte> relyingPartyIdHash, ReadOnlySpan<byte> challenge)
    {
        ArgumentNullException.ThrowIfNull(key);
        const byte needed = UserPresent | UserVerified;
        return AuthenticatorData.Length >= AuthenticatorDataBytesMin
            && AuthenticatorData.AsSpan().StartsWith(relyingPartyIdHash) && relyingPartyIdHash.Length == SHA256.HashSizeInBytes
            && (AuthenticatorData[FlagsIndex] & needed) == needed
            && TryFindOnce(TypeMember) == TypeIndex
            && TryFindOnce(ChallengeMember(challenge)) == ChallengeIndex
            && R.Length == 32 && S.Length == 32 && new BigInteger(S, isUnsigned: true, isBigEndian: true) <= Order >> 1
            && key.VerifyHash(SignedHash(AuthenticatorData, ClientDataJson), (byte[])[.. R, .. S], DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>OpenZeppelin's WebAuthnAuth tuple.</summary>
    internal object[] ToAbi() => [R, S, ChallengeIndex, TypeIndex, AuthenticatorData, Encoding.UTF8.GetString(ClientDataJson)];

    static WebAuthnAssertion FromParts(byte[] signature, byte[] authenticatorData, byte[] clientData, ReadOnlySpan<byte> challenge)
    {
        var s = new BigInteger(signature.AsSpan(32), isUnsigned: true, isBigEndian: true);
        // The contract takes the lower of the two values that fit, so that nobody can vary a signature
        var low = s > Order >> 1 ? Order - s : s;
        var typeIndex = IndexOf(clientData, TypeMember);
        var challengeIndex = IndexOf(clientData, ChallengeMember(challenge));
        return typeIndex >= 0 && challengeIndex >= 0
            ? new WebAuthnAssertion(signature[..32], Word(low), challengeIndex, typeIndex, authenticatorData, clientData)
            : throw new FormatException("The client data is not that of an assertion over this challenge.");
    }

    static string ChallengeMember(ReadOnlySpan<byte> challenge) => $"\"challenge\":\"{Base64Url.EncodeToString(challenge)}\"";

    static int IndexOf(ReadOnlySpan<byte> clientData, string member) => clientData.IndexOf(Encoding.ASCII.GetBytes(member));

    static byte[] SignedHash(byte[] authenticatorData, byte[] clientData) => SHA256.HashData([.. authenticatorData, .. SHA256.HashData(clientData)]);

    int TryFindOnce(string member)
    {
        var name = member[..(member.IndexOf(':', StringComparison.Ordinal) + 1)];
        var at = IndexOf(ClientDataJson, name);
        return at >= 0 && IndexOf(ClientDataJson.AsSpan(at + 1), name) < 0 && IndexOf(ClientDataJson, member) == at ? at : -1;
    }

    static byte[] Word(BigInteger value)
    {
        var word = new byte[32];
        return value.TryWriteBytes(word.AsSpan(32 - value.GetByteCount(isUnsigned: true)), out _, isUnsigned: true, isBigEndian: true)
            ? word
            : throw new FormatException("A signature's number is longer than 32 bytes.");
    }
}
