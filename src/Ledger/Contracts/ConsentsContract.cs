using System.Numerics;
using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>An event of Consents.sol.</summary>
public abstract record ConsentsEvent
{
    ConsentsEvent() { }

    /// <summary>A member vouched for a patient's passkey.</summary>
    public sealed record Enrolled(byte[] Subject, Address Member) : ConsentsEvent;

    /// <summary>A consent was granted, up to and including a second in Unix time.</summary>
    public sealed record Granted(byte[] Subject, byte[] Id, byte[] Commitment, ulong NotAfter) : ConsentsEvent;

    /// <summary>A consent was revoked.</summary>
    public sealed record Revoked(byte[] Subject, byte[] Id) : ConsentsEvent;
}

/// <summary>A consent's state on chain; all zero before its grant.</summary>
public sealed record ConsentState(byte[] Subject, byte[] Commitment, ulong NotAfter, bool IsGranted, bool IsRevoked);

/// <summary>The passkey bound to a subject; the member is the zero address for an unknown subject.</summary>
public sealed record Enrollment(byte[] Qx, byte[] Qy, byte[] RelyingPartyIdHash, Address Member);

/// <summary>Consents.sol: what patients have signed. Subjects, ids and commitments are 32 bytes.</summary>
public static class ConsentsContract
{
    /// <summary>The compiled contract.</summary>
    public static ContractArtifact Artifact { get; } = ContractArtifact.Load("Consents");

    /// <summary>Creates the contract for a consortium.</summary>
    public static byte[] Create(Address members) => Artifact.Create(members);

    /// <summary>The EIP-712 domain under which this contract's challenges are hashed.</summary>
    public static Eip712Domain Domain(ulong chainId, Address contract) => new("Salus Consents", "1", chainId, contract);

    /// <summary>The challenge that the patient signs to grant.</summary>
    public static byte[] GrantChallenge(Eip712Domain domain, byte[] subject, byte[] id, byte[] commitment, ulong notAfter) =>
        domain.Digest(Eip712.StructHash("Grant(bytes32 subject,bytes32 id,bytes32 commitment,uint64 notAfter)", subject, id, commitment, notAfter));

    /// <summary>The challenge that the patient signs to revoke.</summary>
    public static byte[] RevokeChallenge(Eip712Domain domain, byte[] subject, byte[] id) =>
        domain.Digest(Eip712.StructHash("Revoke(bytes32 subject,bytes32 id)", subject, id));

    /// <summary>Binds a subject to a passkey of the relying party whose id hashes to <paramref name="rpIdHash"/>.</summary>
    public static byte[] Enroll(byte[] subject, byte[] qx, byte[] qy, byte[] rpIdHash) =>
        Artifact.Function("enroll").Encode(subject, qx, qy, rpIdHash);

    /// <summary>Grants a consent with the assertion over <see cref="GrantChallenge"/>.</summary>
    public static byte[] Grant(byte[] subject, byte[] id, byte[] commitment, ulong notAfter, WebAuthnAssertion assertion) =>
        Artifact.Function("grant").Encode(subject, id, commitment, notAfter, assertion.ToAbi());

    /// <summary>Revokes a consent with the assertion over <see cref="RevokeChallenge"/>.</summary>
    public static byte[] Revoke(byte[] subject, byte[] id, WebAuthnAssertion assertion) =>
        Artifact.Function("revoke").Encode(subject, id, assertion.ToAbi());

    /// <summary>Whether a consent counts now, for exactly these terms.</summary>
    public static async Task<bool> IsActiveAsync(
        EvmRpc rpc, Address contract, byte[] id, byte[] commitment, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        (bool)(await Artifact.ViewAsync(rpc, contract, "isActive", tag, cancellationToken, id, commitment))[0];

    /// <summary>Whether the subject has revoked the id, granted or not.</summary>
    public static async Task<bool> IsRevokedAsync(
        EvmRpc rpc, Address contract, byte[] subject, byte[] id, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        (bool)(await Artifact.ViewAsync(rpc, contract, "isRevoked", tag, cancellationToken, subject, id))[0];

    /// <summary>A consent's state.</summary>
    public static async Task<ConsentState> ConsentAsync(
        EvmRpc rpc, Address contract, byte[] id, BlockTag tag = default, CancellationToken cancellationToken = default)
    {
        var state = await Artifact.ViewAsync(rpc, contract, "consent", tag, cancellationToken, id);
        return new ConsentState((byte[])state[0], (byte[])state[1], (ulong)(BigInteger)state[2], (bool)state[3], (bool)state[4]);
    }

    /// <summary>A subject's passkey and the member that vouches for it.</summary>
    public static async Task<Enrollment> EnrollmentAsync(
        EvmRpc rpc, Address contract, byte[] subject, BlockTag tag = default, CancellationToken cancellationToken = default)
    {
        var found = await Artifact.ViewAsync(rpc, contract, "enrollment", tag, cancellationToken, subject);
        return new Enrollment((byte[])found[0], (byte[])found[1], (byte[])found[2], (Address)found[3]);
    }

    /// <summary>The event in a log entry; null where it is none of this contract's.</summary>
    public static ConsentsEvent? TryDecode(EventLog log)
    {
        if (Artifact.Event("Enrolled").TryDecode(log) is { } enrolled)
            return new ConsentsEvent.Enrolled((byte[])enrolled[0], (Address)enrolled[1]);
        if (Artifact.Event("Granted").TryDecode(log) is { } granted)
            return new ConsentsEvent.Granted((byte[])granted[0], (byte[])granted[1], (byte[])granted[2], (ulong)(BigInteger)granted[3]);
        return Artifact.Event("Revoked").TryDecode(log) is { } revoked
            ? new ConsentsEvent.Revoked((byte[])revoked[0], (byte[])revoked[1])
            : null;
    }
}
