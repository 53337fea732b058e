using System.Text;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class CsvTableTests
{
    [Fact]
    public void Kinds_are_inferred_and_missing_is_kept_apart()
    {
        var table = Loaded("age,sex,seen,note\r\n42,f,2024-05-31,\"says \"\"well\"\",\nsleeps\"\r\n,m,,a much longer note than the other one\r\n1e1,f,2024-06-01,third note with words of its own\r\n");
        Assert.Equal([ColumnKind.Number, ColumnKind.Category, ColumnKind.Date, ColumnKind.Text], table.Columns.Select(column => column.Kind));
        Assert.Equal([42, double.NaN, 10], ((NumberColumn)table["age"]).Values.ToArray());
        Assert.Equal("says \"well\",\nsleeps", table["note"].Show(0));
        Assert.True(table["seen"].IsMissing(1));
        Assert.Equal(["f", "m"], ((CategoryColumn)table["sex"]).Levels);
    }

    [Fact]
    public void A_kind_that_is_stated_overrides_the_inferred_one()
    {
        var table = Loaded("code,x\n01,1\n02,2\n", new CsvOptions { Kinds = new Dictionary<string, ColumnKind> { ["code"] = ColumnKind.Category } });
        Assert.Equal("01", table["code"].Show(0));
    }

    [Theory]
    [InlineData("", 0, 0, "the file is empty")]
    [InlineData("a,b\n", 1, 0, "no rows")]
    [InlineData("a,b\n1,2\n3\n", 3, 1, "1 fields, the header 2")]
    [InlineData("a,b\n1,2,3\n", 2, 3, "3 fields, the header 2")]
    [InlineData("a,b,a\n1,2,3\n", 1, 3, "already that of column 1")]
    [InlineData("a,,c\n1,2,3\n", 1, 2, "no name")]
    [InlineData("a,b\n1,\"x\n\ny\n", 2, 2, "never closed")]
    [InlineData("a,b\n\"1\"x,2\n", 2, 1, "follows the closing quote")]
    [InlineData("a,b\n1,2\"3\n", 2, 2, "quote stands inside")]
    [InlineData("a,b\n1,\u0000\n", 2, 2, "control character")]
    [InlineData("a,b\n1,2\r3,4\n", 2, 2, "carriage return")]
    public void A_bad_file_is_refused_with_its_line_and_column(string text, int line, int column, string problem)
    {
        var refused = Refused(text);
        Assert.Equal((line, column), (refused.Line, refused.Column));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.NotEmpty(refused.Mend);
    }

    [Fact]
    public void A_line_break_inside_quotes_counts_as_a_line_of_the_file()
    {
        var refused = Refused("age,note\n1,\"two\nlines\"\nx,y\n", new CsvOptions { Kinds = new Dictionary<string, ColumnKind> { ["age"] = ColumnKind.Number } });
        Assert.Equal("line 4, column 1 ('age'): 'x' cannot be read; write a finite number such as 12.5, or leave the field empty", refused.Message);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_at_their_place()
    {
        using var stream = new MemoryStream([.. "name,city\nx,Gen"u8, 0xE8, .. "ve\n"u8]);
        var refused = Assert.IsType<CsvOutcome.Refused>(CsvTable.Read(stream));
        Assert.Equal((2, 2, "city"), (refused.Line, refused.Column, refused.ColumnName));
        Assert.Contains("not UTF-8", refused.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_is_refused_as_no_text()
    {
        using var stream = new MemoryStream([0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, 0, 0, 0, 13]);
        Assert.Equal(1, Assert.IsType<CsvOutcome.Refused>(CsvTable.Read(stream)).Line);
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_name()
    {
        using var stream = new MemoryStream([.. Encoding.UTF8.GetPreamble(), .. "âge,b\n1,2\n"u8]);
        Assert.Equal("âge", Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream)).Table.Columns[0].Name);
    }

    [Fact]
    public void Rows_columns_and_field_lengths_are_bounded()
    {
        Assert.Equal(4, Refused("a\n1\n2\n3\n", new CsvOptions { RowsMax = 2 }).Line);
        Assert.Equal(3, Refused("a,b,c\n1,2,3\n", new CsvOptions { ColumnsMax = 2 }).Column);
        Assert.Contains("longer than 4", Refused("a\n12345\n", new CsvOptions { FieldLengthMax = 4 }).Message, StringComparison.Ordinal);
    }

    static Table Loaded(string text, CsvOptions? options = null) =>
        Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(new StringReader(text), options)).Table;

    static CsvOutcome.Refused Refused(string text, CsvOptions? options = null) =>
        Assert.IsType<CsvOutcome.Refused>(CsvTable.Read(new StringReader(text), options));
}
