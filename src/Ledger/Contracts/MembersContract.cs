using System.Numerics;
using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>An event of Members.sol.</summary>
public abstract record MembersEvent
{
    MembersEvent() { }

    /// <summary>A member was admitted.</summary>
    public sealed record Admitted(Address Member, byte[] NameHash) : MembersEvent;

    /// <summary>A member was expelled.</summary>
    public sealed record Expelled(Address Member, byte[] NameHash) : MembersEvent;

    /// <summary>A member voted on a candidate.</summary>
    public sealed record Voted(Address Voter, Address Candidate, byte[] NameHash, bool Admit) : MembersEvent;

    /// <summary>A member registered a commitment.</summary>
    public sealed record Registered(Address Member, byte[] Commitment) : MembersEvent;
}

/// <summary>Members.sol: who belongs to the consortium, by vote, and what they have registered.</summary>
public static class MembersContract
{
    /// <summary>The compiled contract.</summary>
    public static ContractArtifact Artifact { get; } = ContractArtifact.Load("Members");

    /// <summary>Creates the consortium, its creator the first member, known by the hash of a name.</summary>
    public static byte[] Create(byte[] nameHash) => Artifact.Create(nameHash);

    /// <summary>Votes to admit a candidate, or to expel a member.</summary>
    public static byte[] Vote(Address candidate, byte[] nameHash, bool admit) => Artifact.Function("vote").Encode(candidate, nameHash, admit);

    /// <summary>Registers a commitment in the caller's name.</summary>
    public static byte[] Register(byte[] commitment) => Artifact.Function("register").Encode(commitment);

    /// <summary>Whether the account is a member.</summary>
    public static async Task<bool> IsMemberAsync(
        EvmRpc rpc, Address contract, Address account, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        (bool)(await Artifact.ViewAsync(rpc, contract, "isMember", tag, cancellationToken, account))[0];

    /// <summary>Number of members.</summary>
    public static async Task<int> MemberCountAsync(
        EvmRpc rpc, Address contract, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        (int)(BigInteger)(await Artifact.ViewAsync(rpc, contract, "memberCount", tag, cancellationToken))[0];

    /// <summary>Whether the member has registered the commitment.</summary>
    public static async Task<bool> RegisteredAsync(
        EvmRpc rpc, Address contract, Address member, byte[] commitment, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        (bool)(await Artifact.ViewAsync(rpc, contract, "registered", tag, cancellationToken, member, commitment))[0];

    /// <summary>The event in a log entry; null where it is none of this contract's.</summary>
    public static MembersEvent? TryDecode(EventLog log)
    {
        if (Artifact.Event("Admitted").TryDecode(log) is { } admitted)
            return new MembersEvent.Admitted((Address)admitted[0], (byte[])admitted[1]);
        if (Artifact.Event("Expelled").TryDecode(log) is { } expelled)
            return new MembersEvent.Expelled((Address)expelled[0], (byte[])expelled[1]);
        if (Artifact.Event("Voted").TryDecode(log) is { } voted)
            return new MembersEvent.Voted((Address)voted[0], (Address)voted[1], (byte[])voted[2], (bool)voted[3]);
        return Artifact.Event("Registered").TryDecode(log) is { } registered
            ? new MembersEvent.Registered((Address)registered[0], (byte[])registered[1])
            : null;
    }
}
