using System.Text;
using Salus.Learning.Tables;

namespace Salus.Platform.Cohorts;

/// <summary>Writes a table as CSV (RFC 4180, UTF-8); a missing value is an empty field.</summary>
public static class CsvText
{
    static readonly System.Buffers.SearchValues<char> Special = System.Buffers.SearchValues.Create("\",\r\n\uFEFF");

    /// <summary>Writes header and rows.</summary>
    public static void Write(Table table, Stream stream)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 16, leaveOpen: true) { NewLine = "\r\n" };
        WriteLine(writer, table.Columns.Select(column => column.Name));
        for (var row = 0; row < table.RowCount; row++)
        {
            WriteLine(writer, table.Columns.Select(column => column.Show(row)));
        }
    }

    static void WriteLine(StreamWriter writer, IEnumerable<string?> fields)
    {
        var first = true;
        foreach (var field in fields)
        {
            if (!first)
            {
                writer.Write(',');
            }
            first = false;
            if (field.AsSpan().ContainsAny(Special) || (field is not null && field != field.Trim()))
            {
                writer.Write($"\"{field!.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
            }
            else
            {
                writer.Write(field);
            }
        }
        writer.WriteLine();
    }
}
