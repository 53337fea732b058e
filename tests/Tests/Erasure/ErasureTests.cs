using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Salus.Ledger.Evidence;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Erasure;
using Salus.Platform.Identity;
using Salus.Platform.Monitoring;
using Salus.Platform.Records;
using Salus.Tests.Host;
using Salus.Tests.Platform;

namespace Salus.Tests.Erasure;

public sealed class ErasureTests
{
    const string Ground = "gdpr-17-1-b";
    const string Family = "Qhvzxjwkb";

    [Fact]
    public async Task An_erased_patient_is_gone_from_rows_and_files_and_the_log_says_by_whose_authority()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin, auditor) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator), await node.AddAsync(Role.Auditor));
        var (patient, records) = await node.RecordAsync(doctor, TestNode.EncounterOf("MRN-erased", Family));
        var (other, otherRecords) = await node.RecordAsync(doctor);
        var account = await node.AddAsync(Role.Patient, patient);
        await node.GrantAsync(account, doctor);
        var otherAccount = await node.AddAsync(Role.Patient, other);
        await node.GrantAsync(otherAccount, doctor);
        await node.Get<AccountDesk>().CreateEnrolmentCodeAsync(doctor.Account, patient, default);
        using var pdf = new MemoryStream([.. "%PDF-1.7\n"u8, .. new byte[300_000]]);
        var letter = Assert.IsType<FileWriteOutcome.Stored>(await node.Records.UploadAsync(doctor, patient, "Letter", "application/pdf", pdf, default));
        using (var searching = await node.ClientAsync(doctor))
        {
            Assert.Equal(HttpStatusCode.OK, (await searching.GetAsync("/fhir/Condition", TestContext.Current.CancellationToken)).StatusCode);
        }
        Assert.Equal(2L, await node.Database.ValueAsync<long>("SELECT count(*) FROM audit_about"));
        await node.WaitUntilAnchoredAsync();
        var before = await node.Database.RowsAsync(row => row.GetInt64(0), "SELECT position FROM leaf JOIN entry e USING (type, id, version) WHERE e.patient = $1 ORDER BY 1", patient);
        var alias = await node.Database.ValueAsync<string>("SELECT alias FROM patient WHERE id = $1", patient);

        await node.Database.ExecuteAsync("INSERT INTO consent_key (key, patient, sealed, counter, created) VALUES ('a', $1, 'b', 0, now())", patient);
        await node.Database.ExecuteAsync("INSERT INTO passkey VALUES ($1, $1, 'credential', 'key', 'name', 1, 0, now(), NULL, 'binding')", account.Account);
        await node.Database.ExecuteAsync("INSERT INTO passkey_challenge VALUES ('attempt', $1, 'sealed', now())", account.Account);
        // They sign for another and another for them; they are asked to confirm another's recovery, and their own is under way.
        await node.Database.ExecuteAsync("INSERT INTO consent_delegate (id, patient, delegate, key, not_after, sequence, sealed, created) SELECT gen_random_uuid(), p, d, 'k', now(), 0, 's', now() FROM (VALUES ($1, $2), ($2, $1)) AS v (p, d)", patient, other);
        await node.Database.ExecuteAsync("INSERT INTO recovery_terms (id, patient, commitment, sealed, created) VALUES (gen_random_uuid(), $1, 'c', 's', now())", patient);
        await node.Database.ExecuteAsync("INSERT INTO recovery_request (id, patient, key, sealed, sequence, asked) SELECT gen_random_uuid(), p, 'k', 's', 0, now() FROM unnest($1) AS p", (object)new[] { patient, other });
        await node.Database.ExecuteAsync("INSERT INTO recovery_contact (request, number, contact) SELECT id, 0, $1 FROM recovery_request", node.Get<Salus.Vault.Keys.KeyVault>().Blind("recovery.contact", patient));

        var erased = await EraseAsync(node, admin, patient);
        Assert.Equal(1L, await node.Database.ValueAsync<long>("SELECT (SELECT count(*) FROM consent_delegate) + (SELECT count(*) FROM recovery_terms) + (SELECT count(*) FROM recovery_request) + (SELECT count(*) FROM recovery_contact)"));
        Assert.Equal(0L, await node.Database.ValueAsync<long>("SELECT (SELECT count(*) FROM consent_key) + (SELECT count(*) FROM passkey) + (SELECT count(*) FROM passkey_challenge)"));
        Assert.Equal((before.Count, 1), (erased.Leaves, erased.Files));
        await TestNode.UntilAsync(() => Task.FromResult(Directory.GetFiles(node.Ground.BlobFolder, "*", SearchOption.AllDirectories).Length == 0), "the sealed file is removed");
        await node.WaitUntilAnchoredAsync();

        // Nothing that is sealed under the patient's key, and no key; ids alone, in leaves and in the tombstone of the key.
        Assert.Equal(["leaf.envelope", "leaf.id", "vault_owner.id"],
            (await new PlaintextSearch(new Needle(patient)).InTablesAsync(node.Database)).Select(place => place.Split(':')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(["entry.patient"], (await new PlaintextSearch(new Needle(alias)).InTablesAsync(node.Database)).Select(place => place.Split(':')[0]).Distinct());
        Assert.Null(await node.Get<Salus.Vault.Keys.KeyVault>().FindOwnerAsync(Guid.Parse(patient), default));
        Assert.Equal(0L, await node.Database.ValueAsync<long>("SELECT count(*) FROM search_value s WHERE NOT EXISTS (SELECT FROM entry e WHERE (e.type, e.id) = (s.type, s.id))"));
        Assert.Null(await node.Records.FindPatientAsync(doctor, "MRN-erased", default));

        var view = Assert.Single(await node.Get<ErasureDesk>().ListAsync(10, default));
        Assert.Equal(("Administrator", admin.Account, Ground, LeafRanges.Of(before).ToString()), (view.Role, view.Account, view.Ground, view.Leaves));
        var line = (await node.Get<AuditTrail>().ListAsync(null, 50, default)).Single(fact => fact.Fact.Action == AuditAction.Erase);
        Assert.Equal((admin.Account, alias), (line.Fact.Account, line.Fact.PatientAlias));
        using var auditing = await node.ClientAsync(auditor);
        Assert.Contains(view.Note.Split('\n')[0], await auditing.GetStringAsync("/api/erasures", TestContext.Current.CancellationToken), StringComparison.Ordinal);

        // Reads say so plainly; the account is shut and blank; another's record is as it was, and proves.
        using var reading = await node.ClientAsync(doctor);
        foreach (var path in new[] { $"/fhir/Patient/{patient}", $"/fhir/Condition/{records.Single(record => record.Type == "Condition").Id}", $"/fhir/Binary/{letter.Binary}", $"/api/patients/{patient}/records" })
        {
            var answer = await reading.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
            Assert.Contains("erased for good", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await reading.GetAsync($"/fhir/Patient/{Guid.NewGuid()}", TestContext.Current.CancellationToken)).StatusCode);
        var blank = (await node.Get<AccountDesk>().FindAsync(account.Account, default))!;
        Assert.Equal((true, (string?)null, "erased", true), (blank.Disabled, blank.Patient, blank.Email, blank.Intact));
        var condition = otherRecords.Single(record => record.Type == "Condition").Id;
        Assert.IsType<ProofState.Anchored>(await node.Records.ProveAsync(otherAccount, "Condition", condition, 1, Purpose.PatientRequest, default));
        var made = Assert.IsType<ProofOutcome.Made>(await node.Records.MakeProofAsync(otherAccount, "Condition", condition, 1, true, Purpose.PatientRequest, default));
        var policy = node.Get<LogTiles>().Policy();
        Assert.All(ProofCheck.Run(made.File, policy).Claims.Take(2), claim => Assert.Equal(ClaimState.Holds, claim.State));

        var report = await node.Get<IntegrityWatch>().CheckAsync(default);
        Assert.Empty(report.Findings);
        Assert.Equal(before.Count, report.Erased);
    }

    [Fact]
    public async Task Nothing_of_an_erased_patient_lies_in_the_tables_in_the_clear_or_can_be_opened()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
        var (patient, _) = await node.RecordAsync(doctor, TestNode.EncounterOf($"MRN-{Family}", Family, $"Symptoms of {Family}"));
        var owner = Guid.Parse(patient);
        await EraseAsync(node, admin, patient);
        await node.WaitUntilAnchoredAsync();
        Assert.Empty(await new PlaintextSearch(new Needle(Family), new Needle(Family.ToLowerInvariant())).InTablesAsync(node.Database));
        Assert.Equal(0L, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE owner = $1", owner));
        Assert.Equal(1L, await node.Database.ValueAsync<long>("SELECT count(*) FROM vault_owner WHERE id = $1 AND wrapped IS NULL AND erased IS NOT NULL", owner));
        foreach (var table in (string[])["patient", "consent", "consent_subject", "search_value", "enrolment_code"])
        {
            Assert.Equal(0L, await node.Database.ValueAsync<long>($"SELECT count(*) FROM {table}"));
        }
    }

    [Fact]
    public async Task Only_positions_that_the_signed_notice_names_may_be_missing()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
        var (patient, _) = await node.RecordAsync(doctor);
        var (other, _) = await node.RecordAsync(doctor);
        await EraseAsync(node, admin, patient);
        await node.WaitUntilAnchoredAsync();
        Assert.True((await node.Get<IntegrityWatch>().CheckAsync(default)).Holds);

        // One more row of somebody else's
        var id = await node.Database.ValueAsync<string>("SELECT id FROM entry WHERE type = 'Encounter' AND patient = $1", other);
        await node.Database.ExecuteAsync("DELETE FROM entry WHERE type = 'Encounter' AND id = $1", id);
        var finding = Assert.Single((await node.Get<IntegrityWatch>().CheckAsync(default)).Findings);
        Assert.Equal((FindingKind.Removed, $"Encounter/{id} version 1"), (finding.Kind, finding.Record));

        // A notice that names it, in a perfect leaf, but without the log's signature
        var position = await node.Database.ValueAsync<long>("SELECT position FROM leaf WHERE type = 'Encounter' AND id = $1", id);
        using var foreign = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var forged = new LogNotice.Erasure(node.Keys.Origin, DateTimeOffset.UnixEpoch, "Administrator", admin.Account, Ground, LeafRanges.Of([position]));
        var note = SignedNote.Sign(forged.ToText(), new NoteSigner(node.Keys.Origin, foreign)).ToString();
        await node.InsertOpenAsync(LeafKind.Erasure, "Erasure", note);
        await node.WaitUntilAnchoredAsync();
        finding = Assert.Single((await node.Get<IntegrityWatch>().CheckAsync(default)).Findings);
        Assert.Equal((FindingKind.Removed, (long?)position), (finding.Kind, finding.Leaf));
        Assert.Single(await node.Get<ErasureDesk>().ListAsync(10, default));
    }

    [Fact]
    public async Task A_notice_that_is_altered_or_taken_away_covers_nothing_any_more()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
        var (patient, _) = await node.RecordAsync(doctor);
        var erased = await EraseAsync(node, admin, patient);
        await node.WaitUntilAnchoredAsync();
        await node.Database.ExecuteAsync("UPDATE entry SET ciphertext = ciphertext || '\\x0a' WHERE type = 'Erasure'");
        var findings = (await node.Get<IntegrityWatch>().CheckAsync(default)).Findings;
        Assert.Equal(erased.Leaves, findings.Count(finding => finding.Kind == FindingKind.Removed));
        Assert.Contains(findings, finding => finding.Kind == FindingKind.Changed && finding.Record == $"Erasure/{erased.Notice} version 1");
        await node.Database.ExecuteAsync("DELETE FROM entry WHERE type = 'Erasure'");
        Assert.Equal(erased.Leaves + 1, (await node.Get<IntegrityWatch>().CheckAsync(default)).Findings.Count(finding => finding.Kind == FindingKind.Removed));
    }

    [Fact]
    public async Task A_row_that_was_erased_and_is_put_back_is_reported()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
        var (patient, records) = await node.RecordAsync(doctor);
        await node.Database.ExecuteAsync("CREATE TABLE stray AS SELECT * FROM entry WHERE type = 'Condition' AND patient = $1", patient);
        await EraseAsync(node, admin, patient);
        await node.WaitUntilAnchoredAsync();
        await node.Database.ExecuteAsync("INSERT INTO entry SELECT * FROM stray");
        var finding = Assert.Single((await node.Get<IntegrityWatch>().CheckAsync(default)).Findings);
        Assert.Equal((FindingKind.Inserted, $"Condition/{records.Single(record => record.Type == "Condition").Id} version 1"), (finding.Kind, finding.Record));
    }

    [Fact]
    public async Task What_is_erased_is_what_was_shown_and_only_by_the_administrator_who_saw_it()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin, second) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator), await node.AddAsync(Role.Administrator));
        var (patient, _) = await node.RecordAsync(doctor);
        var desk = node.Get<ErasureDesk>();
        var shown = Assert.IsType<PreviewOutcome.Shown>(await desk.PreviewAsync(admin, patient, Ground, default)).Preview;
        Assert.True(shown.Versions["Condition"] == 1 && !shown.HasAccount);
        Assert.IsType<PreviewOutcome.NotAdministrator>(await desk.PreviewAsync(doctor, patient, Ground, default));
        Assert.IsType<PreviewOutcome.NoSuchGround>(await desk.PreviewAsync(admin, patient, "because", default));
        Assert.IsType<PreviewOutcome.Unknown>(await desk.PreviewAsync(admin, Guid.NewGuid().ToString(), Ground, default));
        Assert.IsType<ErasureOutcome.Unconfirmed>(await desk.EraseAsync(second, patient, Ground, shown.Confirmation, default));
        Assert.IsType<ErasureOutcome.Unconfirmed>(await desk.EraseAsync(admin, patient, "gdpr-17-1-d", shown.Confirmation, default));
        Assert.IsType<ErasureOutcome.Unconfirmed>(await desk.EraseAsync(admin, patient, Ground, "", default));
        Assert.IsType<ErasureOutcome.Refused>(await desk.EraseAsync(doctor, patient, Ground, shown.Confirmation, default));

        var observation = $$"""{"resourceType":"Observation","status":"final","code":{"text":"late"},"subject":{"reference":"Patient/{{patient}}"} }""";
        Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes(observation), default));
        Assert.IsType<ErasureOutcome.Unconfirmed>(await desk.EraseAsync(admin, patient, Ground, shown.Confirmation, default));
        await EraseAsync(node, admin, patient);
        Assert.IsType<WriteOutcome.Invalid>(await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes(observation), default));
        Assert.IsType<PreviewOutcome.Unknown>(await desk.PreviewAsync(admin, patient, Ground, default));
    }

    [Fact]
    public async Task Writers_who_meet_an_erasure_leave_nothing_behind()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
        var (patient, _) = await node.RecordAsync(doctor);
        var observation = Encoding.UTF8.GetBytes($$"""{"resourceType":"Observation","status":"final","code":{"text":"late"},"subject":{"reference":"Patient/{{patient}}"} }""");
        using var stop = new CancellationTokenSource();
        var writing = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (await node.Records.CreateAsync(doctor, observation, default) is not WriteOutcome.Written)
                {
                    return;
                }
            }
        })).ToList();
        var desk = node.Get<ErasureDesk>();
        ErasureOutcome outcome;
        do
        {
            var shown = Assert.IsType<PreviewOutcome.Shown>(await desk.PreviewAsync(admin, patient, Ground, default)).Preview;
            outcome = await desk.EraseAsync(admin, patient, Ground, shown.Confirmation, default);
        }
        while (outcome is ErasureOutcome.Unconfirmed or ErasureOutcome.Busy);
        Assert.IsType<ErasureOutcome.Erased>(outcome);
        await stop.CancelAsync();
        await Task.WhenAll(writing);
        await node.WaitUntilAnchoredAsync();
        Assert.Equal(0L, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE owner = $1", Guid.Parse(patient)));
        Assert.Equal(0L, await node.Database.ValueAsync<long>("SELECT count(*) FROM search_value"));
        Assert.Empty((await node.Get<IntegrityWatch>().CheckAsync(default)).Findings);
    }

    [Fact]
    public async Task Over_HTTP_it_takes_two_steps()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, admin) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
        var (patient, _) = await node.RecordAsync(doctor);
        using var client = await node.ClientAsync(admin);
        var cancellation = TestContext.Current.CancellationToken;
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsJsonAsync("/api/erasures", new { patient, ground = Ground }, cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsJsonAsync("/api/erasures/preview", new { patient }, cancellation)).StatusCode);
        var shown = await (await client.PostAsJsonAsync("/api/erasures/preview", new { patient, ground = Ground }, cancellation)).Content.ReadFromJsonAsync<JsonElement>(cancellation);
        var confirmation = shown.GetProperty("confirmation").GetString();
        var erased = await client.PostAsJsonAsync("/api/erasures", new { patient, ground = Ground, confirmation }, cancellation);
        Assert.True(erased.IsSuccessStatusCode, await erased.Content.ReadAsStringAsync(cancellation));
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsJsonAsync("/api/erasures", new { patient, ground = Ground, confirmation }, cancellation)).StatusCode);
    }

    static async Task<ErasureOutcome.Erased> EraseAsync(TestNode node, Caller admin, string patient)
    {
        var desk = node.Get<ErasureDesk>();
        var shown = Assert.IsType<PreviewOutcome.Shown>(await desk.PreviewAsync(admin, patient, Ground, default)).Preview;
        return Assert.IsType<ErasureOutcome.Erased>(await desk.EraseAsync(admin, patient, Ground, shown.Confirmation, default));
    }
}
