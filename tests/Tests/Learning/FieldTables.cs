using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>Clinical tables of the field data.</summary>
static class FieldTables
{
    public static Table Read(string file)
    {
        using var stream = File.OpenRead(FieldData.File("tables", file));
        return Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream)).Table;
    }

    public static int[] Labels(Table table, string column) =>
        Array.ConvertAll(((NumberColumn)table[column]).Values.ToArray(), value => (int)value);
}
