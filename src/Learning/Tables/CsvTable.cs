using System.Text;

namespace Salus.Learning.Tables;

/// <summary>How a CSV file is read. Kinds not named are inferred; the limits bound memory.</summary>
public sealed record CsvOptions
{
    /// <summary>The character between fields.</summary>
    public char Delimiter { get; init; } = ',';

    /// <summary>Kinds that override inference, by column name.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Kinds { get; init; } = new Dictionary<string, ColumnKind>();

    /// <summary>Field texts that mean missing, compared without regard to case; an empty field always does.</summary>
    public IReadOnlyList<string> MissingMarks { get; init; } = ["NA", "N/A", "NaN", "null", "?"];

    /// <summary>The most data rows accepted.</summary>
    public int RowsMax { get; init; } = 2_000_000;

    /// <summary>The most columns accepted.</summary>
    public int ColumnsMax { get; init; } = 4_096;

    /// <summary>The most characters accepted in one field.</summary>
    public int FieldLengthMax { get; init; } = 1_000_000;

    /// <summary>A column of words with more distinct values than this is inferred as text.</summary>
    public int LevelsMax { get; init; } = 256;
}

/// <summary>What came of reading a CSV file.</summary>
public abstract record CsvOutcome
{
    CsvOutcome() { }

    /// <summary>The whole file was read.</summary>
    public sealed record Loaded(Table Table) : CsvOutcome;

    /// <summary>Nothing was kept: <paramref name="Line"/> and <paramref name="Column"/> count from 1, 0 where none applies.</summary>
    public sealed record Refused(int Line, int Column, string? ColumnName, string Problem, string Mend) : CsvOutcome
    {
        /// <summary>The place, the problem and the mend in one sentence.</summary>
        public string Message
        {
            get
            {
                var place = Line == 0 ? "" : Column == 0 ? $"line {Line}: " : ColumnName is null
                    ? $"line {Line}, column {Column}: "
                    : $"line {Line}, column {Column} ('{ColumnName}'): ";
                return $"{place}{Problem}; {Mend}";
            }
        }
    }
}

/// <summary>Reads CSV (RFC 4180, UTF-8, header required) into a typed table.</summary>
public static class CsvTable
{
    /// <summary>Reads UTF-8 bytes strictly: bytes that are not UTF-8 are refused at their place.</summary>
    public static CsvOutcome Read(Stream stream, CsvOptions? options = null)
    {
        var encoding = Encoding.GetEncoding("utf-8", EncoderFallback.ExceptionFallback, new DecoderReplacementFallback(CsvScanner.Undecodable.ToString()));
        using var reader = new StreamReader(stream, encoding, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        return Read(reader, options);
    }

    /// <summary>Reads characters.</summary>
    public static CsvOutcome Read(TextReader reader, CsvOptions? options = null)
    {
        options ??= new CsvOptions();
        string[] names = [];
        try
        {
            var scanner = new CsvScanner(reader, options);
            var fields = new List<string>();
            if (!scanner.Next(fields))
                throw new CsvFaultException(0, 0, "the file is empty", "give a header line and at least one row");
            names = Header(fields, scanner.RowLine);
            foreach (var kind in options.Kinds.Keys.Where(kind => !names.Contains(kind)))
                throw new CsvFaultException(1, 0, $"there is no column '{kind}' to give a kind to", $"name one of: {string.Join(", ", names)}");
            var drafts = names.Select(name => new ColumnDraft(name, options)).ToArray();
            while (scanner.Next(fields))
                AddRow(drafts, fields, scanner.RowLine, options);
            if (drafts[0].Count == 0)
                throw new CsvFaultException(1, 0, "the file has a header and no rows", "give at least one row");
            return new CsvOutcome.Loaded(new Table([.. drafts.Select((draft, index) => draft.Finish(index + 1))]));
        }
        catch (CsvFaultException fault)
        {
            var name = fault.Column >= 1 && fault.Column <= names.Length ? names[fault.Column - 1] : null;
            return new CsvOutcome.Refused(fault.Line, fault.Column, name, fault.Message, fault.Mend);
        }
    }

    static string[] Header(List<string> fields, int line)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < fields.Count; i++)
        {
            var name = fields[i].Trim();
            if (name.Length == 0)
                throw new CsvFaultException(line, i + 1, "the header has no name here", "name every column");
            if (!places.TryAdd(name, i + 1))
                throw new CsvFaultException(line, i + 1, $"the name '{name}' is already that of column {places[name]}", "give every column its own name");
        }
        return [.. places.OrderBy(pair => pair.Value).Select(pair => pair.Key)];
    }

    static void AddRow(ColumnDraft[] drafts, List<string> fields, int line, CsvOptions options)
    {
        if (fields.Count != drafts.Length)
        {
            throw new CsvFaultException(line, Math.Min(fields.Count, drafts.Length) + (fields.Count > drafts.Length ? 1 : 0),
                $"the row has {fields.Count} fields, the header {drafts.Length}", "give every row as many fields as the header, quoting those that hold the delimiter");
        }
        if (drafts[0].Count == options.RowsMax)
            throw new CsvFaultException(line, 0, $"the file has more than {options.RowsMax} rows", "split the file, or raise the limit of rows");
        for (var i = 0; i < drafts.Length; i++)
            drafts[i].Add(fields[i], line);
    }
}
