using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>The offline check of a data folder.</summary>
public sealed class VerifyTests
{
    [Fact]
    public async Task A_folder_that_was_left_alone_holds_and_a_flipped_byte_of_a_file_is_named()
    {
        await using var clinic = await Clinic.OpenAsync();
        var letter = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"u8.ToArray();
        var binary = await clinic.UploadAsync(letter, "application/pdf");
        using (var nobody = ApiClient.Anonymous(clinic.Node))
        {
            await nobody.AnchoredAsync();
        }

        await RequireHoldsAsync(clinic);
        await clinic.Node.StopAsync();
        await RequireHoldsAsync(clinic);

        FlipByte(Assert.Single(clinic.Folders.Blobs));
        var damaged = await VerifyAsync(clinic);
        Assert.True(damaged.ExitCode == 2, $"{damaged}");
        Assert.True(damaged.Output.Contains(binary, StringComparison.Ordinal), $"{binary} is not named: {damaged}");
    }

    [Fact]
    public async Task Rows_that_were_changed_removed_inserted_and_swapped_are_named_in_words_and_in_JSON_while_the_node_runs_and_after()
    {
        await using var clinic = await Clinic.OpenAsync();
        using var stop = new CancellationTokenSource();
        var writing = clinic.WriteAsync(stop.Token);
        await clinic.UntilWrittenAsync(5);
        await stop.CancelAsync();
        await writing;
        await clinic.RequireAllAnchoredAsync();
        var checkpoint = Path.Combine(clinic.Folders.Elsewhere, "checkpoint");
        var keeping = await ProgramRun.OfAsync(Repository.Cli, "checkpoint", "--url", clinic.Node.Address, "--out", checkpoint);
        Assert.True(keeping.ExitCode == 0, $"{keeping}");
        var clean = await ReadAsync(clinic, "--checkpoint", checkpoint);
        Assert.True(clean.ExitCode == 0, $"{clean}");
        Assert.Contains($"and the checkpoint in {checkpoint}", clean.Output, StringComparison.Ordinal);
        Assert.Contains("✓ All of it holds.", clean.Output, StringComparison.Ordinal);

        var rows = await TamperAsync(clinic.Folders.Database);
        var said = await ReadAsync(clinic, "--checkpoint", checkpoint);
        Assert.True(said.ExitCode == 2, $"{said}");
        Assert.Contains("✗ It does not hold: 5 findings.", said.Output, StringComparison.Ordinal);
        await RequireNamedAsync(clinic, rows, said.Output);

        await clinic.Node.StopAsync();
        await RequireNamedAsync(clinic, rows, (await ReadAsync(clinic)).Output);
        (await ReadAsync(clinic, "--checkpoint", Path.Combine(clinic.Folders.Data, "verifier-key"))).RequireRefusal(1, "is no checkpoint");
    }

    /// <summary>Changes the first observation, removes the second, swaps the third and fourth, and inserts a copy of the fifth.</summary>
    static async Task<string[]> TamperAsync(string database)
    {
        var ids = ((string)(await ExternalEngines.RunAsync(database,
            "SELECT string_agg(id, ',' ORDER BY position) FROM (SELECT id, position FROM leaf WHERE type = 'Observation' ORDER BY position LIMIT 5) five"))!).Split(',');
        string Copy(string to, string from) =>
            $"UPDATE entry e SET content = k.content, sealed = k.sealed, ciphertext = k.ciphertext FROM kept k WHERE e.id = '{to}' AND k.id = '{from}';";
        await ExternalEngines.RunAsync(database,
            $"""
            SET session_replication_role = replica;
            CREATE TEMP TABLE kept AS SELECT * FROM entry WHERE type = 'Observation' AND id IN ('{string.Join("','", ids)}');
            UPDATE entry SET ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1) WHERE type = 'Observation' AND id = '{ids[0]}';
            DELETE FROM entry WHERE type = 'Observation' AND id = '{ids[1]}';
            {Copy(ids[2], ids[3])}
            {Copy(ids[3], ids[2])}
            INSERT INTO entry SELECT type, 'intruder', version, kind, owner, patient, written, deleted, content, sealed, blob, ciphertext FROM kept WHERE id = '{ids[4]}';
            """);
        return ids;
    }

    static async Task RequireNamedAsync(Clinic clinic, string[] rows, string text)
    {
        (string Kind, string Record)[] expected =
            [("Changed", rows[0]), ("Removed", rows[1]), ("Swapped", rows[2]), ("Swapped", rows[3]), ("Inserted", "intruder")];
        Assert.All(expected, finding => Assert.Matches($@"{finding.Kind}: [^\n]+\n(  +[^\n]+\n)*  Observation/{finding.Record} version 1", text));
        var json = await VerifyAsync(clinic);
        Assert.True(json.ExitCode == 2, $"{json}");
        var found = JsonElement.Parse(Assert.Single(json.Lines)).GetProperty("findings").EnumerateArray()
            .Select(finding => (finding.GetProperty("kind").GetString(), finding.GetProperty("record").GetString())).ToHashSet();
        Assert.Equal(expected.Select(finding => ((string?)finding.Kind, (string?)$"Observation/{finding.Record} version 1")).ToHashSet(), found);
    }

    static Task<ProgramRun> ReadAsync(Clinic clinic, params string[] more) => ProgramRun.OfAsync(Repository.Cli, ["verify", "--data", clinic.Folders.Data, .. more]);

    static Task<ProgramRun> VerifyAsync(Clinic clinic) => ProgramRun.OfAsync(Repository.Cli, "verify", "--json", "--data", clinic.Folders.Data);

    static async Task RequireHoldsAsync(Clinic clinic)
    {
        var run = await VerifyAsync(clinic);
        Assert.True(run.ExitCode == 0, $"{run}");
    }

    static void FlipByte(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length - 1;
        var last = file.ReadByte();
        file.Position = file.Length - 1;
        file.WriteByte((byte)(last ^ 1));
    }
}
