using System.Text;
using Salus.Learning.Tables;
using Salus.Platform.Cohorts;

namespace Salus.Tests.Cohorts;

public sealed class TableProcessingTests
{
    [Fact]
    public void What_fills_a_gap_is_learned_on_the_training_part_only()
    {
        var table = Sample(200);
        var (processed, report) = Processed(table, new ProcessingRequest("ill", 0.6, NumberImputation.Mean));

        var part = (CategoryColumn)processed[report.PartColumn];
        var training = Enumerable.Range(0, 200).Where(row => part.Show(row) == "train").ToArray();
        Assert.Equal((120, 80), (report.TrainingRows, report.OtherRows));
        Assert.Equal(120, training.Length);
        var mean = training.Where(row => row % 5 != 0).Average(row => (double)row);
        Assert.NotEqual(Enumerable.Range(0, 200).Where(row => row % 5 != 0).Average(), mean);
        Assert.Equal(mean, ((NumberColumn)processed["x"]).Values[0], 9);
        var learned = report.Columns.Single(column => column.Column == "x");
        Assert.Equal((40, mean), (learned.Filled, double.Parse(learned.Fill!)));
    }

    [Fact]
    public void Both_parts_have_the_target_s_levels_in_equal_shares()
    {
        var (processed, report) = Processed(Sample(200), new ProcessingRequest("ill", 0.5));

        var target = (NumberColumn)processed["ill"];
        var part = (CategoryColumn)processed[report.PartColumn];
        var ill = Enumerable.Range(0, 200).Where(row => target.Values[row] == 1).ToArray();
        Assert.Equal(50, ill.Length);
        Assert.Equal(25, ill.Count(row => part.Show(row) == "train"));
        Assert.Equal(new Dictionary<string, double> { ["no"] = 0, ["yes"] = 1 }, report.Columns.Single(column => column.Column == "ill").Codes);
    }

    [Fact]
    public void Categories_become_a_column_a_level_or_codes_and_text_and_dates_are_left_out()
    {
        var (hot, report) = Processed(Sample(50), new ProcessingRequest("ill", Drop: ["name"]));
        Assert.Equal(["x", "colour=blue", "colour=red", "ill", "part"], hot.Columns.Select(column => column.Name));
        Assert.Equal(["name", "note", "seen"], report.Columns.Where(column => column.Became.Count == 0).Select(column => column.Column));

        var (coded, _) = Processed(Sample(50), new ProcessingRequest("ill", Categories: CategoryEncoding.Ordinal));
        Assert.Equal(ColumnKind.Number, coded["colour"].Kind);
    }

    [Fact]
    public void The_same_seed_makes_the_same_parts()
    {
        static string?[] Parts(ulong seed)
        {
            var (table, report) = Processed(Sample(60), new ProcessingRequest(Seed: seed));
            return [.. Enumerable.Range(0, 60).Select(table[report.PartColumn].Show)];
        }
        Assert.Equal(Parts(5), Parts(5));
        Assert.NotEqual(Parts(5), Parts(6));
    }

    [Theory]
    [InlineData("missing", 0.7, "target")]
    [InlineData("note", 0.7, "target")]
    [InlineData("ill", 0.99, "trainShare")]
    [InlineData("ill", double.NaN, "trainShare")]
    public void A_request_that_does_not_fit_is_refused_with_the_field(string target, double share, string field) =>
        Assert.Equal(field, Assert.IsType<ProcessingOutcome.Refused>(TableProcessing.Apply(Sample(20), new ProcessingRequest(target, share))).Field);

    [Fact]
    public void A_table_written_as_csv_reads_back_as_it_was()
    {
        var table = new Table(
        [
            new NumberColumn("a,b", [1.5, double.NaN, -3e-7]),
            CategoryColumn.Of("c", ["say \"x\"", null, "æ, ø"]),
            new TextColumn("t", ["line\r\nbreak", "1", null]),
            new DateColumn("d", [new DateOnly(2024, 2, 29), null, null]),
        ]);
        Assert.Equal(Texts(table), Texts(Again(table)));

        var single = new Table([new NumberColumn("only", [1, double.NaN, 3])]);
        Assert.Equal(Texts(single), Texts(Again(single)));
    }

    [Fact]
    public void Charts_count_rows_by_sex_and_by_age_and_tell_what_is_missing()
    {
        var table = new Table(
        [
            CategoryColumn.Of("Sex", ["F", "M", "F", null]), new NumberColumn("Age", [41, 48, 63, 50]), new NumberColumn("sugar", [1, 2, 3, double.NaN]),
        ]);

        var charts = TableCharts.Overview(table);
        Assert.Equal([("Sex", null), ("Age", null), ("Age", "Sex")], charts.Select(chart => (chart.Column, chart.By)));
        Assert.Equal(["F", "M"], charts[0].Labels);
        Assert.Equal([2, 1], charts[0].Series[0].Counts);
        Assert.Equal(1, charts[0].Missing);
        Assert.Equal(["40–49", "50–59", "60–69"], charts[1].Labels);
        Assert.Equal([1, 0, 1], charts[2].Series.Single(series => series.Name == "F").Counts);
    }

    [Fact]
    public void A_column_of_many_numbers_is_charted_in_bins_that_hold_every_row()
    {
        var chart = TableCharts.Of(new NumberColumn("sugar", [.. Enumerable.Range(0, 1000).Select(i => i / 7.0)]), null);
        Assert.Equal(12, chart.Labels.Count);
        Assert.Equal(1000, chart.Series[0].Counts.Sum());
    }

    static (Table Table, ProcessingReport Report) Processed(Table table, ProcessingRequest request)
    {
        var processed = Assert.IsType<ProcessingOutcome.Processed>(TableProcessing.Apply(table, request));
        return (processed.Table, processed.Report);
    }

    static Table Again(Table table)
    {
        using var csv = new MemoryStream();
        CsvText.Write(table, csv);
        csv.Position = 0;
        return Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(csv, new CsvOptions
        {
            Kinds = table.Columns.ToDictionary(column => column.Name, column => column.Kind), MissingMarks = [],
        })).Table;
    }

    static List<string?[]> Texts(Table table) => [.. table.Columns.Select(column => Enumerable.Range(0, table.RowCount).Select(column.Show).ToArray())];

    static Table Sample(int rows)
    {
        var csv = new StringBuilder("x,colour,ill,name,note,seen\n");
        for (var row = 0; row < rows; row++)
        {
            csv.Append(row % 5 == 0 ? "" : $"{row}").Append(',').Append(row % 7 == 0 ? "" : row % 3 == 0 ? "red" : "blue").Append(',').Append(row % 4 == 1 ? "yes" : "no")
                .Append($",person{row},a long free text about number {row},2024-01-{1 + (row % 28):00}\n");
        }
        return Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(new StringReader(csv.ToString()), new CsvOptions
        {
            Kinds = new Dictionary<string, ColumnKind> { ["name"] = ColumnKind.Text, ["note"] = ColumnKind.Text },
        })).Table;
    }
}
