using System.Buffers.Binary;
using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Salus.Ledger.Contracts;
using Salus.Ledger.Proofs;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>What a registration comes to.</summary>
public abstract record RegistrationCheck
{
    RegistrationCheck() { }

    /// <summary>A passkey that can be taken.</summary>
    public sealed record Good(PasskeyCredential Credential) : RegistrationCheck;

    /// <summary>None.</summary>
    public sealed record Bad(PasskeyFault Fault) : RegistrationCheck;
}

/// <summary>What an assertion comes to.</summary>
public abstract record AssertionCheck
{
    AssertionCheck() { }

    /// <summary>The passkey's signature over the challenge, the user verified; in the shape that the chain checks.</summary>
    public sealed record Good(WebAuthnAssertion Assertion, uint Counter) : AssertionCheck;

    /// <summary>Not that.</summary>
    public sealed record Bad(PasskeyFault Fault) : AssertionCheck;
}

/// <summary>
/// The relying party's part of WebAuthn level 2 (sections 7.1 and 7.2): ES256 alone, since the chain knows P-256 alone; user verification
/// required; no attestation.
/// </summary>
public sealed class PasskeyCeremony(IOptions<PasskeyOptions> options)
{
    const int Es256 = -7;
    const int ClientDataBytesMax = 4096;
    const int AttestationBytesMax = 8192;
    const int CredentialBytesMax = 1023;
    const int HeaderBytes = 32 + 1 + 4;
    const int AttestedHeaderBytes = HeaderBytes + 16 + 2;
    const int DerBytesMax = 72;
    const byte UserPresent = 0x01;
    const byte UserVerified = 0x04;
    const byte HasCredential = 0x40;
    const byte HasExtensions = 0x80;

    readonly byte[] relyingPartyIdHash = WebAuthnAssertion.RelyingPartyIdHash(options.Value.RelyingParty);

    int TimeoutMilliseconds => options.Value.ChallengeMinutes * 60_000;

    /// <summary>What the browser is asked to make.</summary>
    /// <param name="user">The user handle: random or an id, for it names nobody.</param>
    /// <param name="name">What the device shows.</param>
    /// <param name="displayName">What it may show beside.</param>
    /// <param name="hospital">Whose site it is.</param>
    /// <param name="known">Passkeys whose authenticator is not to make another.</param>
    /// <param name="challenge">What is signed.</param>
    public CreationOptions Creation(byte[] user, string name, string displayName, string hospital, IEnumerable<PasskeyCredential> known, byte[] challenge) => new(
        new PasskeyParty(options.Value.RelyingParty, hospital), new PasskeyUser(Base64Url.EncodeToString(user), name, displayName), Base64Url.EncodeToString(challenge),
        [new PasskeyParameters("public-key", Es256)], TimeoutMilliseconds, Describe(known), new PasskeySelection("required", true, "required"), "none");

    /// <summary>What the browser is asked to sign; any discoverable passkey may where none is named.</summary>
    public RequestOptions Request(IEnumerable<PasskeyCredential> allowed, byte[] challenge) =>
        new(Base64Url.EncodeToString(challenge), TimeoutMilliseconds, options.Value.RelyingParty, Describe(allowed), "required");

    /// <summary>The id of the passkey that an answer names; null where it names none.</summary>
    public static byte[]? CredentialId(AssertionMessage? message) => TryDecode(message?.Id, CredentialBytesMax);

