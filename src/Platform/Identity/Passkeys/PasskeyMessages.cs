namespace Salus.Platform.Identity.Passkeys;

/// <summary>What a browser answers when a passkey was made (WebAuthn level 2 section 5.2.1); bytes in base64url.</summary>
public sealed record AttestationMessage(string? Id, string? ClientDataJson, string? AttestationObject);

/// <summary>What a browser answers when a passkey has signed (WebAuthn level 2 section 5.2.2); bytes in base64url.</summary>
public sealed record AssertionMessage(string? Id, string? ClientDataJson, string? AuthenticatorData, string? Signature);

/// <summary>A passkey as a relying party keeps it: P-256.</summary>
/// <param name="Id">The credential's id, at most 1023 bytes.</param>
/// <param name="X">The point's x, 32 bytes.</param>
/// <param name="Y">The point's y, 32 bytes.</param>
/// <param name="Counter">How often it had signed; zero where the authenticator does not count.</param>
public sealed record PasskeyCredential(byte[] Id, byte[] X, byte[] Y, uint Counter)
{
    /// <summary>Whether an answer's counter has not gone on from here, as a copy's would not.</summary>
    public bool WentBack(uint counter) => (counter != 0 || Counter != 0) && counter <= Counter;
}

/// <summary>Why an authenticator's answer is not taken.</summary>
public enum PasskeyFault
{
    /// <summary>It cannot be read.</summary>
    Malformed,
    /// <summary>It answers another kind of question.</summary>
    OtherType,
    /// <summary>It answers another challenge.</summary>
    OtherChallenge,
    /// <summary>It comes from a page of another origin.</summary>
    OtherOrigin,
    /// <summary>It is for another relying party.</summary>
    OtherRelyingParty,
    /// <summary>Nobody was present.</summary>
    UserNotPresent,
    /// <summary>The device did not check who was.</summary>
    UserNotVerified,
    /// <summary>The key is none on P-256.</summary>
    OtherAlgorithm,
    /// <summary>A statement about the authenticator that was not asked for.</summary>
    Attested,
    /// <summary>No passkey of this account, or none for this use.</summary>
    UnknownPasskey,
    /// <summary>The passkey is known here already.</summary>
    KnownPasskey,
    /// <summary>The signature is not the passkey's.</summary>
    BadSignature,
    /// <summary>The counter went back, as a copy's would.</summary>
    CounterWentBack,
    /// <summary>The question is unknown, answered before or too old.</summary>
    Expired,
}

/// <summary>Faults in words.</summary>
public static class PasskeyFaults
{
    /// <summary>What was wrong, and what would be right.</summary>
    public static (string Wrong, string Right) Words(this PasskeyFault fault) => fault switch
    {
        PasskeyFault.OtherOrigin or PasskeyFault.OtherRelyingParty => ("The passkey was used on another site's page.", "Open this site by its own address and try again."),
        PasskeyFault.UserNotPresent or PasskeyFault.UserNotVerified =>
            ("The device did not check that it was you.", "Set up a screen lock, a fingerprint or a PIN on the device, and use it when asked."),
        PasskeyFault.OtherAlgorithm => ("The passkey is of a kind that the chain cannot check.", "Use a device whose passkeys are ES256 (P-256), as nearly all are."),
        PasskeyFault.Attested => ("The device sent a statement about itself that was not asked for.", "Use the passkeys of the phone or the browser."),
        PasskeyFault.UnknownPasskey => ("This passkey is not known here, or not for this.", "Sign in with a sign-in passkey, and sign consents with a consent passkey."),
        PasskeyFault.KnownPasskey => ("This passkey was added before.", "Choose another device."),
        PasskeyFault.CounterWentBack => ("The passkey's counter went back, as a copy's would.", "Remove this passkey and add it anew."),
        PasskeyFault.Expired or PasskeyFault.OtherChallenge => ("The question was answered before, or is too old.", "Begin again."),
        PasskeyFault.BadSignature => ("The signature is not this passkey's.", "Begin again."),
        _ => ("The answer of the device cannot be read.", "Begin again."),
    };
}

/// <summary>A name of a thing and what is shown for it.</summary>
public sealed record PasskeyParty(string Id, string Name);

/// <summary>For whom a passkey is made; the id is base64url.</summary>
public sealed record PasskeyUser(string Id, string Name, string DisplayName);

/// <summary>A kind of key.</summary>
public sealed record PasskeyParameters(string Type, int Alg);

/// <summary>A passkey by its id in base64url.</summary>
public sealed record PasskeyDescriptor(string Type, string Id);

/// <summary>What an authenticator must do.</summary>
public sealed record PasskeySelection(string ResidentKey, bool RequireResidentKey, string UserVerification);

/// <summary>What navigator.credentials.create is given (WebAuthn level 2 section 5.4); bytes in base64url.</summary>
public sealed record CreationOptions(
    PasskeyParty Rp, PasskeyUser User, string Challenge, IReadOnlyList<PasskeyParameters> PubKeyCredParams, int Timeout,
    IReadOnlyList<PasskeyDescriptor> ExcludeCredentials, PasskeySelection AuthenticatorSelection, string Attestation);

/// <summary>What navigator.credentials.get is given (WebAuthn level 2 section 5.5); bytes in base64url.</summary>
public sealed record RequestOptions(
    string Challenge, int Timeout, string RpId, IReadOnlyList<PasskeyDescriptor> AllowCredentials, string UserVerification);

/// <summary>A question to an authenticator: the attempt goes back with the answer.</summary>
public sealed record PreparedPasskey<T>(string Attempt, DateTimeOffset Expires, T Options);
