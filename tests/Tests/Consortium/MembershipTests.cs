using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Consortium;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Tests.Platform;

namespace Salus.Tests.Consortium;

/// <summary>Who belongs to a consortium, and what its members believe of each other.</summary>
public sealed class MembershipTests(TestConsortium consortium) : IClassFixture<TestConsortium>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Members_share_the_contracts_and_know_each_others_names_addresses_and_keys()
    {
        Assert.All(consortium.Nodes, node => Assert.Equal(consortium.A.Chain.Contracts, node.Chain.Contracts));
        foreach (var (node, other) in from node in consortium.Nodes from other in consortium.Nodes where node != other select (node, other))
        {
            var known = node.Get<MemberDirectory>().Find(TestConsortium.IdOf(other))!;
            Assert.Equal((other.Keys.Origin, other.Keys.VerifierKey, other.Keys.Witness.Verifier.ToString(), other.Keys.Chain.Address, false),
                (known.Name, known.LogKey, known.WitnessKey, known.Account, known.IsSelf));
            Assert.Equal(other.Address.Port, known.Endpoint!.Port);
            Assert.Contains($"Hospital of {other.Ground.Origin}", known.Shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_candidate_waits_with_all_it_has_until_more_than_half_of_the_members_have_voted_for_it_and_loses_nothing()
    {
        var (ground, candidate) = await TestConsortium.CandidateAsync("late", TestConsortium.MembersOf(consortium.A));
        await using var grounds = ground;
        await using var node = candidate;
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.RecordAsync(doctor);
        await consortium.VoteAsync(node, admit: true, consortium.A);
        await TestNode.UntilAsync(async () => await VotesAsync(node) == 1, "the first vote is counted");
        Assert.False(await MembersContract.IsMemberAsync(node.Chain.Rpc, TestConsortium.MembersOf(node), node.Keys.Chain.Address, cancellationToken: Cancellation));
        Assert.Equal(0UL, (await AnchorContract.HeadAsync(node.Chain.Rpc, node.Chain.Contracts[ChainContract.Anchor], node.Keys.LogId, cancellationToken: Cancellation)).Size);
        Assert.Contains("have not admitted", node.Get<ChainHealth>().Fault, StringComparison.Ordinal);

        await consortium.VoteAsync(node, admit: true, consortium.B);
        await TestConsortium.SeenAsync(node, isMember: true, [.. consortium.Nodes, node]);
        await node.WaitUntilAnchoredAsync();
        Assert.Equal(0, await node.Database.ValueAsync<long>("SELECT count(*) FROM chain_transaction WHERE state = 4"));

        // And out again, by the same votes, with this class's three as they were
        await consortium.VoteAsync(node, admit: false, consortium.A, consortium.B, consortium.C);
        await TestConsortium.SeenAsync(node, isMember: false, [.. consortium.Nodes, node]);
    }

    [Fact]
    public async Task More_than_half_of_the_others_cosign_each_head_unless_the_options_say_otherwise()
    {
        var doctor = await consortium.A.AddAsync(Role.Practitioner);
        var (patient, records) = await consortium.A.RecordAsync(doctor);
        using var client = await consortium.A.ClientAsync(await consortium.A.AddAsync(Role.Patient, patient));
        var condition = records.First(record => record.Type == "Condition").Id;
        ProofFile? file = null;
        await TestNode.UntilAsync(async () =>
        {
            using var answer = await client.GetAsync($"/fhir/Condition/{condition}/$proof", Cancellation);
            return answer.StatusCode == HttpStatusCode.OK && (file = ProofFile.Read(await answer.Content.ReadAsByteArrayAsync(Cancellation))).Anchor is not null;
        }, "a proof with evidence of its anchor");
        var policy = ProofPolicy.Read(await client.GetByteArrayAsync("/log/policy", Cancellation));
        Assert.Equal(2, policy.WitnessesRequired);
        var report = ProofCheck.Run(file!, policy, [BlockHeader.Decode(file!.Anchor!.Header).Hash]);
        Assert.All(report.Claims, claim => Assert.True(claim.State == ClaimState.Holds, claim.Sentence));

        using var roster = new WitnessRoster(new WitnessOptions { Required = 1 });
        var others = consortium.A.Get<MemberDirectory>().Others.ToList();
        roster.Name(2, [], [.. others.Select(member => new WitnessPeer(member.Endpoint!, member.WitnessKey!))]);
        Assert.Equal(1, roster.Required);
        Assert.Equal([0, 1, 2, 2, 3], Enumerable.Range(0, 5).Select(WitnessRoster.Majority));
    }

    [Fact]
    public async Task A_nodes_word_for_its_name_and_its_log_counts_only_where_the_chain_bears_it_out()
    {
        var (statements, b) = (consortium.A.Get<MemberStatements>(), consortium.A.Get<MemberDirectory>().Find(TestConsortium.IdOf(consortium.B))!);
        var bare = b with { Name = null, Title = null, LogKey = null, WitnessKey = null };
        using var forged = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);

        // It answers under B's name, with a log key that B never opened
        await using var liar = await LiarAsync(consortium.B.Keys.Origin, new NoteSigner(consortium.B.Keys.Origin, forged).Verifier);
        var heard = await statements.HearAsync(bare with { Endpoint = new Uri(liar.Urls.Single()) }, Cancellation);
        Assert.Equal((consortium.B.Keys.Origin, null), (heard.Name, heard.LogKey));

        // It shows a log that is open, but another member's
        await using var borrower = await LiarAsync(consortium.B.Keys.Origin, NoteVerifier.Parse(consortium.C.Keys.VerifierKey));
        Assert.Null((await statements.HearAsync(bare with { Endpoint = new Uri(borrower.Urls.Single()) }, Cancellation)).LogKey);

        // It calls itself what nobody voted for
        await using var impostor = await LiarAsync(consortium.C.Keys.Origin, NoteVerifier.Parse(consortium.C.Keys.VerifierKey));
        Assert.Equal((null, null, null), Told(await statements.HearAsync(bare with { Endpoint = new Uri(impostor.Urls.Single()) }, Cancellation)));

        // A witness key under another's name is not taken
        var borrowed = await statements.HearAsync(bare with { PublishedWitnessKey = consortium.C.Keys.Witness.Verifier.ToString() }, Cancellation);
        Assert.Equal((consortium.B.Keys.Origin, null, consortium.B.Keys.VerifierKey), Told(borrowed));
    }

    [Theory]
    [InlineData("https://hospital.example", true)]
    [InlineData("http://127.0.0.1:7411", true)]
    [InlineData("http://hospital.example", false)]
    [InlineData("http://10.0.0.5", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("https://user:secret@hospital.example", false)]
    [InlineData("hospital.example", false)]
    public void Members_are_asked_over_tls_or_on_this_machine_alone(string address, bool isAsked) => Assert.Equal(isAsked, MemberWire.Endpoint(address) is not null);

    [Fact]
    public async Task A_consortium_of_other_contracts_is_not_joined()
    {
        var founder = consortium.A;
        var strangers = await founder.Chain.SendAsync(null, MembersContract.Create(new byte[32]), Cancellation);
        await using var alone = await TestGround.NewAsync("alone.test/log", strangers.ContractAddress);
        Assert.Contains("is not this program's contract", (await Assert.ThrowsAsync<SetupException>(() => TestNode.StartAsync(alone))).Message, StringComparison.Ordinal);

        await using var nowhere = await TestGround.NewAsync("nowhere.test/log", new Address(new byte[20]));
        Assert.Contains("There is no contract", (await Assert.ThrowsAsync<SetupException>(() => TestNode.StartAsync(nowhere))).Message, StringComparison.Ordinal);

        await using var wrong = await TestGround.NewAsync("wrong.test/log", founder.Chain.Contracts[ChainContract.Anchor]);
        await Assert.ThrowsAsync<SetupException>(() => TestNode.StartAsync(wrong));
    }

    static (string?, string?, string?) Told(Member member) => (member.Name, member.WitnessKey, member.LogKey);

    async Task<int> VotesAsync(TestNode candidate) => (int)await MembersContract.VoteCountAsync(
        consortium.A.Chain.Rpc, TestConsortium.MembersOf(consortium.A), candidate.Keys.Chain.Address, MemberStatements.NameHash(candidate.Keys.Origin), true, cancellationToken: Cancellation);

    /// <summary>A server that says of itself what it likes.</summary>
    static async Task<WebApplication> LiarAsync(string name, NoteVerifier key)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var policy = new ProofPolicy([new TrustedLog(key.Name, [new LogKey(key, 0, null)], null)], [], 0, null).ToBytes();
        app.Run(context => context.Request.Path == "/log/policy"
            ? context.Response.Body.WriteAsync(policy).AsTask()
            : context.Response.WriteAsync($$"""{"name":"{{name}}","title":"St. Liar","account":"0x0000000000000000000000000000000000000000"}"""));
        await app.StartAsync();
        return app;
    }
}
