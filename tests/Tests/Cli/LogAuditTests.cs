using Npgsql;
using Salus.Cli;
using Salus.Cli.Api;
using Salus.Cli.Commands;
using Salus.Cli.Proofs;
using Salus.Ledger.Evidence;
using Salus.Ledger.Proofs;
using Salus.Platform.Identity;
using Salus.Tests.Platform;
using Xunit;

namespace Salus.Tests.Cli;

/// <summary>A node's log audited from outside, and its proof files checked by the program.</summary>
public sealed class LogAuditTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-audit-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    async Task<LogAuditReport> AuditAsync(TestNode node)
    {
        using var client = NodeClient.Anonymous(node.Address.ToString());
        return await new LogAudit(client, Path.Combine(folder, "kept")).RunAsync(null, node.Ground.Chain.Rpc, _ => { }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_audit_reads_what_is_new_and_a_second_history_is_caught_with_both_checkpoints()
    {
        await using var ground = await TestGround.NewAsync();
        Caller doctor;
        await using (var first = await TestNode.StartAsync(ground))
        {
            doctor = await first.AddAsync(Role.Practitioner);
            await first.RecordAsync(doctor);
            await first.WaitUntilAnchoredAsync();
            var report = await AuditAsync(first);
            Assert.True(report is { Fault: null, Seen: 0 } && report.AnchoredSize == report.Size, report.ToText());
        }
        await using var fork = await ground.CopyAsync();
        // It runs before the other goes on: a node that starts behind what is anchored would open a successor.
        await using var forked = await TestNode.StartAsync(fork);
        long seen;
        await using (var node = await TestNode.StartAsync(ground))
        {
            await node.RecordAsync(doctor);
            await node.WaitUntilAnchoredAsync();
            var report = await AuditAsync(node);
            Assert.True(report is { Fault: null, Seen: > 0 } && report.Size > report.Seen, report.ToText());
            seen = report.Size;
            Assert.Null((await AuditAsync(node)).Fault);
        }

        // The same keys, the same beginning, another going on; behind what was seen at first, and then beyond it
        var behind = await AuditAsync(forked);
        Assert.Contains($"{seen} were seen before", behind.Fault, StringComparison.Ordinal);
        while (await forked.Database.ValueAsync<long>("SELECT coalesce(max(size), 0) FROM log_head WHERE checkpoint IS NOT NULL") <= seen)
        {
            await forked.RecordAsync(doctor);
        }
        using var client = NodeClient.Anonymous(forked.Address.ToString());
        var caught = await new LogAudit(client, Path.Combine(folder, "kept")).RunAsync(null, null, _ => { }, TestContext.Current.CancellationToken);
        Assert.Contains("another history", caught.Fault, StringComparison.Ordinal);
        using var key = NoteVerifier.Parse(forked.Keys.VerifierKey);
        Checkpoint[] both = [.. new[] { "checkpoint-seen", "checkpoint-now" }.Select(name => Checkpoint.Verify(File.ReadAllText(Path.Combine(caught.Evidence!, name)), forked.Keys.Origin, key)!)];
        Assert.Equal(seen, both[0].Size);
        Assert.True(both[1].Size > seen);
    }

    [Fact]
    public async Task An_audit_follows_a_succession_that_the_chain_knows_and_none_that_only_the_node_tells()
    {
        await using var ground = await TestGround.NewAsync();
        Caller doctor;
        await using (var first = await TestNode.StartAsync(ground))
        {
            doctor = await first.AddAsync(Role.Practitioner);
            await first.RecordAsync(doctor);
            await first.WaitUntilAnchoredAsync();
            Assert.Null((await AuditAsync(first)).Fault);
        }
        NpgsqlConnection.ClearAllPools();
        var backup = await TestDatabase.CopyAsync(ground.ConnectionString);
        await using (var first = await TestNode.StartAsync(ground))
        {
            await first.RecordAsync(doctor);
            await first.WaitUntilAnchoredAsync();
            Assert.Null((await AuditAsync(first)).Fault);
        }

        // Restored to before what is anchored, without the log's files: a successor
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        Directory.Delete(ground.LogFolder, recursive: true);
        await using var node = await TestNode.StartAsync(ground);
        Assert.Equal($"{ground.Origin}/2", node.Keys.Origin);
        await node.RecordAsync(doctor);
        await node.WaitUntilAnchoredAsync();
        using var client = NodeClient.Anonymous(node.Address.ToString());
        Task<LogAuditReport> OfflineAsync() => new LogAudit(client, Path.Combine(folder, "kept")).RunAsync(null, null, _ => { }, TestContext.Current.CancellationToken);
        Assert.Contains("--rpc", (await Assert.ThrowsAsync<CliException>(OfflineAsync)).Message, StringComparison.Ordinal);

        var report = await AuditAsync(node);
        Assert.True(report is { Fault: null, Succession: not null }, report.ToText());
        Assert.Equal(node.Keys.Origin, report.Origin);
        Assert.Contains("of them are kept", report.ToText(), StringComparison.Ordinal);
        var next = await AuditAsync(node);
        Assert.True(next is { Fault: null, Succession: null } && next.Seen == report.Size, next.ToText());
        Assert.Null((await OfflineAsync()).Fault);
    }

    [Fact]
    public async Task The_program_checks_a_proof_file_and_its_exit_code_names_the_step()
    {
        await using var node = await TestNode.StartAsync();
        var (patient, records) = await node.RecordAsync(await node.AddAsync(Role.Practitioner));
        var account = await node.AddAsync(Role.Patient, patient);
        using var client = await node.ClientAsync(account);
        var (file, policy) = (Path.Combine(folder, "one.salus-proof.json"), Path.Combine(folder, "policy.json"));
        await File.WriteAllBytesAsync(policy, await client.GetByteArrayAsync("/log/policy", TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        ProofFile? proof = null;
        await TestNode.UntilAsync(async () =>
        {
            using var response = await client.GetAsync($"/fhir/Condition/{records.First(record => record.Type == "Condition").Id}/$proof", TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode
                && (proof = ProofFile.Read(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken))).Anchor is not null;
        }, "a proof with evidence of its anchor");
        await File.WriteAllBytesAsync(file, proof!.ToBytes(), TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Done, await RunAsync(file, "--policy", policy, "--rpc", node.Ground.Chain.Endpoint.ToString()));
        Assert.Equal((int)ProofStep.Block, await RunAsync(file, "--policy", policy));
        await File.WriteAllBytesAsync(file, (proof with { Content = proof.Content! with { Bytes = [.. proof.Content.Bytes, (byte)'\n'] } }).ToBytes(), TestContext.Current.CancellationToken);
        Assert.Equal((int)ProofStep.Content, await RunAsync(file, "--policy", policy, "--rpc", node.Ground.Chain.Endpoint.ToString(), "--json"));
        Assert.Equal((int)ProofStep.Policy, (await Assert.ThrowsAsync<CliException>(() => RunAsync(file, "--policy", file))).ExitCode);
        Assert.Equal((int)ProofStep.File, (await Assert.ThrowsAsync<CliException>(() => RunAsync(policy, "--policy", policy))).ExitCode);
        Assert.Equal(ExitCodes.Usage, (await Assert.ThrowsAsync<CliException>(() => RunAsync(file))).ExitCode);
    }

    static Task<int> RunAsync(params string[] arguments) => SalusCommand.Create().Parse(["verify", .. arguments]).InvokeAsync(
        new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false }, TestContext.Current.CancellationToken);
}
