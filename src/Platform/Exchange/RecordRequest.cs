using System.Numerics;
using Salus.Ledger.Evm;
using Salus.Platform.Consent;

namespace Salus.Platform.Exchange;

/// <summary>
/// What one member's node asks of another's, on behalf of a person there. All of it is under the member's signature (EIP-712, for the
/// consortium's contract and chain), so that no part can be exchanged, and the request works at one member, once, for a minute.
/// </summary>
/// <param name="Member">The asking member's id.</param>
/// <param name="Holder">The account of the member that is asked, as <c>0x…</c>.</param>
/// <param name="Patient">The patient's id at the holder: the record's, or the hospital's own; empty where the consent names the patient.</param>
/// <param name="Consent">The one consent to go by; empty for all.</param>
/// <param name="Purpose">For what, as a code of HL7's v3 ActReason.</param>
/// <param name="Types">The resource types wanted; none for all that the consent covers.</param>
/// <param name="Person">Who asks, as the asking member names them.</param>
/// <param name="Account">Their account there.</param>
/// <param name="TimeMilliseconds">When, in milliseconds since 1970.</param>
/// <param name="Nonce">A random number, 32 bytes as <c>0x…</c>.</param>
public sealed record RecordRequest(
    ulong Member, string Holder, string Patient, string Consent, string Purpose, IReadOnlyList<string> Types, string Person, string Account, ulong TimeMilliseconds, string Nonce)
{
    const string Method = "POST /exchange/records";
    const string Type =
        "RecordRequest(string method,uint64 member,address holder,string patient,string consent,string purpose,string types,string person,string account,uint64 time,bytes32 nonce)";

    const int TextLengthMax = 200;
    const int TypesMax = 60;

    /// <summary>Its time.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(TimeMilliseconds, 4_102_444_800_000));

    /// <summary>The domain of a consortium's requests.</summary>
    public static Eip712Domain Domain(ulong chainId, Address members) => new("Salus Exchange", "1", chainId, members);

    /// <summary>The first part that is not what it should be, or null.</summary>
    public string? Fault()
    {
        if (new[] { Holder, Patient, Consent, Purpose, Person, Account, Nonce }.Any(text => text is null || text.Length > TextLengthMax || text.Any(char.IsControl)))
        {
            return $"A part is missing, or longer than {TextLengthMax} letters.";
        }
        if (Types is null || Types.Count > TypesMax || Types.Any(type => type is not { Length: > 0 and <= 64 } || !type.All(char.IsAsciiLetter)))
        {
            return "'types' names resource types.";
        }
        if (Patient.Length == 0 && Consent.Length == 0)
        {
            return "Name the patient or the consent.";
        }
        if (Person.Length == 0 || Account.Length == 0)
        {
            return "Name the person who asks.";
        }
        if (!Enum.GetValues<Purpose>().Any(purpose => ConsentTerms.CodeOf(purpose) == Purpose))
        {
            return "'purpose' is no purpose of use.";
        }
        try
        {
            Hex.Data(Nonce, 32);
            Address.Parse(Holder);
            return null;
        }
        catch (FormatException malformed)
        {
            return malformed.Message;
        }
    }

    /// <summary>The hash that is signed.</summary>
    /// <exception cref="FormatException">A part is not what it should be; see <see cref="Fault"/>.</exception>
    public byte[] Digest(Eip712Domain domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return domain.Digest(Eip712.StructHash(
            Type, Method, Member, Address.Parse(Holder), Patient, Consent, Purpose, string.Join(',', Types), Person, Account, TimeMilliseconds, Hex.Data(Nonce, 32)));
    }

    /// <summary>Signs it with a member's account.</summary>
    public SignedRequest Sign(Secp256k1Key key, Eip712Domain domain)
    {
        ArgumentNullException.ThrowIfNull(key);
        var signature = key.Sign(Digest(domain));
        var bytes = new byte[65];
        Word(signature.R).CopyTo(bytes, 0);
        Word(signature.S).CopyTo(bytes, 32);
        bytes[64] = (byte)(27 + signature.YParity);
        return new SignedRequest(this, Hex.Of(bytes));
    }

    static byte[] Word(BigInteger value)
    {
        var word = new byte[32];
        var bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        bytes.CopyTo(word, 32 - bytes.Length);
        return word;
    }
}

/// <summary>A request with its signature: r, s and 27 or 28, 65 bytes as <c>0x…</c>.</summary>
public sealed record SignedRequest(RecordRequest Request, string Signature)
{
    /// <summary>The account that signed; null where the signature is nobody's.</summary>
    public Address? Signer(Eip712Domain domain)
    {
        try
        {
            var bytes = Hex.Data(Signature, 65);
            return bytes[64] is 27 or 28
                ? new RecoverableSignature(new BigInteger(bytes.AsSpan(0, 32), isUnsigned: true, isBigEndian: true),
                    new BigInteger(bytes.AsSpan(32, 32), isUnsigned: true, isBigEndian: true), bytes[64] - 27).Signer(Request.Digest(domain))
                : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>A record that is given to another member: as a proof file with its content, or, until the log has it, the stored bytes alone.</summary>
/// <param name="Type">The resource type.</param>
/// <param name="Id">The logical id at the holder.</param>
/// <param name="Version">The version.</param>
/// <param name="Proof">The proof file; null until the log has the record.</param>
/// <param name="Content">The stored bytes where there is no proof yet.</param>
public sealed record GivenRecord(string Type, string Id, int Version, byte[]? Proof, byte[]? Content);

/// <summary>What a holder answers.</summary>
/// <param name="Patient">The patient's logical id there.</param>
/// <param name="Records">The newest versions, newest first.</param>
/// <param name="Altered">Records that stand there and were altered, by name; they are held back.</param>
/// <param name="IsPartial">Whether there are more than one answer holds.</param>
public sealed record RecordAnswer(string Patient, IReadOnlyList<GivenRecord> Records, IReadOnlyList<string> Altered, bool IsPartial);
