using Npgsql;

namespace Salus.Platform.Identity;

/// <summary>What happened to an account or a session.</summary>
public enum SecurityEventKind
{
    /// <summary>An account was made.</summary>
    SignedUp,
    /// <summary>A session or a token was given for the right credentials.</summary>
    SignedIn,
    /// <summary>Wrong credentials.</summary>
    SignInFailed,
    /// <summary>A session was ended by its caller.</summary>
    SignedOut,
    /// <summary>Every session and every token was ended by its caller.</summary>
    SignedOutEverywhere,
    /// <summary>Too many failures in a row.</summary>
    LockedOut,
    /// <summary>A second factor was confirmed.</summary>
    SecondFactorEnabled,
    /// <summary>The second factor was taken off.</summary>
    SecondFactorRemoved,
    /// <summary>An administrator took the second factor off.</summary>
    SecondFactorReset,
    /// <summary>A recovery code stood in for the second factor.</summary>
    RecoveryCodeUsed,
    /// <summary>The password was changed; other sessions and all tokens ended.</summary>
    PasswordChanged,
    /// <summary>A bearer token was issued.</summary>
    TokenIssued,
    /// <summary>A bearer token was revoked.</summary>
    TokenRevoked,
    /// <summary>An administrator approved the account.</summary>
    Approved,
    /// <summary>An administrator disabled the account.</summary>
    Disabled,
    /// <summary>An administrator made an invitation.</summary>
    InvitationMade,
    /// <summary>An enrolment code was made for a record.</summary>
    EnrolmentCodeMade,
    /// <summary>The account was linked to its record.</summary>
    PatientLinked,
    /// <summary>The caller's role does not allow what was asked.</summary>
    RoleRefused,
    /// <summary>A row of accounts, codes or tokens was altered in the database; it was refused.</summary>
    RowAltered,
    /// <summary>A passkey to sign in with was added.</summary>
    PasskeyAdded,
    /// <summary>A passkey to sign in with was removed; every session and every token ended.</summary>
    PasskeyRemoved,
    /// <summary>A passkey's counter went back, as a copy's would; the signature was refused.</summary>
    PasskeyCounterWentBack,
    /// <summary>A passkey that signs consents was added.</summary>
    ConsentPasskeyAdded,
    /// <summary>A passkey that signs consents was removed.</summary>
    ConsentPasskeyRemoved,
    /// <summary>Somebody else was let sign consents.</summary>
    DelegateAdded,
    /// <summary>Somebody else signs consents no more.</summary>
    DelegateRemoved,
    /// <summary>Recovery contacts were named.</summary>
    RecoverySet,
    /// <summary>A new passkey was to replace those that sign consents.</summary>
    RecoveryAsked,
    /// <summary>A recovery contact confirmed that.</summary>
    RecoveryConfirmed,
    /// <summary>That was called off.</summary>
    RecoveryCancelled,
    /// <summary>The new passkey has replaced the others.</summary>
    Recovered,
}

/// <summary>An event for the audit trail.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Account">Whom it concerns; null for an e-mail without an account.</param>
/// <param name="By">Who did it, where that is somebody else.</param>
/// <param name="At">When.</param>
public sealed record SecurityEvent(SecurityEventKind Kind, Guid? Account, Guid? By, DateTimeOffset At);

/// <summary>What this feature asks of others; the composition root connects it.</summary>
/// <param name="RegisterCall">The calldata of <c>Members.register(bytes32)</c> for a commitment.</param>
/// <param name="RecordEvent">Writes the audit row, on the connection and in the transaction of the deed.</param>
/// <param name="PatientExists">Whether there is a Patient resource of that logical id.</param>
public sealed record IdentityHooks(
    Func<byte[], byte[]> RegisterCall,
    Func<NpgsqlConnection, SecurityEvent, CancellationToken, Task> RecordEvent,
    Func<string, CancellationToken, Task<bool>> PatientExists);
