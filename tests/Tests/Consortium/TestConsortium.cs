using System.Text.Json;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Consortium;
using Salus.Platform.Exchange;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Consortium;

/// <summary>Hospitals on one chain, each admitted by the votes of those before it, that all know each other.</summary>
public sealed class TestConsortium : IAsyncLifetime
{
    const int Hospitals = 3;

    readonly List<(TestGround Ground, TestNode Node, Caller Administrator)> all = [];

    internal TestNode A => all[0].Node;

    internal TestNode B => all[1].Node;

    internal TestNode C => all[2].Node;

    internal IEnumerable<TestNode> Nodes => all.Select(one => one.Node);

    internal static Address MembersOf(TestNode node) => node.Chain.Contracts[ChainContract.Members];

    /// <summary>The id of a node's member.</summary>
    internal static ulong IdOf(TestNode node) => node.Get<MemberDirectory>().Self!.Id;

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < Hospitals; i++)
        {
            await JoinAsync();
        }
        await TestNode.UntilAsync(
            () => Task.FromResult(Nodes.All(node => node.Get<MemberDirectory>().Others.Count(member => member is { LogKey: not null, WitnessKey: not null }) == Hospitals - 1)),
            "every hospital knows the keys of the others");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (ground, node, _) in Enumerable.Reverse(all))
        {
            await node.DisposeAsync();
            await ground.DisposeAsync();
        }
    }

    /// <summary>A node that asks for nothing and waits to be admitted.</summary>
    internal static async Task<(TestGround Ground, TestNode Node)> CandidateAsync(string name, Address? consortium)
    {
        var ground = await TestGround.NewAsync($"{name}.test/log", consortium);
        ground.Settings[TestNode.Endpoint] = ConsortiumOptions.ThisMachine;
        ground.Settings["Salus:Consortium:RefreshMilliseconds"] = "100";
        return (ground, await TestNode.StartAsync(ground));
    }

    /// <summary>Votes of these members.</summary>
    internal async Task VoteAsync(TestNode subject, bool admit, params IEnumerable<TestNode> voters)
    {
        foreach (var voter in voters)
        {
            Assert.IsType<VoteOutcome.Cast>(await voter.Get<ConsortiumDesk>().VoteAsync(
                all.Single(one => one.Node == voter).Administrator, subject.Keys.Chain.Address.ToString(), subject.Keys.Origin, admit, CancellationToken.None));
        }
    }

    /// <summary>Waits until nodes see a node as a member, or no more.</summary>
    internal static Task SeenAsync(TestNode subject, bool isMember, params IEnumerable<TestNode> by) => TestNode.UntilAsync(
        () => Task.FromResult(by.All(node => node.Get<MemberDirectory>().Members.Any(member => member.Account == subject.Keys.Chain.Address) == isMember)),
        isMember ? "the hospital is a member" : "the hospital is no member");

    /// <summary>Grants a hospital access and waits until the chain's word of it has come back.</summary>
    internal static async Task<string> GrantAsync(TestNode holder, Caller patient, TestNode grantee, params RecordCategory[] categories)
    {
        var now = holder.Ground.Clock.GetUtcNow();
        var consent = Assert.IsType<GrantOutcome.Requested>(await holder.Consents.GrantAsync(patient, new ConsentTerms(
            GranteeKind.Member, ConsentTerms.MemberGrantee(IdOf(grantee)), categories.Length == 0 ? Enum.GetValues<RecordCategory>() : categories, [Purpose.Treatment],
            now, now.AddDays(30)), CancellationToken.None)).Consent;
        await TestNode.UntilAsync(async () => (await holder.Consents.ListAsync(patient, CancellationToken.None)).Single(view => view.Id == consent).State == ConsentState.Active,
            "the consent is active");
        return consent;
    }

    /// <summary>A request as the node of <paramref name="from"/> would make it, to be bent.</summary>
    internal static RecordRequest RequestOf(TestNode from, TestNode holder, string patient) => new(
        IdOf(from), holder.Keys.Chain.Address.ToString(), patient, "", "TREAT", [], "Dr Bent, practitioner", Guid.NewGuid().ToString(),
        (ulong)from.Ground.Clock.GetUtcNow().ToUnixTimeMilliseconds(), Hex.Of(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)));

    /// <summary>The request with the signature of <paramref name="by"/>.</summary>
    internal static SignedRequest SignedBy(RecordRequest request, TestNode by) => request.Sign(by.Keys.Chain, RecordRequest.Domain(by.Chain.ChainId, MembersOf(by)));

    /// <summary>Sends a request over the wire, whoever signed it.</summary>
    internal static async Task<(System.Net.HttpStatusCode Status, string Body)> SendAsync(TestNode holder, SignedRequest request)
    {
        using var client = await holder.ClientAsync();
        using var content = new StringContent(JsonSerializer.Serialize(request, JsonSerializerOptions.Web), System.Text.Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(ExchangeFeature.Path, content, CancellationToken.None);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(CancellationToken.None));
    }

    async Task JoinAsync()
    {
        var (ground, node) = await CandidateAsync($"hospital-{all.Count + 1}", all.Count == 0 ? null : MembersOf(A));
        var before = Nodes.ToList();
        all.Add((ground, node, await node.AddAsync(Role.Administrator)));
        await VoteAsync(node, admit: true, before);
        await SeenAsync(node, isMember: true, Nodes);
    }
}
