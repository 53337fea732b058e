using System.Net;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Audit;
using Salus.Platform.Consortium;
using Salus.Platform.Exchange;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Consortium;

/// <summary>What an expelled member can do no more.</summary>
public sealed class ExpulsionTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_expelled_members_signature_opens_nothing_though_the_patient_consented_and_what_it_has_waits()
    {
        await using var consortium = new TestConsortium();
        await consortium.InitializeAsync();
        var (a, c) = (consortium.A, consortium.C);
        var (record, _) = await a.RecordAsync(await a.AddAsync(Role.Practitioner));
        var patient = await a.AddAsync(Role.Patient, record);
        await TestConsortium.GrantAsync(a, patient, c);
        var before = TestConsortium.RequestOf(c, a, record);
        Assert.Equal(HttpStatusCode.OK, (await TestConsortium.SendAsync(a, TestConsortium.SignedBy(before, c))).Status);
        var made = TestConsortium.SignedBy(TestConsortium.RequestOf(c, a, record), c);
        Assert.Equal(2, a.Get<WitnessRoster>().Peers.Count);

        await consortium.VoteAsync(c, admit: false, a, consortium.B);
        await TestConsortium.SeenAsync(c, isMember: false, consortium.Nodes);
        var (status, body) = await TestConsortium.SendAsync(a, made);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("No member of the consortium has signed", body, StringComparison.Ordinal);
        Assert.Single((await a.Records.AccessesAsync(patient, record, 50, Cancellation))!, line => line.Fact is { Action: AuditAction.Read, Succeeded: false });
        Assert.Equal((1, 1), (a.Get<WitnessRoster>().Peers.Count, a.Get<WitnessRoster>().Required));
        Assert.Empty(a.Get<WitnessRoster>().LogKeys(c.Keys.Origin));
        Assert.IsType<RecordAskOutcome.Refused>(await c.Get<RecordAsker>().AskAsync(
            await c.AddAsync(Role.Practitioner), TestConsortium.IdOf(a), record, "", Salus.Platform.Consent.Purpose.Treatment, [], Cancellation));

        // It goes on writing; the chain takes nothing of it, and nothing is lost of what waits
        await c.RecordAsync(await c.AddAsync(Role.Practitioner));
        await TestNode.UntilAsync(() => Task.FromResult(c.Get<ChainHealth>().Fault?.Contains("expelled", StringComparison.Ordinal) == true), "the relay says why it waits");
        Assert.True(await c.Database.ValueAsync<long>("SELECT count(*) FROM chain_transaction WHERE state = 0") > 0);
        Assert.Equal(0, await c.Database.ValueAsync<long>("SELECT count(*) FROM chain_transaction WHERE state = 4"));
    }
}
