using System.Buffers;
using System.Text;
using Salus.Learning.Tables;

namespace Salus.Platform.Cohorts;

/// <summary>Writes a table as CSV (RFC 4180, UTF-8); a missing value is an empty field.</summary>
public static class CsvText
{
    static readonly SearchValues<char> Special = SearchValues.Create("\",\r\n\uFEFF");

    /// <summary>Writes header and rows.</summary>
    public static void Write(Table table, Stream stream)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 16, leaveOpen: true) { NewLine = "\r\n" };
        WriteLine(writer, [.. table.Columns.Select(column => column.Name)]);
        for (var row = 0; row < table.RowCount; row++)
        {
            WriteLine(writer, [.. table.Columns.Select(column => column.Show(row))]);
        }
    }

    static void WriteLine(StreamWriter writer, string?[] fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            if (i > 0)
            {
                writer.Write(',');
            }
            // An empty line would be no row.
            if (fields[i] is { Length: > 0 } field ? field.AsSpan().ContainsAny(Special) : fields.Length == 1)
            {
                writer.Write($"\"{fields[i]?.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
            }
            else
            {
                writer.Write(fields[i]);
            }
        }
        writer.WriteLine();
    }
}
