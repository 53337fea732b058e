namespace Salus.Platform.Identity;

/// <summary>A request for an account.</summary>
/// <param name="Email">The e-mail to sign in with.</param>
/// <param name="DisplayName">The name shown.</param>
/// <param name="Password">The password.</param>
/// <param name="Role">The role asked for.</param>
/// <param name="EnrolmentCode">For a patient, the code that links the account to their record; it can be redeemed later too.</param>
/// <param name="InvitationCode">An administrator's invitation to the role.</param>
public sealed record SignUp(string Email, string DisplayName, string Password, Role Role, string? EnrolmentCode = null, string? InvitationCode = null);

/// <summary>An account as its holder and administrators see it.</summary>
public sealed record Account(
    Guid Id, string Email, string DisplayName, Role Role, string? Patient, bool Approved, bool Disabled, bool SecondFactor, DateTimeOffset Created)
{
    /// <summary>When an administrator took the second factor off, until the holder says that they know.</summary>
    public DateTimeOffset? SecondFactorReset { get; init; }

    /// <summary>Whether the row is as this node wrote it. One that was altered in the database opens nothing.</summary>
    public bool Intact { get; init; } = true;
}

/// <summary>A caller whose credentials were right: a session or a token may begin, as long as those credentials hold.</summary>
/// <param name="Caller">Who it is.</param>
public sealed record Entrance(Caller Caller)
{
    /// <summary>When an administrator took the second factor off, until the caller says that they know.</summary>
    public DateTimeOffset? SecondFactorReset { get; init; }

    /// <summary>The account's security stamp of that moment.</summary>
    internal byte[] Stamp { get; init; } = [];
}

/// <summary>What became of a sign-up.</summary>
public abstract record SignUpOutcome
{
    SignUpOutcome() { }
    /// <summary>The account is there; unless approved it opens nothing yet.</summary>
    public sealed record Created(Guid Account, bool Approved) : SignUpOutcome;
    /// <summary>The e-mail has an account.</summary>
    public sealed record EmailTaken : SignUpOutcome;
    /// <summary>Not an e-mail address.</summary>
    public sealed record BadEmail : SignUpOutcome;
    /// <summary>The name is empty or too long.</summary>
    public sealed record BadDisplayName(int LengthMax) : SignUpOutcome;
    /// <summary>The password is too weak.</summary>
    public sealed record WeakPassword(string Reason) : SignUpOutcome;
    /// <summary>The code is unknown, used, expired or for another role.</summary>
    public sealed record BadCode(string Field) : SignUpOutcome;
    /// <summary>The record has an account already.</summary>
    public sealed record PatientTaken : SignUpOutcome;
    /// <summary>Nobody may ask for this role without an invitation.</summary>
    public sealed record RoleNeedsInvitation(Role Role) : SignUpOutcome;
}

/// <summary>What became of redeeming an enrolment code.</summary>
public abstract record RedeemOutcome
{
    RedeemOutcome() { }
    /// <summary>The account is linked to its record.</summary>
    public sealed record Linked(string Patient) : RedeemOutcome;
    /// <summary>The code is unknown, used or expired.</summary>
    public sealed record BadCode : RedeemOutcome;
    /// <summary>The account is no patient's or has a record, or the record has an account.</summary>
    public sealed record NotLinkable : RedeemOutcome;
}

/// <summary>What became of a sign-in.</summary>
public abstract record SignInOutcome
{
    SignInOutcome() { }
    /// <summary>The credentials were right.</summary>
    public sealed record SignedIn(Entrance Entrance) : SignInOutcome;
    /// <summary>The password was right; the ticket and a code finish the sign-in within minutes.</summary>
    public sealed record SecondFactorNeeded(string Ticket) : SignInOutcome;
    /// <summary>Wrong credentials, or a ticket that is no longer good.</summary>
    public sealed record Refused : SignInOutcome;
    /// <summary>Too many failures in a row.</summary>
    public sealed record LockedUntil(DateTimeOffset Until) : SignInOutcome;
    /// <summary>The credentials were right, and an administrator has not approved the account yet.</summary>
    public sealed record NotApproved : SignInOutcome;
    /// <summary>Too many attempts on this e-mail, right or wrong.</summary>
    public sealed record TooMany(TimeSpan RetryAfter) : SignInOutcome;
    /// <summary>What a passkey has signed was not taken.</summary>
    public sealed record PasskeyRefused(Passkeys.PasskeyFault Fault) : SignInOutcome;
}

/// <summary>What became of a password change.</summary>
public abstract record PasswordOutcome
{
    PasswordOutcome() { }
    /// <summary>Changed: every session and every token of the account has ended.</summary>
    public sealed record Changed(Entrance Entrance) : PasswordOutcome;
    /// <summary>The present password was wrong.</summary>
    public sealed record Refused : PasswordOutcome;
    /// <summary>Too many failures in a row.</summary>
    public sealed record LockedUntil(DateTimeOffset Until) : PasswordOutcome;
    /// <summary>The new password is too weak.</summary>
    public sealed record WeakPassword(string Reason) : PasswordOutcome;
}

/// <summary>What became of setting up, confirming or removing a second factor.</summary>
public abstract record SecondFactorOutcome
{
    SecondFactorOutcome() { }
    /// <summary>Scan the code, then confirm with a code of the app.</summary>
    public sealed record Begun(string Secret, string Uri, string Svg) : SecondFactorOutcome;
    /// <summary>On; every session and every token has ended. Each recovery code stands in once; they are shown this one time.</summary>
    public sealed record Enabled(IReadOnlyList<string> RecoveryCodes, Entrance Entrance) : SecondFactorOutcome;
    /// <summary>Off; every session and every token has ended.</summary>
    public sealed record Removed(Entrance Entrance) : SecondFactorOutcome;
    /// <summary>Wrong password or code.</summary>
    public sealed record Refused : SecondFactorOutcome;
    /// <summary>Too many failures in a row.</summary>
    public sealed record LockedUntil(DateTimeOffset Until) : SecondFactorOutcome;
    /// <summary>It is on already, or there is none to confirm or remove.</summary>
    public sealed record NotNow(string Reason) : SecondFactorOutcome;
}
