using System.Net;
using System.Security.Cryptography;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Tests.Platform;
using Xunit;

namespace Salus.Tests.Anchoring;

/// <summary>A witness by the protocol, asked as a stranger would; and two nodes of which one cosigns for the other.</summary>
public sealed class WitnessTests
{
    const string Origin = "other.test/log";

    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly MerkleTree tree = new();

    NoteSigner Signer => new(Origin, key);

    string Request(long from, long to, MerkleTree? other = null, NoteSigner? signer = null)
    {
        var log = other ?? tree;
        return new WitnessRequest(from, log.ConsistencyProof(from, to), new Checkpoint(Origin, to, log.Root(to)).Sign(signer ?? Signer)).ToString();
    }

    static List<byte[]> Leaves(int from, int count) => [.. Enumerable.Range(from, count).Select(i => MerkleHash.Leaf(BitConverter.GetBytes(i)))];

    static async Task<(HttpStatusCode Status, string Body, string? Type)> AskAsync(HttpClient client, string body)
    {
        using var response = await client.PostAsync("/witness/add-checkpoint", new StringContent(body), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Every_status_of_the_protocol_is_given_for_its_reason()
    {
        await using var ground = await TestGround.NewAsync();
        ground.Settings["Salus:Witness:Logs:0"] = Signer.Verifier.ToString();
        await using var node = await TestNode.StartAsync(ground);
        using var client = await node.ClientAsync();
        tree.Append(Leaves(0, 20));

        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(client, "old 1\nnonsense")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await AskAsync(client, new string('a', 70_000))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(client, Request(0, 7).Replace(Origin, "third.test/log", StringComparison.Ordinal))).Status);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(client, Request(0, 7, signer: new NoteSigner(Origin, stranger)))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(client, Request(0, 7).Replace("old 0", "old 9", StringComparison.Ordinal))).Status);

        var first = await AskAsync(client, Request(0, 7));
        Assert.Equal(HttpStatusCode.OK, first.Status);
        var note = SignedNote.Parse(new Checkpoint(Origin, 7, tree.Root(7)).Sign(Signer).ToString() + first.Body);
        Assert.Equal([node.Keys.Witness.Verifier.Name], note.Verify(node.Keys.Witness.Verifier));

        // Another old size than the last: 409 with the size that it should be
        Assert.Equal((HttpStatusCode.Conflict, "7\n", "text/x.tlog.size"), await AskAsync(client, Request(0, 9)));
        Assert.Equal((HttpStatusCode.Conflict, "7\n", "text/x.tlog.size"), await AskAsync(client, Request(5, 9)));
        var forked = new MerkleTree();
        forked.Append(Leaves(1000, 20));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await AskAsync(client, Request(7, 9, forked))).Status);
        // The same size with another root
        Assert.Equal((HttpStatusCode.Conflict, "7\n", "text/x.tlog.size"), await AskAsync(client, Request(7, 7, forked)));
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(client, Request(7, 7))).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(client, Request(7, 20))).Status);
        Assert.Equal(20, await node.Database.ValueAsync<long>("SELECT size FROM witnessed_log"));
    }

    [Fact]
    public async Task Of_many_requests_at_once_one_is_cosigned_and_nothing_goes_back()
    {
        await using var ground = await TestGround.NewAsync();
        ground.Settings["Salus:Witness:Logs:0"] = Signer.Verifier.ToString();
        await using var node = await TestNode.StartAsync(ground);
        using var client = await node.ClientAsync();
        tree.Append(Leaves(0, 40));
        var answers = await Task.WhenAll(Enumerable.Range(1, 40).Select(size => AskAsync(client, Request(0, size))));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
    }

    [Fact]
    public async Task A_nodes_checkpoints_are_cosigned_before_they_are_anchored_and_its_proofs_say_so()
    {
        await using var ground = await TestGround.NewAsync();
        string verifier;
        await using (var before = await TestNode.StartAsync(ground))
        {
            verifier = before.Keys.VerifierKey;
        }
        await using var witnessGround = await TestGround.NewAsync("far.test/log");
        witnessGround.Settings["Salus:Witness:Logs:0"] = verifier;
        await using var witness = await TestNode.StartAsync(witnessGround);
        ground.Settings["Salus:Witness:Peers:0:Address"] = witness.Address.ToString();
        ground.Settings["Salus:Witness:Peers:0:Key"] = witness.Keys.Witness.Verifier.ToString();
        ground.Settings["Salus:Witness:Required"] = "1";
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var account = await node.AddAsync(Role.Patient, patient);
        await node.WaitUntilAnchoredAsync();
        using var client = await node.ClientAsync(account);
        var policy = ProofPolicy.Read(await client.GetByteArrayAsync("/log/policy", TestContext.Current.CancellationToken));
        Assert.Equal(1, policy.WitnessesRequired);
        ProofFile? file = null;
        await TestNode.UntilAsync(async () =>
            (file = ProofFile.Read(await client.GetByteArrayAsync($"/fhir/Condition/{records.First(record => record.Type == "Condition").Id}/$proof", TestContext.Current.CancellationToken))).Anchor is not null,
            "a proof with evidence of its anchor");
        var report = ProofCheck.Run(file!, policy, [BlockHeader.Decode(file!.Anchor!.Header).Hash]);
        Assert.All(report.Claims, claim => Assert.True(claim.State == ClaimState.Holds, claim.Sentence));

        // A witness that is away costs its name under the head, not the anchor
        await witness.DisposeAsync();
        await node.RecordAsync(doctor);
        await node.WaitUntilAnchoredAsync();
        Assert.Equal(0, await node.Database.ValueAsync<int>("SELECT cosigned FROM log_head ORDER BY size DESC LIMIT 1"));
    }
}