    /// <summary>Checks what a browser answers that has made a passkey.</summary>
    public RegistrationCheck Register(AttestationMessage? message, ReadOnlySpan<byte> challenge)
    {
        if (TryDecode(message?.ClientDataJson, ClientDataBytesMax) is not { } clientData || TryDecode(message?.AttestationObject, AttestationBytesMax) is not { } attestation)
        {
            return new RegistrationCheck.Bad(PasskeyFault.Malformed);
        }
        if (ClientDataFault(clientData, "webauthn.create", challenge) is { } fault)
        {
            return new RegistrationCheck.Bad(fault);
        }
        try
        {
            var (format, hasStatement, data) = ReadAttestation(attestation);
            if (format != "none" || hasStatement)
            {
                return new RegistrationCheck.Bad(PasskeyFault.Attested);
            }
            return AuthenticatorFault(data) is { } authenticatorFault
                ? new RegistrationCheck.Bad(authenticatorFault)
                : ReadCredential(data);
        }
        catch (Exception exception) when (exception is CborContentException or InvalidOperationException or OverflowException)
        {
            return new RegistrationCheck.Bad(PasskeyFault.Malformed);
        }
    }

    /// <summary>Checks what a browser answers that has had a challenge signed.</summary>
    public AssertionCheck Verify(AssertionMessage? message, PasskeyCredential credential, ReadOnlySpan<byte> challenge)
    {
        if (TryDecode(message?.ClientDataJson, ClientDataBytesMax) is not { } clientData
            || TryDecode(message?.AuthenticatorData, ClientDataBytesMax) is not { } data || data.Length < HeaderBytes
            || TryDecode(message?.Signature, DerBytesMax) is not { } signature)
        {
            return new AssertionCheck.Bad(PasskeyFault.Malformed);
        }
        if ((ClientDataFault(clientData, "webauthn.get", challenge) ?? AuthenticatorFault(data)) is { } fault)
        {
            return new AssertionCheck.Bad(fault);
        }
        try
        {
            var assertion = WebAuthnAssertion.FromBrowser(data, clientData, signature, challenge);
            using var key = KeyOf(credential.X, credential.Y);
            return assertion.Verify(key, relyingPartyIdHash, challenge)
                ? new AssertionCheck.Good(assertion, BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(HeaderBytes - 4)))
                : new AssertionCheck.Bad(PasskeyFault.BadSignature);
        }
        catch (FormatException)
        {
            return new AssertionCheck.Bad(PasskeyFault.Malformed);
        }
    }

    /// <summary>The passkey as the chain knows it.</summary>
    public PublicKey PublicKeyOf(PasskeyCredential credential) => new(credential.X, credential.Y, relyingPartyIdHash);

    internal static ECDsa KeyOf(byte[] x, byte[] y) => ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });

    static PasskeyDescriptor[] Describe(IEnumerable<PasskeyCredential> credentials) =>
        [.. credentials.Select(credential => new PasskeyDescriptor("public-key", Base64Url.EncodeToString(credential.Id)))];

    static byte[]? TryDecode(string? text, int bytesMax) =>
        text is { Length: > 0 } && Base64Url.IsValid(text, out var length) && length > 0 && length <= bytesMax ? Base64Url.DecodeFromChars(text) : null;

    PasskeyFault? ClientDataFault(byte[] clientData, string type, ReadOnlySpan<byte> challenge)
    {
        try
        {
            using var json = JsonDocument.Parse(clientData, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            if (json.RootElement.ValueKind is not JsonValueKind.Object)
            {
                return PasskeyFault.Malformed;
            }
            if (Text("type") != type)
            {
                return PasskeyFault.OtherType;
            }
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Text("challenge") ?? ""), Encoding.UTF8.GetBytes(Base64Url.EncodeToString(challenge))))
            {
                return PasskeyFault.OtherChallenge;
            }
            var framed = json.RootElement.TryGetProperty("crossOrigin", out var crossOrigin) && crossOrigin.ValueKind is not JsonValueKind.False;
            return framed || Text("origin") != options.Value.Origin ? PasskeyFault.OtherOrigin : null;

            string? Text(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return PasskeyFault.Malformed;
        }
    }

    PasskeyFault? AuthenticatorFault(byte[] data) =>
        data.Length < HeaderBytes ? PasskeyFault.Malformed
        : !data.AsSpan().StartsWith(relyingPartyIdHash) ? PasskeyFault.OtherRelyingParty
        : (data[32] & UserPresent) == 0 ? PasskeyFault.UserNotPresent
        : (data[32] & UserVerified) == 0 ? PasskeyFault.UserNotVerified
        : null;

    /// <summary>fmt, attStmt and authData, each once and nothing else (section 6.5.4).</summary>
    static (string? Format, bool HasStatement, byte[] Data) ReadAttestation(byte[] attestation)
    {
        var reader = new CborReader(attestation, CborConformanceMode.Ctap2Canonical);
        var (format, hasStatement, data) = ((string?)null, false, Array.Empty<byte>());
        var count = reader.ReadStartMap();
        while (reader.PeekState() is not CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "fmt":
                    format = reader.ReadTextString();
                    break;
                case "attStmt":
                    hasStatement = reader.ReadStartMap() != 0;
                    while (reader.PeekState() is not CborReaderState.EndMap)
                    {
                        reader.SkipValue();
                    }
                    reader.ReadEndMap();
                    break;
                case "authData":
                    data = reader.ReadByteString();
                    break;
                default:
                    throw new CborContentException("An attestation object has three members.");
            }
        }
        reader.ReadEndMap();
        return count == 3 && reader.BytesRemaining == 0 ? (format, hasStatement, data) : throw new CborContentException("Bytes follow the attestation object.");
    }

    static RegistrationCheck ReadCredential(byte[] data)
    {
        if ((data[32] & HasCredential) == 0 || data.Length < AttestedHeaderBytes)
        {
            return new RegistrationCheck.Bad(PasskeyFault.Malformed);
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(AttestedHeaderBytes - 2));
        if (length is 0 or > CredentialBytesMax || data.Length < AttestedHeaderBytes + length)
        {
            return new RegistrationCheck.Bad(PasskeyFault.Malformed);
        }
        var reader = new CborReader(data.AsMemory(AttestedHeaderBytes + length), CborConformanceMode.Ctap2Canonical, allowMultipleRootLevelValues: true);
        var point = ReadKey(reader);
        if ((data[32] & HasExtensions) != 0)
        {
            reader.SkipValue();
        }
        if (reader.BytesRemaining != 0)
        {
            return new RegistrationCheck.Bad(PasskeyFault.Malformed);
        }
        if (point is not var (x, y))
        {
            return new RegistrationCheck.Bad(PasskeyFault.OtherAlgorithm);
        }
        return new RegistrationCheck.Good(new PasskeyCredential(
            data[AttestedHeaderBytes..(AttestedHeaderBytes + length)], x, y, BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(HeaderBytes - 4))));
    }

    /// <summary>A COSE key (RFC 9053 section 7.1.1): EC2, ES256, P-256, and a point on the curve; null for any other.</summary>
    static (byte[] X, byte[] Y)? ReadKey(CborReader reader)
    {
        long? type = null, algorithm = null, curve = null;
        byte[]? x = null, y = null;
        reader.ReadStartMap();
        while (reader.PeekState() is not CborReaderState.EndMap)
        {
            switch (reader.ReadInt64())
            {
                case 1: type = reader.ReadInt64(); break;
                case 3: algorithm = reader.ReadInt64(); break;
                case -1 when reader.PeekState() is CborReaderState.UnsignedInteger: curve = reader.ReadInt64(); break;
                case -2 when reader.PeekState() is CborReaderState.ByteString: x = reader.ReadByteString(); break;
                case -3 when reader.PeekState() is CborReaderState.ByteString: y = reader.ReadByteString(); break;
                default: reader.SkipValue(); break;
            }
        }
        reader.ReadEndMap();
        if (type != 2 || algorithm != Es256 || curve != 1 || x is not { Length: 32 } || y is not { Length: 32 })
        {
            return null;
        }
        try
        {
            using var key = KeyOf(x, y);
            return (x, y);
        }
        catch (CryptographicException)
        {
            return null; // no point of the curve
        }
    }
}
