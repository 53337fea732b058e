using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Identity;
using Salus.Platform.Schema;

namespace Salus.Platform.Consortium;

/// <summary>
/// Who the members are: what the chain says of them, read again whenever the contract tells of a change, and what their nodes say as far as
/// the chain bears it out. It tells witnessing who the others are, and publishes where this node is reached and the key it cosigns with.
/// Whether somebody is a member at this moment is asked of the chain itself, see <see cref="MemberNowAsync"/>.
/// </summary>
public sealed partial class MemberDirectory(
    NpgsqlDataSource database, ChainLink link, NodeKeys keys, ChainOutbox outbox, MemberStatements statements, WitnessRoster roster, OrganizationDesk organization,
    ConsortiumOptions options, TimeProvider time, ILogger<MemberDirectory> logger) : BackgroundService
{
    const ulong BlocksPerReadMax = 5_000;
    const string EndpointPurpose = "endpoint";
    const string WitnessKeyPurpose = "witness-key";
    static readonly TimeSpan HearAgainAfter = TimeSpan.FromSeconds(5);
    static readonly TimeSpan HearKnownAgainAfter = TimeSpan.FromMinutes(5);

    // Written by the worker alone
    volatile IReadOnlyList<Member> members = [];
    readonly Dictionary<ulong, long> heard = [];
    (ulong Number, byte[] Hash)? read;

    /// <summary>The members by their ids, this node's own among them.</summary>
    public IReadOnlyList<Member> Members => members;

    /// <summary>The other members.</summary>
    public IEnumerable<Member> Others => members.Where(member => !member.IsSelf);

    /// <summary>This node's own membership; null before its admission and after an expulsion.</summary>
    public Member? Self => members.FirstOrDefault(member => member.IsSelf);

    /// <summary>What this node says of itself.</summary>
    public MemberStatement Statement => new(keys.Origin, organization.Current.Name, keys.Chain.Address.ToString());

    /// <summary>A member by its id.</summary>
    public Member? Find(ulong id) => members.FirstOrDefault(member => member.Id == id);

    /// <summary>The id of the member that signs with an account, as the newest block has it; null when it is no member's.</summary>
    /// <exception cref="HttpRequestException">The chain does not answer.</exception>
    /// <exception cref="EvmRpcException">The chain refuses to.</exception>
    public async Task<ulong?> MemberNowAsync(Address account, CancellationToken cancellation) =>
        await MembersContract.IdOfAsync(link.Rpc, link.Contracts[ChainContract.Members], account, cancellationToken: cancellation) is > 0 and var id ? id : null;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RefreshAsync(stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or HttpRequestException or EvmRpcException or FormatException
                || (fault is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                LogFault(logger, fault.GetType().Name, fault.Message);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(options.RefreshMilliseconds), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task RefreshAsync(CancellationToken cancellation)
    {
        var latest = await link.Rpc.BlockNumberAsync(cancellation);
        if (await HasChangedAsync(latest, cancellation))
        {
            var newest = await link.Rpc.BlockAsync(BlockTag.At(latest), cancellation) ?? throw new FormatException($"The chain has no block {latest}, though it says so.");
            Keep(await ReadAsync(latest, cancellation));
            read = (latest, newest.Hash);
        }
        foreach (var member in Others.Where(IsDue).ToList())
        {
            await HearAsync(member, cancellation);
        }
        await PublishAsync(cancellation);
    }

    /// <summary>Whether the contract has told of anything since it was read, or the chain has lost what was read.</summary>
    async Task<bool> HasChangedAsync(ulong latest, CancellationToken cancellation)
    {
        if (read is not var (number, hash) || latest - number > BlocksPerReadMax
            || await link.Rpc.BlockAsync(BlockTag.At(number), cancellation) is not { } block || !block.Hash.AsSpan().SequenceEqual(hash))
        {
            return true;
        }
        return latest > number && (await link.Rpc.LogsAsync(new LogFilter([link.Contracts[ChainContract.Members]], number + 1, latest), cancellation))
            .Any(log => MembersContract.TryDecode(log) is not MembersEvent.Registered);
    }

    async Task<List<Member>> ReadAsync(ulong block, CancellationToken cancellation)
    {
        var (contract, at) = (link.Contracts[ChainContract.Members], BlockTag.At(block));
        List<Member> found = [];
        foreach (var account in await MembersContract.MembersAsync(link.Rpc, contract, at, cancellation))
        {
            var id = await MembersContract.IdOfAsync(link.Rpc, contract, account, at, cancellation);
            var member = await MembersContract.MemberOfAsync(link.Rpc, contract, id, at, cancellation);
            found.Add(new Member(id, account, member.NameHash, MemberWire.Endpoint(member.Endpoint), Encoding.UTF8.GetString(member.WitnessKey)));
        }
        return [.. found.OrderBy(member => member.Id)];
    }

    /// <summary>Takes over what the chain says; what was heard of a member stays as long as the chain says the same of it.</summary>
    void Keep(List<Member> found)
    {
        Set([.. found.Select(member => member.Account == keys.Chain.Address
            ? member with { IsSelf = true, Name = keys.Origin, Title = organization.Current.Name, LogKey = keys.VerifierKey, WitnessKey = keys.Witness.Verifier.ToString() }
            : Find(member.Id) is { } known && known.Endpoint == member.Endpoint && known.PublishedWitnessKey == member.PublishedWitnessKey
                ? member with { Name = known.Name, Title = known.Title, LogKey = known.LogKey, WitnessKey = known.WitnessKey }
                : member)]);
        foreach (var gone in heard.Keys.Where(id => Find(id) is not { IsKnown: true }).ToList())
        {
            heard.Remove(gone);
        }
    }

    bool IsDue(Member member) =>
        member.Endpoint is not null
        && (!heard.TryGetValue(member.Id, out var at) || time.GetElapsedTime(at) > (member.IsKnown ? HearKnownAgainAfter : HearAgainAfter));

    async Task HearAsync(Member member, CancellationToken cancellation)
    {
        heard[member.Id] = time.GetTimestamp();
        try
        {
            var told = await statements.HearAsync(member, cancellation);
            Set([.. members.Select(one => one.Id == told.Id ? told : one)]);
        }
        catch (Exception away) when (away is HttpRequestException or IOException || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            LogAway(logger, away, member.Id);
        }
    }

    void Set(IReadOnlyList<Member> found)
    {
        members = found;
        var others = Others.ToList();
        roster.Name(others.Count,
            [.. others.Select(member => member.LogKey).OfType<string>()],
            [.. others.Where(member => member is { WitnessKey: not null, Endpoint: not null }).Select(member => new WitnessPeer(member.Endpoint!, member.WitnessKey!))]);
    }

    /// <summary>Publishes this node's address and witness key where the chain has others.</summary>
    async Task PublishAsync(CancellationToken cancellation)
    {
        if (options.Endpoint.Length == 0 || Self is not { } self)
        {
            return;
        }
        if (self.Endpoint != MemberWire.Endpoint(options.Endpoint))
        {
            await PublishAsync(EndpointPurpose, MembersContract.PublishEndpoint(options.Endpoint), cancellation);
        }
        if (self.PublishedWitnessKey != self.WitnessKey)
        {
            await PublishAsync(WitnessKeyPurpose, MembersContract.PublishWitnessKey(Encoding.UTF8.GetBytes(self.WitnessKey!)), cancellation);
        }
    }

    async Task PublishAsync(string purpose, byte[] call, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var waits = await connection.QueryAsync(cancellation, row => row.GetBoolean(0),
            "SELECT EXISTS (SELECT FROM chain_transaction WHERE purpose = $1 AND (state < 2 OR (state IN (2, 3) AND block_number > $2)))", purpose, (long)(read?.Number ?? 0));
        if (!waits[0])
        {
            await outbox.EnqueueAsync(connection, purpose, Guid.NewGuid().ToString(), ChainContract.Members, call, cancellation);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The directory of members cannot read the chain ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The node of member {Id} does not answer")]
    static partial void LogAway(ILogger logger, Exception away, ulong id);
}
