using System.Runtime.Versioning;
using System.Text;
using Npgsql;
using Salus.Learning.Tables;
using Salus.Platform.Cohorts;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Models;

namespace Salus.Tests.Cohorts;

[UnsupportedOSPlatform("windows")]
public sealed class CohortDeskTests
{
    const string Canary = "Zwischenwasser";
    static readonly Caller Owner = CareNode.NewCaller(Role.Researcher);

    [Fact]
    public async Task A_data_set_goes_from_file_to_sealed_and_anchored()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var desk = node.Cohorts;
        var csv = Csv(120);
        var loaded = Done(await LoadAsync(desk, Owner, csv));
        Assert.Equal((1, 120, DataSetStep.Loaded), (loaded.Versions.Count, loaded.Newest.Rows, loaded.Newest.Step));
        Assert.True(loaded.Newest.SealedLength > loaded.Newest.Length);

        var (page, _) = await desk.PageAsync(Owner, loaded.Id, null, 118, 10, cancellation);
        Assert.Equal((120, 2), (page!.RowCount, page.Rows.Count));
        Assert.Equal(ColumnKind.Number, page.Columns.Single(column => column.Name == "age").Kind);
        Assert.Equal(12 / 120.0, page.Columns.Single(column => column.Name == "sugar").MissingShare);

        var (charts, _) = await desk.ChartsAsync(Owner, loaded.Id, null, null, null, cancellation);
        Assert.Equal(3, charts!.Count);
        Assert.Equal("column", Assert.IsType<DataSetOutcome.Invalid>((await desk.ChartsAsync(Owner, loaded.Id, null, "nowhere", null, cancellation)).Refusal).Field);

        var processed = Done(await desk.ProcessAsync(Owner, loaded.Id, new ProcessingRequest("ill", Drop: ["town"]), cancellation));
        Assert.Equal(DataSetStep.Processed, processed.Newest.Step);
        Assert.Equal(12, processed.Newest.Processing!.Columns.Single(column => column.Column == "sugar").Filled);

        var refused = Assert.IsType<DataSetOutcome.Invalid>(await desk.NoiseAsync(Owner, loaded.Id, new NoiseRequest(2, [new("age", "laplace", 0, 120, 1)]), cancellation));
        Assert.Contains("the plan does not say what happens to it", refused.Message, StringComparison.Ordinal);
        var noised = Done(await desk.NoiseAsync(Owner, loaded.Id, new NoiseRequest(2,
        [
            new("age", "laplace", 0, 120, 1), new("sugar", "laplace", 0, 30, 0.5m), new("sex=F", "laplace", 0, 1, 1), new("sex=M", "laplace", 0, 1, 1),
            new("ill", "drop"), new("part", "randomised", Levels: ["train", "test"]),
        ]), cancellation));
        Assert.Equal(2, noised.Newest.Noise!.Epsilon);
        Assert.Equal(2, noised.Newest.Noise.Columns.Sum(column => column.Epsilon)!.Value, 9);
        Assert.Equal(["discrete Laplace", "dropped", "randomised response"], noised.Newest.Noise.Columns.Select(column => column.Mechanism).Distinct().Order());

        var seal = Done(await desk.SealAsync(Owner, loaded.Id, cancellation)).Sealed!;
        Assert.Equal((3, noised.Newest.SealedLength), (seal.Version, seal.CiphertextBytes));
        Assert.Equal(seal.Entry, Done(await desk.SealAsync(Owner, loaded.Id, cancellation)).Sealed!.Entry);
        await CareNode.UntilAsync(async () => Done(await desk.FindAsync(Owner, loaded.Id, cancellation)).Sealed!.Proof.State == "anchored");
        Assert.NotNull(Done(await desk.FindAsync(Owner, loaded.Id, cancellation)).Sealed!.Proof.Block);

