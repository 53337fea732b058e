using Salus.Platform.Monitoring;
using Salus.Tests.Platform;

namespace Salus.Tests.Monitoring;

public sealed class TamperTests(TamperStory story)
{
    [Fact]
    public async Task An_untouched_record_holds()
    {
        await using var node = await story.CopyAsync();
        var report = await node.CheckAsync();
        Assert.Empty(report.Findings);
        Assert.True(report.Holds);
        Assert.Equal(story.Leaves, report.Leaves);
        Assert.True(report.Anchors >= 2, "more than one head is anchored");
        Assert.Equal(1, report.Blobs);
    }

    [Theory]
    [InlineData("ciphertext = set_byte(ciphertext, octet_length(ciphertext) - 1, get_byte(ciphertext, octet_length(ciphertext) - 1) # 1)", "ciphertext, owner, patient or deletion mark")]
    [InlineData("content = set_byte(content, 0, get_byte(content, 0) # 1)", "commitment to its content")]
    [InlineData("owner = '5a105000-0000-4000-8000-000000000002'", "ciphertext, owner, patient or deletion mark")]
    [InlineData("patient = gen_random_uuid()::text", "ciphertext, owner, patient or deletion mark")]
    [InlineData("patient = NULL", "ciphertext, owner, patient or deletion mark")]
    [InlineData("deleted = true", "ciphertext, owner, patient or deletion mark")]
    [InlineData("written = written - interval '1 day'", "its time is")]
    [InlineData("kind = 4", "its kind is Model, the leaf says Record")]
    [InlineData("blob = sha256('other')", "ciphertext, owner, patient or deletion mark")]
    public async Task A_changed_column_is_named(string change, string difference)
    {
        await using var node = await story.CopyAsync();
        var id = await node.IdOfAsync("Encounter");
        Assert.Equal(1, await node.Database.ExecuteAsync($"UPDATE entry SET {change} WHERE type = 'Encounter' AND id = $1", id));
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Changed, $"Encounter/{id} version 1", (long?)await node.LeafOfAsync("Encounter", id)), (finding.Kind, finding.Record, finding.Leaf));
        Assert.Contains(difference, finding.Difference, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_audit_row_is_named()
    {
        await using var node = await story.CopyAsync();
        var id = await node.Database.ValueAsync<string>("SELECT id FROM entry WHERE type = 'AuditEvent' ORDER BY written LIMIT 1");
        await node.Database.ExecuteAsync("UPDATE entry SET patient = 'nobody' WHERE id = $1", id);
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Changed, $"AuditEvent/{id} version 1"), (finding.Kind, finding.Record));
    }

    [Theory]
    [InlineData("Encounter")]
    [InlineData("AuditEvent")]
    [InlineData("Consent")]
    public async Task A_deleted_row_is_named(string type)
    {
        await using var node = await story.CopyAsync();
        var id = await node.Database.ValueAsync<string>(
            "SELECT id FROM entry WHERE type = $1 GROUP BY id HAVING count(*) = 1 ORDER BY id LIMIT 1", type);
        var leaf = await node.LeafOfAsync(type, id);
        Assert.Equal(1, await node.Database.ExecuteAsync("DELETE FROM entry WHERE type = $1 AND id = $2", type, id));
        var findings = (await node.CheckAsync()).Findings;
        Assert.Contains(findings, finding => (finding.Kind, finding.Record, finding.Leaf) == (FindingKind.Removed, $"{type}/{id} version 1", leaf));
        Assert.All(findings, finding => Assert.Contains(id, finding.Record, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_older_version_that_was_deleted_is_named()
    {
        await using var node = await story.CopyAsync();
        var id = await node.Database.ValueAsync<string>("SELECT id FROM entry WHERE type = 'Condition' AND version = 2");
        await node.Database.ExecuteAsync("DELETE FROM entry WHERE type = 'Condition' AND id = $1 AND version = 1", id);
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Removed, $"Condition/{id} version 1"), (finding.Kind, finding.Record));
    }

    [Fact]
    public async Task An_inserted_row_is_named()
    {
        await using var node = await story.CopyAsync();
        var id = await node.IdOfAsync("Encounter");
        var copy = Guid.NewGuid().ToString();
        await node.Database.ExecuteAsync(
            """
            INSERT INTO entry SELECT type, $2, version, kind, owner, patient, written, deleted, content, sealed, blob, ciphertext
            FROM entry WHERE type = 'Encounter' AND id = $1
            """, id, copy);
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Inserted, $"Encounter/{copy} version 1"), (finding.Kind, finding.Record));
    }

    [Fact]
    public async Task Swapped_rows_are_both_named()
    {
        await using var node = await story.CopyAsync();
        var ids = await node.Database.RowsAsync(row => row.GetString(0), "SELECT id FROM entry WHERE type = 'Observation' AND patient = $1 ORDER BY id LIMIT 2", story.Patient);
        Assert.Equal(2, await node.Database.ExecuteAsync(
            """
            UPDATE entry e SET content = o.content, sealed = o.sealed, ciphertext = o.ciphertext FROM entry o
            WHERE e.type = 'Observation' AND o.type = 'Observation' AND e.id = ANY($1) AND o.id = ANY($1) AND e.id <> o.id
            """, (object)ids.ToArray()));
        var findings = (await node.CheckAsync()).Findings;
        Assert.Equal(ids.Select(id => $"Observation/{id} version 1").Order(), findings.Select(finding => finding.Record).Order());
        Assert.All(findings, finding => Assert.Equal(FindingKind.Swapped, finding.Kind));
        Assert.Contains($"Observation/{ids[1]} version 1", findings.Single(finding => finding.Record == $"Observation/{ids[0]} version 1").Difference, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_leaf_is_named()
    {
        await using var node = await story.CopyAsync();
        await node.Database.ExecuteAsync("DELETE FROM leaf WHERE position = 3");
        var findings = (await node.CheckAsync()).Findings;
        Assert.Contains(findings, finding => finding is { Kind: FindingKind.Removed, Leaf: 3 });
    }

    [Fact]
    public async Task A_deleted_row_with_its_leaf_leaves_a_hole_in_the_log()
    {
        await using var node = await story.CopyAsync();
        var id = await node.IdOfAsync("Encounter");
        var leaf = await node.LeafOfAsync("Encounter", id);
        await node.Database.ExecuteAsync("DELETE FROM entry WHERE type = 'Encounter' AND id = $1", id);
        await node.Database.ExecuteAsync("DELETE FROM leaf WHERE position = $1", leaf);
        Assert.Contains((await node.CheckAsync()).Findings, finding => finding.Kind == FindingKind.Removed && finding.Leaf == leaf);
    }

    [Fact]
    public async Task An_altered_leaf_is_named()
    {
        await using var node = await story.CopyAsync();
        var id = await node.IdOfAsync("Encounter");
        var leaf = await node.LeafOfAsync("Encounter", id);
        await node.Database.ExecuteAsync("UPDATE leaf SET envelope = set_byte(envelope, 60, get_byte(envelope, 60) # 1) WHERE position = $1", leaf);
        var findings = (await node.CheckAsync()).Findings;
        Assert.Contains(findings, finding => (finding.Kind, finding.Record, finding.Leaf) == (FindingKind.LogRewritten, $"Encounter/{id} version 1", leaf));
        Assert.Contains(findings, finding => finding.Kind == FindingKind.LogRewritten && finding.Difference.StartsWith("The head anchored on the chain", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_that_was_rewritten_without_a_flaw_is_caught_by_the_chain_and_by_a_kept_checkpoint_alone()
    {
        await using var node = await story.CopyAsync();
        var id = await node.IdOfAsync("Encounter");
        await node.Database.ExecuteAsync("UPDATE entry SET ciphertext = set_byte(ciphertext, 200, get_byte(ciphertext, 200) # 1) WHERE type = 'Encounter' AND id = $1", id);
        await node.RewriteLogAsync();

        var blind = await node.CheckAsync(chain: false, kept: false);
        Assert.True(blind.Holds, "nothing at rest betrays a perfect forger");
        var byChain = Assert.Single((await node.CheckAsync(kept: false)).Findings);
        Assert.Equal(FindingKind.LogRewritten, byChain.Kind);
        Assert.StartsWith("The head anchored on the chain", byChain.Difference, StringComparison.Ordinal);
        var byCheckpoint = Assert.Single((await node.CheckAsync(chain: false)).Findings, finding => finding.Kind != FindingKind.Unchecked);
        Assert.Equal(FindingKind.LogRewritten, byCheckpoint.Kind);
        Assert.StartsWith("The checkpoint in the safe", byCheckpoint.Difference, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_taken_out_of_the_whole_log_is_caught_by_the_chain_and_by_a_kept_checkpoint_alone()
    {
        await using var node = await story.CopyAsync();
        var id = await node.IdOfAsync("Encounter");
        await node.Database.ExecuteAsync("DELETE FROM leaf WHERE type = 'Encounter' AND id = $1", id);
        await node.Database.ExecuteAsync("DELETE FROM entry WHERE type = 'Encounter' AND id = $1", id);
        await node.RewriteLogAsync();
        Assert.True((await node.CheckAsync(chain: false, kept: false)).Holds);
        Assert.False((await node.CheckAsync(kept: false)).Holds);
        Assert.False((await node.CheckAsync(chain: false)).Holds);
    }

    [Fact]
    public async Task A_log_that_was_cut_off_is_caught_by_the_chain_and_by_a_kept_checkpoint_alone()
    {
        await using var node = await story.CopyAsync();
        var cut = story.Leaves - 4;
        await node.Database.ExecuteAsync("DELETE FROM entry e USING leaf l WHERE (l.type, l.id, l.version) = (e.type, e.id, e.version) AND l.position >= $1", cut);
        await node.Database.ExecuteAsync("DELETE FROM leaf WHERE position >= $1", cut);
        await node.RewriteLogAsync();
        Assert.True((await node.CheckAsync(chain: false, kept: false)).Holds);
        foreach (var report in new[] { await node.CheckAsync(kept: false), await node.CheckAsync(chain: false) })
        {
            var finding = Assert.Single(report.Findings, finding => finding.Kind != FindingKind.Unchecked);
            Assert.Equal((FindingKind.LogRewritten, (long?)cut), (finding.Kind, finding.Leaf));
            Assert.Contains("were cut off", finding.Difference, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_changed_file_is_named()
    {
        await using var node = await story.CopyAsync();
        await using (var file = File.OpenWrite(node.BlobFile))
        {
            file.Position = 5000;
            file.WriteByte(1);
            file.WriteByte(2);
        }
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Changed, $"Binary/{story.File} version 1", (long?)await node.LeafOfAsync("Binary", story.File)), (finding.Kind, finding.Record, finding.Leaf));
        Assert.Contains("sealed file", finding.Difference, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_file_is_named()
    {
        await using var node = await story.CopyAsync();
        File.Delete(node.BlobFile);
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Removed, $"Binary/{story.File} version 1"), (finding.Kind, finding.Record));
    }

    [Theory]
    [InlineData("revoked = NULL, revoked_block = NULL")]
    [InlineData("commitment = sha256('other')")]
    [InlineData("patient = (SELECT id FROM patient p WHERE p.id <> consent.patient LIMIT 1)")]
    public async Task A_changed_consent_is_named(string change)
    {
        await using var node = await story.CopyAsync();
        Assert.Equal(1, await node.Database.ExecuteAsync($"UPDATE consent SET {change} WHERE resource = $1", story.Revoked));
        var finding = Assert.Single((await node.CheckAsync()).Findings);
        Assert.Equal((FindingKind.Changed, $"Consent/{story.Revoked}"), (finding.Kind, finding.Record));
    }

    [Fact]
    public async Task A_chain_that_does_not_answer_is_said_to_be_unchecked()
    {
        await using var node = await story.CopyAsync();
        var report = await node.CheckAsync(chain: false);
        Assert.Equal(FindingKind.Unchecked, Assert.Single(report.Findings).Kind);
        Assert.Equal(0, report.Anchors);
    }
}
