using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Identity;

namespace Salus.Platform.Consortium;

/// <summary>What became of a vote.</summary>
public abstract record VoteOutcome
{
    VoteOutcome() { }

    /// <summary>On its way to the chain; it decides once more than half of the members have voted the same.</summary>
    public sealed record Cast : VoteOutcome;

    /// <summary>A field is wrong.</summary>
    public sealed record Invalid(string Field, string Reason) : VoteOutcome;
}

/// <summary>This member's votes on who belongs to the consortium.</summary>
public sealed class ConsortiumDesk(NpgsqlDataSource database, ChainOutbox outbox, MemberDirectory directory, AuditTrail audit)
{
    const int NameLengthMax = 200;

    /// <summary>Votes to admit an account under a name, or to expel the member of that account.</summary>
    /// <param name="by">The administrator.</param>
    /// <param name="account">The account, as <c>0x…</c>.</param>
    /// <param name="name">For an admission, the name that the candidate's node states.</param>
    /// <param name="admit">Whether to admit; to expel otherwise.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<VoteOutcome> VoteAsync(Caller by, string? account, string? name, bool admit, CancellationToken cancellation)
    {
        Address candidate;
        try
        {
            candidate = Address.Parse(account);
        }
        catch (FormatException malformed)
        {
            return new VoteOutcome.Invalid("account", malformed.Message);
        }
        var member = directory.Members.FirstOrDefault(one => one.Account == candidate);
        byte[] nameHash;
        if (admit)
        {
            if (member is not null)
            {
                return new VoteOutcome.Invalid("account", $"{candidate} is a member already.");
            }
            if (name is not { Length: > 0 and <= NameLengthMax })
            {
                return new VoteOutcome.Invalid("name", $"Give the name that the candidate's node states under /api/consortium/self, up to {NameLengthMax} letters.");
            }
            nameHash = MemberStatements.NameHash(name);
        }
        else if (member is null)
        {
            return new VoteOutcome.Invalid("account", $"{candidate} is no member.");
        }
        else
        {
            nameHash = member.NameHash;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await outbox.EnqueueAsync(connection, "vote", Guid.NewGuid().ToString(), ChainContract.Members, MembersContract.Vote(candidate, nameHash, admit), cancellation);
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Vote, true, by.Account, null, $"Member/{candidate}", admit ? "to admit" : "to expel"), cancellation);
        await transaction.CommitAsync(cancellation);
        return new VoteOutcome.Cast();
    }
}