        Assert.IsType<DataSetOutcome.Refused>(await desk.ProcessAsync(Owner, loaded.Id, new ProcessingRequest(), cancellation));
        Assert.IsType<DataSetOutcome.Refused>(await desk.DeleteAsync(Owner, loaded.Id, cancellation));
        var (content, _, _) = await desk.DownloadAsync(Owner, loaded.Id, 1, cancellation);
        await using (content)
        {
            using var reader = new StreamReader(content!);
            Assert.Equal(csv, await reader.ReadToEndAsync(cancellation));
        }
        Assert.IsType<ReadOutcome.Forbidden>(await node.Records.ReadAsync(CareNode.NewCaller(Role.Practitioner), "DocumentReference", seal.Entry, null, Purpose.Research, cancellation));
    }

    [Fact]
    public async Task Zero_noise_leaves_the_values_alone_and_says_so()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var loaded = Done(await LoadAsync(node.Cohorts, Owner, Csv(30)));

        var noised = Done(await node.Cohorts.NoiseAsync(Owner, loaded.Id, new NoiseRequest(null, []), cancellation));

        Assert.Contains("zero noise", noised.Newest.Noise!.Statement, StringComparison.Ordinal);
        var (before, _) = await node.Cohorts.PageAsync(Owner, loaded.Id, 1, 0, 30, cancellation);
        var (after, _) = await node.Cohorts.PageAsync(Owner, loaded.Id, 2, 0, 30, cancellation);
        Assert.Equal(before!.Rows, after!.Rows);
    }

    [Fact]
    public async Task What_is_no_csv_is_refused_with_its_place_and_nothing_of_it_is_kept()
    {
        await using var node = await CareNode.StartAsync();

        var refused = Assert.IsType<DataSetOutcome.NotCsv>(await LoadAsync(node.Cohorts, Owner, $"age,town\n41,{Canary}\n52,{Canary},extra\n"));

        Assert.Equal((3, 3), (refused.Line, refused.Column));
        Assert.Empty(await node.Cohorts.ListAsync(Owner, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFiles(node.BlobFolder, "*", SearchOption.AllDirectories));
        Assert.Equal(0L, await CountAsync(node.Database, "SELECT count(*) FROM vault_owner WHERE kind = 3 AND wrapped IS NOT NULL"));
    }

    [Fact]
    public async Task Nobody_but_its_account_sees_a_data_set()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var loaded = Done(await LoadAsync(node.Cohorts, Owner, Csv(10)));

        foreach (var stranger in new[] { CareNode.NewCaller(Role.Researcher), CareNode.NewCaller(Role.Administrator), CareNode.NewCaller(Role.Auditor) })
        {
            Assert.Empty(await node.Cohorts.ListAsync(stranger, cancellation));
            Assert.IsType<DataSetOutcome.NotFound>(await node.Cohorts.FindAsync(stranger, loaded.Id, cancellation));
            Assert.IsType<DataSetOutcome.NotFound>((await node.Cohorts.PageAsync(stranger, loaded.Id, null, 0, 1, cancellation)).Refusal);
            Assert.IsType<DataSetOutcome.NotFound>(await node.Cohorts.SealAsync(stranger, loaded.Id, cancellation));
            Assert.IsType<DataSetOutcome.NotFound>((await node.Cohorts.DownloadAsync(stranger, loaded.Id, null, cancellation)).Refusal);
            Assert.IsType<DataSetOutcome.NotFound>(await node.Cohorts.DeleteAsync(stranger, loaded.Id, cancellation));
        }
        Assert.IsType<DataSetOutcome.Forbidden>(await LoadAsync(node.Cohorts, CareNode.NewCaller(Role.Insurer), Csv(10)));

        // A thief of the database who writes another account into the row gains nothing.
        var thief = CareNode.NewCaller(Role.Researcher);
        await using var update = node.Database.CreateCommand($"UPDATE data_set SET account = '{thief.Account}'");
        await update.ExecuteNonQueryAsync(cancellation);
        Assert.IsType<DataSetOutcome.Altered>(await node.Cohorts.FindAsync(thief, loaded.Id, cancellation));
        Assert.Empty(await node.Cohorts.ListAsync(thief, cancellation));
    }

    [Fact]
    public async Task Neither_names_nor_values_stand_in_clear_in_the_database_or_in_files()
    {
        await using var node = await CareNode.StartAsync();
        var loaded = Done(await LoadAsync(node.Cohorts, Owner, Csv(10)));
        Done(await node.Cohorts.ProcessAsync(Owner, loaded.Id, new ProcessingRequest(), TestContext.Current.CancellationToken));
        Done(await node.Cohorts.SealAsync(Owner, loaded.Id, TestContext.Current.CancellationToken));
        var canary = Encoding.UTF8.GetBytes(Canary);

        foreach (var file in Directory.EnumerateFiles(node.BlobFolder, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(canary));
        }
        foreach (var table in new[] { "data_set", "data_set_version", "entry", "leaf", "leaf_pending" })
        {
            Assert.Equal(0L, await CountAsync(node.Database, $"SELECT count(*) FROM {table} t WHERE t::text LIKE '%{Canary}%' OR t::text LIKE '%{Convert.ToHexStringLower(canary)}%'"));
        }
        Assert.True(await CountAsync(node.Database, $"SELECT count(*) FROM (SELECT '\\x00{Convert.ToHexStringLower(canary)}'::bytea) t WHERE t::text LIKE '%{Convert.ToHexStringLower(canary)}%'") == 1);
    }

    [Fact]
    public async Task A_deleted_draft_is_gone_with_its_key_and_its_content()
    {
        await using var node = await CareNode.StartAsync();
        var loaded = Done(await LoadAsync(node.Cohorts, Owner, Csv(10)));

        Done(await node.Cohorts.DeleteAsync(Owner, loaded.Id, TestContext.Current.CancellationToken));

        Assert.IsType<DataSetOutcome.NotFound>(await node.Cohorts.FindAsync(Owner, loaded.Id, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFiles(node.BlobFolder, "*", SearchOption.AllDirectories));
        Assert.Equal(0L, await CountAsync(node.Database, "SELECT count(*) FROM vault_owner WHERE kind = 3 AND wrapped IS NOT NULL"));
    }

    static DataSetView Done(DataSetOutcome outcome) => Assert.IsType<DataSetOutcome.Done>(outcome).DataSet;

    static async Task<DataSetOutcome> LoadAsync(CohortDesk desk, Caller caller, string csv)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(csv));
        return await desk.LoadAsync(caller, $"Sugar in {Canary}", $"{Canary}.csv", ',', content, TestContext.Current.CancellationToken);
    }

    static string Csv(int rows)
    {
        var csv = new StringBuilder("sex,age,sugar,town,ill\n");
        for (var row = 0; row < rows; row++)
        {
            csv.Append(row % 2 == 0 ? "F" : "M").Append($",{20 + (row % 60)},").Append(row % 10 == 3 ? "" : FormattableString.Invariant($"{4 + (row % 16 * 0.5)}"))
                .Append($",{Canary}{row % 3},").Append(row % 4 == 0 ? "yes" : "no").Append('\n');
        }
        return csv.ToString();
    }

    static async Task<long> CountAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
