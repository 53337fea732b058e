using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>
/// The contracts of a consortium that another node has founded. Its first member's account created them one after the other, so their
/// addresses follow from that of <c>Members</c>; the code that stands there is compared with what this program would have deployed.
/// </summary>
static class SharedContracts
{
    const ulong NoncesMax = 10_000;
    const ulong BlocksPerReadMax = 5_000;

    /// <summary>Finds all contracts.</summary>
    /// <param name="rpc">The chain.</param>
    /// <param name="chainId">Its id.</param>
    /// <param name="members">The consortium.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="SetupException">There is no consortium, or its contracts are others than this program's.</exception>
    public static async Task<IReadOnlyDictionary<ChainContract, Address>> FindAsync(EvmRpc rpc, ulong chainId, Address members, CancellationToken cancellation)
    {
        var (founder, nameHash) = await FounderAsync(rpc, members, cancellation);
        ulong nonce = 0;
        while (Address.OfContract(founder, nonce) != members)
        {
            if (++nonce > NoncesMax)
            {
                throw new SetupException($"The contract Members at {members} was not created by its first member; the consortium's other contracts cannot be found from it.");
            }
        }
        var found = new Dictionary<ChainContract, Address>
        {
            [ChainContract.Members] = members,
            [ChainContract.Anchor] = Address.OfContract(founder, nonce + 1),
            [ChainContract.Subjects] = Address.OfContract(founder, nonce + 2),
            [ChainContract.Consents] = Address.OfContract(founder, nonce + 3),
        };
        await RequireAsync(ChainContract.Members, MembersContract.Create(nameHash), null);
        await RequireAsync(ChainContract.Anchor, AnchorContract.Create(members), null);
        await RequireAsync(ChainContract.Subjects, SubjectsContract.Create(members), at => new Eip712Domain("Salus Subjects", "1", chainId, at));
        await RequireAsync(ChainContract.Consents, ConsentsContract.Create(members, found[ChainContract.Subjects]), at => ConsentsContract.Domain(chainId, at));
        return found;

        async Task RequireAsync(ChainContract contract, byte[] creation, Func<Address, Eip712Domain>? domain)
        {
            // What creating it now would leave, created by a caller that has sent nothing yet; it knows its own address where it signs for it.
            var expected = await rpc.CallAsync(new EvmCall(null, creation, Nobody), cancellationToken: cancellation);
            if (domain is not null)
            {
                var elsewhere = Address.OfContract(Nobody, 0);
                Replace(expected, elsewhere.ToArray(), found[contract].ToArray());
                Replace(expected, domain(elsewhere).Separator(), domain(found[contract]).Separator());
            }
            var standing = await rpc.CodeAsync(found[contract], default, cancellation);
            if (!expected.AsSpan().SequenceEqual(standing))
            {
                throw new SetupException($"What stands at {found[contract]} is not this program's contract {contract}: the consortium of {members} runs another version. Start the Salus that it runs.");
            }
        }
    }

    static Address Nobody => new(Keccak256.Hash("salus: nobody").AsSpan(12));

    /// <summary>The first event of a consortium: its founding.</summary>
    static async Task<(Address Account, byte[] NameHash)> FounderAsync(EvmRpc rpc, Address members, CancellationToken cancellation)
    {
        if ((await rpc.CodeAsync(members, default, cancellation)).Length == 0)
        {
            throw new SetupException($"There is no contract at {members}. Salus:Ledger:Members is the address that the consortium's nodes name under /api/log/place.");
        }
        var latest = await rpc.BlockNumberAsync(cancellation);
        for (ulong from = 0; from <= latest; from += BlocksPerReadMax)
        {
            var logs = await rpc.LogsAsync(new LogFilter([members], from, Math.Min(latest, from + BlocksPerReadMax - 1)), cancellation);
            if (logs.Count > 0)
            {
                return MembersContract.TryDecode(logs[0]) is MembersEvent.Admitted { Id: 1 } founding
                    ? (founding.Account, founding.NameHash)
                    : throw new SetupException($"The contract at {members} is no consortium: it did not begin with its founding member.");
            }
        }
        throw new SetupException($"The contract at {members} has never told of a member; it is no consortium.");
    }

    static void Replace(byte[] code, byte[] from, byte[] to)
    {
        for (var at = code.AsSpan().IndexOf(from); at >= 0; at = code.AsSpan().IndexOf(from))
        {
            to.CopyTo(code, at);
        }
    }
}
