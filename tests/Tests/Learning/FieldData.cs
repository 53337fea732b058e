using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

/// <summary>Public clinical tables outside the repository, in the folder that SALUS_DATA names.</summary>
static class FieldData
{
    public static Table Read(string file)
    {
        var folder = Environment.GetEnvironmentVariable("SALUS_DATA")
            ?? throw new InvalidOperationException("SALUS_DATA is not set: name the folder that holds tables/");
        var path = Path.Combine(folder, "tables", file);
        if (!File.Exists(path))
            throw new InvalidOperationException($"{path} is missing: SALUS_DATA must name a complete folder of field data");
        using var stream = File.OpenRead(path);
        return Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream)).Table;
    }

    public static int[] Labels(Table table, string column) =>
        Array.ConvertAll(((NumberColumn)table[column]).Values.ToArray(), value => (int)value);
}
