using System.Buffers.Binary;
using System.Buffers.Text;
using System.Formats.Asn1;
using System.Formats.Cbor;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Salus.Tests.Identity;

/// <summary>How an authenticator, or a page, lies; as it stands it does not.</summary>
sealed record Bend
{
    public string Origin { get; init; } = "http://localhost";

    public string RelyingParty { get; init; } = "localhost";

    /// <summary>User present and verified.</summary>
    public byte Flags { get; init; } = 0x05;

    public string? Type { get; init; }

    public string? Challenge { get; init; }

    public bool CrossOrigin { get; init; }

    public string Format { get; init; } = "none";

    public int Algorithm { get; init; } = -7;

    public bool OffCurve { get; init; }

    public bool HighS { get; init; }
}

/// <summary>A passkey in software: what an authenticator and a browser answer together.</summary>
sealed class SoftwarePasskey : IDisposable
{
    static readonly BigInteger Order = BigInteger.Parse("0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", System.Globalization.NumberStyles.AllowHexSpecifier);

    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public byte[] Id { get; init; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>The next signature's counter; an authenticator of a phone leaves it at zero.</summary>
    public uint Counter { get; set; }

    /// <summary>Answers what the server asked to be made.</summary>
    public object Make(JsonElement question, Bend? bend = null)
    {
        bend ??= new Bend();
        return Message(ClientData("webauthn.create", question, bend), Attestation(bend));
    }

    public object Message(byte[] clientData, byte[] attestation) => new
    {
        id = Base64Url.EncodeToString(Id), clientDataJson = Base64Url.EncodeToString(clientData), attestationObject = Base64Url.EncodeToString(attestation),
    };

    /// <summary>Answers what the server asked to be signed.</summary>
    public object Sign(JsonElement question, Bend? bend = null)
    {
        bend ??= new Bend();
        var (clientData, data) = (ClientData("webauthn.get", question, bend), Header(bend));
        byte[] signed = [.. data, .. SHA256.HashData(clientData)];
        return new
        {
            id = Base64Url.EncodeToString(Id), clientDataJson = Base64Url.EncodeToString(clientData), authenticatorData = Base64Url.EncodeToString(data),
            signature = Base64Url.EncodeToString(Der(key.SignData(signed, HashAlgorithmName.SHA256), bend.HighS)),
        };
    }

    public static byte[] ClientData(string type, JsonElement question, Bend bend) => Encoding.UTF8.GetBytes(
        $$"""{"type":"{{bend.Type ?? type}}","challenge":"{{bend.Challenge ?? ChallengeOf(question)}}","origin":"{{bend.Origin}}","crossOrigin":{{(bend.CrossOrigin ? "true" : "false")}}}""");

    public static string ChallengeOf(JsonElement question) => question.GetProperty("options").GetProperty("challenge").GetString()!;

    public byte[] Attestation(Bend bend)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var cose = new CborWriter(CborConformanceMode.Ctap2Canonical);
        cose.WriteStartMap(5);
        cose.WriteInt32(1);
        cose.WriteInt32(2);
        cose.WriteInt32(3);
        cose.WriteInt32(bend.Algorithm);
        cose.WriteInt32(-1);
        cose.WriteInt32(1);
        cose.WriteInt32(-2);
        cose.WriteByteString(point.X!);
        cose.WriteInt32(-3);
        cose.WriteByteString(bend.OffCurve ? point.X! : point.Y!);
        cose.WriteEndMap();
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)Id.Length);
        byte[] data = [.. Header(bend with { Flags = (byte)(bend.Flags | 0x40) }), .. new byte[16], .. length, .. Id, .. cose.Encode()];
        var attestation = new CborWriter(CborConformanceMode.Ctap2Canonical);
        attestation.WriteStartMap(3);
        attestation.WriteTextString("fmt");
        attestation.WriteTextString(bend.Format);
        attestation.WriteTextString("attStmt");
        attestation.WriteStartMap(0);
        attestation.WriteEndMap();
        attestation.WriteTextString("authData");
        attestation.WriteByteString(data);
        attestation.WriteEndMap();
        return attestation.Encode();
    }

    public void Dispose() => key.Dispose();

    byte[] Header(Bend bend)
    {
        var counter = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(counter, Counter);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(bend.RelyingParty)), bend.Flags, .. counter];
    }

    static byte[] Der(byte[] signature, bool high)
    {
        var s = new BigInteger(signature.AsSpan(32), isUnsigned: true, isBigEndian: true);
        s = s > Order / 2 == high ? s : Order - s;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(new BigInteger(signature.AsSpan(0, 32), isUnsigned: true, isBigEndian: true));
            writer.WriteInteger(s);
        }
        return writer.Encode();
    }
}
