using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Consortium;
using Salus.Platform.Exchange;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Consortium;

/// <summary>A doctor at B reads a record that A holds, with the patient's consent to B; and everything else is refused and told to the patient.</summary>
public sealed class ExchangeTests(TestConsortium consortium) : IClassFixture<TestConsortium>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    TestNode A => consortium.A;

    TestNode B => consortium.B;

    [Fact]
    public async Task A_doctor_elsewhere_reads_what_the_consent_covers_verified_and_the_patient_sees_who_it_was()
    {
        var (patient, record, doctor) = await PatientAsync();
        var consent = await TestConsortium.GrantAsync(A, patient, B, RecordCategory.Conditions);
        await A.WaitUntilProvableAsync();
        var leaves = await A.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'AuditEvent'");

        var found = Assert.IsType<RecordAskOutcome.Found>(await AskAsync(doctor, record));
        Assert.Equal((TestConsortium.IdOf(A), record), (found.Holder.Id, found.Patient));
        Assert.Equal(["ClinicalImpression", "Condition", "Encounter", "Patient"], found.Records.Select(one => one.Record.Type).Distinct().Order());
        Assert.All(found.Records, one =>
        {
            Assert.IsType<ProofState.Anchored>(one.Proof);
            Assert.Equal(one.Record.Id, JsonElement.Parse(one.Record.Bytes).GetProperty("id").GetString());
        });
        Assert.Empty(found.Altered);

        var line = (await A.Records.AccessesAsync(patient, record, 10, Cancellation))![0];
        Assert.Equal((AuditAction.Read, true, (Guid?)null, $"{found.Records.Count} records"), (line.Fact.Action, line.Fact.Succeeded, line.Fact.Account, line.Fact.Entity));
        Assert.Contains("Practitioner Number", line.Fact.Requester, StringComparison.Ordinal);
        Assert.Contains($"of Hospital of {B.Ground.Origin} ({B.Keys.Origin}), member {TestConsortium.IdOf(B)}", line.Fact.Requester, StringComparison.Ordinal);
        Assert.Equal(leaves + 1, await A.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'AuditEvent'"));

        // By the consent's number alone, over the API, and what B itself keeps of it is that somebody asked
        using var client = await B.ClientAsync(doctor);
        using var answer = await client.PostAsJsonAsync("/api/exchange/records", new { member = TestConsortium.IdOf(A), consent }, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal(found.Records.Count, json.GetProperty("proofs").GetProperty("anchored").GetInt32());
        Assert.Equal(A.Keys.VerifierKey, json.GetProperty("log").GetString());
        Assert.Equal(0, await B.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE patient = $1 OR id = $1", record));
    }

    [Fact]
    public async Task Without_a_consent_in_force_for_it_nothing_opens_and_the_patient_sees_each_try()
    {
        var (patient, record, doctor) = await PatientAsync();
        await RefusedAsync("has not given your hospital access", AskAsync(doctor, record));
        var nobody = await RefusedAsync("has not given your hospital access", AskAsync(doctor, Guid.NewGuid().ToString()), tries: null);
        Assert.DoesNotContain("no such", nobody, StringComparison.OrdinalIgnoreCase);

        // To this hospital's own people, and to a third hospital: neither is B
        var third = await TestConsortium.GrantAsync(A, patient, consortium.C, RecordCategory.Results);
        await RefusedAsync("has not given your hospital access", AskAsync(doctor, record));
        await RefusedAsync("has not given your hospital access", AskAsync(doctor, "", consent: third));

        var consent = await TestConsortium.GrantAsync(A, patient, B, RecordCategory.Results);
        Assert.IsType<RecordAskOutcome.Found>(await AskAsync(doctor, record));
        await RefusedAsync("does not cover", AskAsync(doctor, record, types: ["Condition"]));
        await RefusedAsync("does not cover", AskAsync(doctor, record, types: ["Observation", "Condition"]));
        await RefusedAsync("does not cover", AskAsync(doctor, record, purpose: Purpose.Research));
        Assert.Equal(["Observation"], Assert.IsType<RecordAskOutcome.Found>(await AskAsync(doctor, record, types: ["Observation"])).Records.Select(one => one.Record.Type).Distinct());

        Assert.IsType<RevokeOutcome.Revoked>(await A.Consents.RevokeAsync(patient, consent, Cancellation));
        await RefusedAsync("has not given your hospital access", AskAsync(doctor, record));
        await RefusedAsync("has not given your hospital access", AskAsync(doctor, record, consent: consent));

        var tries = (await A.Records.AccessesAsync(patient, record, 100, Cancellation))!.Where(line => line.Fact is { Action: AuditAction.Read, Succeeded: false }).ToList();
        Assert.Equal(8, tries.Count);
        Assert.All(tries, line => Assert.Contains(B.Keys.Origin, line.Fact.Requester, StringComparison.Ordinal));

        async Task<string> RefusedAsync(string reason, Task<RecordAskOutcome> asked, int? tries = 1)
        {
            _ = tries;
            var refused = Assert.IsType<RecordAskOutcome.Refused>(await asked);
            Assert.Contains(reason, refused.Reason, StringComparison.Ordinal);
            return refused.Reason;
        }
    }

    [Fact]
    public async Task A_replayed_altered_stale_or_misdirected_request_is_refused_though_the_consent_stands()
    {
        var (patient, record, _) = await PatientAsync();
        await TestConsortium.GrantAsync(A, patient, B);
        var request = TestConsortium.RequestOf(B, A, record);
        var signed = TestConsortium.SignedBy(request, B);
        Assert.Equal(HttpStatusCode.OK, (await TestConsortium.SendAsync(A, signed)).Status);
        List<(string Reason, SignedRequest Request)> bent =
        [
            ("taken before", signed),
            .. Altered(request).Select(altered => ("No member of the consortium has signed", signed with { Request = altered })),
            ("No member of the consortium has signed", TestConsortium.SignedBy(Fresh(request), consortium.C)),
            ("seconds from the clock", TestConsortium.SignedBy(Fresh(request) with { TimeMilliseconds = request.TimeMilliseconds - 61_000 }, B)),
            ("seconds from the clock", TestConsortium.SignedBy(Fresh(request) with { TimeMilliseconds = request.TimeMilliseconds + 75_000 }, B)),
            ("meant for another hospital", TestConsortium.SignedBy(Fresh(request) with { Holder = consortium.C.Keys.Chain.Address.ToString() }, B)),
            ("No member of the consortium has signed", Fresh(request).Sign(B.Keys.Chain, RecordRequest.Domain(B.Chain.ChainId + 1, TestConsortium.MembersOf(B)))),
        ];
        foreach (var (reason, message) in bent)
        {
            var (status, body) = await TestConsortium.SendAsync(A, message);
            Assert.True(status == HttpStatusCode.Forbidden && body.Contains(reason, StringComparison.Ordinal), $"{reason}: {status} {body}");
        }
        var tries = (await A.Records.AccessesAsync(patient, record, 100, Cancellation))!.Count(line => line.Fact is { Action: AuditAction.Read, Succeeded: false });
        Assert.Equal(bent.Count, tries);
        Assert.Single((await A.Records.AccessesAsync(patient, record, 100, Cancellation))!, line => line.Fact is { Action: AuditAction.Read, Succeeded: true });

        // The same number in many hands at once is taken once
        var again = TestConsortium.SignedBy(Fresh(request), B);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TestConsortium.SendAsync(A, again)));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"request":null,"signature":"0x"}""")]
    [InlineData("""{"request":{"member":1},"signature":"0x"}""")]
    [InlineData("""{"request":{"member":1,"holder":"0x00","patient":"a","consent":"","purpose":"TREAT","types":["a,b"],"person":"x","account":"y","timeMilliseconds":1,"nonce":"0x"},"signature":"0x"}""")]
    public async Task What_is_no_request_is_answered_as_such(string body)
    {
        using var client = await A.ClientAsync();
        using var answer = await client.PostAsync(ExchangeFeature.Path, new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task What_the_holder_bends_does_not_verify_and_is_not_shown()
    {
        var (patient, record, _) = await PatientAsync();
        await TestConsortium.GrantAsync(A, patient, B);
        await A.WaitUntilProvableAsync();
        var (_, body) = await TestConsortium.SendAsync(A, TestConsortium.SignedBy(TestConsortium.RequestOf(B, A, record), B));
        var given = JsonSerializer.Deserialize<RecordAnswer>(body, JsonSerializerOptions.Web)!.Records;
        var (condition, impression) = (given.First(one => one.Type == "Condition"), given.First(one => one.Type == "ClinicalImpression"));
        var (proofs, holder) = (B.Get<ForeignProofs>(), B.Get<MemberDirectory>().Find(TestConsortium.IdOf(A))!);

        var read = await proofs.ReadAsync(holder,
        [
            condition,
            condition with { Proof = impression.Proof },
            condition with { Version = 2 },
            condition with { Proof = Bent(condition.Proof!) },
            condition with { Proof = null, Content = "not json"u8.ToArray() },
            condition with { Proof = "{}"u8.ToArray() },
        ], Cancellation);
        Assert.IsType<ProofState.Anchored>(read[0].Proof);
        Assert.All(read.Skip(1), one => Assert.IsType<ProofState.Broken>(one.Proof));

        // The same under the log of another member
        var other = B.Get<MemberDirectory>().Find(TestConsortium.IdOf(consortium.C))!;
        Assert.IsType<ProofState.Broken>((await proofs.ReadAsync(other, [condition], Cancellation))[0].Proof);
    }

    [Fact]
    public async Task While_the_holder_does_not_see_the_chain_it_gives_nothing()
    {
        var (patient, record, doctor) = await PatientAsync();
        await TestConsortium.GrantAsync(A, patient, B);
        A.Ground.Chain.IsCut = true;
        try
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await TestConsortium.SendAsync(A, TestConsortium.SignedBy(TestConsortium.RequestOf(B, A, record), B))).Status);
        }
        finally
        {
            A.Ground.Chain.IsCut = false;
        }
        Assert.IsType<RecordAskOutcome.Found>(await AskAsync(doctor, record));
    }

    [Theory]
    [InlineData("member:99")]
    [InlineData("member:0")]
    [InlineData("member:01")]
    [InlineData("member:")]
    public async Task A_consent_to_a_hospital_that_is_no_member_is_refused(string grantee)
    {
        var (patient, _, _) = await PatientAsync();
        var now = A.Ground.Clock.GetUtcNow();
        Assert.IsType<GrantOutcome.Invalid>(await A.Consents.GrantAsync(patient,
            new ConsentTerms(ConsentTerms.KindOf(grantee), grantee, [RecordCategory.Results], [Purpose.Treatment], now, now.AddDays(1)), Cancellation));
    }

    [Fact]
    public async Task Nobody_but_professionals_asks_elsewhere()
    {
        var (_, record, _) = await PatientAsync();
        foreach (var role in new[] { Role.Administrator, Role.Auditor, Role.Researcher, Role.Patient })
        {
            Assert.IsType<RecordAskOutcome.Refused>(await AskAsync(await B.AddAsync(role), record));
        }
    }

    async Task<(Caller Patient, string Record, Caller DoctorAtB)> PatientAsync()
    {
        var (record, _) = await A.RecordAsync(await A.AddAsync(Role.Practitioner));
        return (await A.AddAsync(Role.Patient, record), record, await B.AddAsync(Role.Practitioner));
    }

    Task<RecordAskOutcome> AskAsync(Caller doctor, string patient, string consent = "", Purpose purpose = Purpose.Treatment, string[]? types = null) =>
        B.Get<RecordAsker>().AskAsync(doctor, TestConsortium.IdOf(A), patient, consent, purpose, types ?? [], Cancellation);

    static RecordRequest Fresh(RecordRequest request) => request with { Nonce = Hex.Of(Guid.NewGuid().ToByteArray().Concat(new byte[16]).ToArray()) };

    /// <summary>The request with each part exchanged that a thief of the signature would like to exchange.</summary>
    static IEnumerable<RecordRequest> Altered(RecordRequest request) =>
    [
        request with { Purpose = "HRESCH" },
        request with { Types = ["Observation"] },
        request with { Person = "Dr Other, practitioner" },
        request with { Account = Guid.NewGuid().ToString() },
        request with { TimeMilliseconds = request.TimeMilliseconds + 1 },
        Fresh(request),
        request with { Member = request.Member + 1 },
    ];

    /// <summary>The proof file with another word in its content.</summary>
    static byte[] Bent(byte[] proof)
    {
        var file = Salus.Ledger.Evidence.ProofFile.Read(proof);
        var bytes = file.Content!.Bytes.ToArray();
        var at = bytes.AsSpan().IndexOf("cough"u8);
        bytes[at < 0 ? bytes.Length / 2 : at] ^= 1;
        return (file with { Content = file.Content with { Bytes = bytes } }).ToBytes();
    }
}
