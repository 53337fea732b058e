using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Cli.Learn;

/// <summary>The options that say which table is read, and how its columns are taken.</summary>
sealed class TableInput
{
    static readonly Dictionary<string, ColumnKind> Kinds = Enum.GetValues<ColumnKind>().ToDictionary(kind => kind.ToString(), StringComparer.OrdinalIgnoreCase);

    readonly Option<string?> data = new("--data", "--csv") { Description = "The table (CSV, UTF-8, with a header).", HelpName = "FILE" };
    readonly Option<string[]> missing = new("--missing") { Description = "A number that stands for a missing value in a column; may be given often.", HelpName = "COLUMN=VALUE", DefaultValueFactory = _ => [] };
    readonly Option<string[]> kind = new("--kind") { Description = "Read a column as number, category, text or date; may be given often.", HelpName = "COLUMN=KIND", DefaultValueFactory = _ => [] };

    public void AddTo(Command command)
    {
        command.Add(data);
        command.Add(missing);
        command.Add(kind);
    }

    /// <summary>The table's file.</summary>
    public string? File(ParseResult arguments) => arguments.GetValue(data);

    /// <summary>Reads the table, with the hash of its file.</summary>
    /// <exception cref="CliException">It is none, at this line and column.</exception>
    public async Task<LoadedTable> ReadAsync(ParseResult arguments, CancellationToken cancellation, IReadOnlyDictionary<string, ColumnKind>? kinds = null)
    {
        var file = arguments.GetValue(data) ?? throw new CliException("Name the table with --data.", ExitCodes.Usage);
        var stated = new Dictionary<string, ColumnKind>(kinds ?? new Dictionary<string, ColumnKind>());
        foreach (var (column, value) in Pairs(arguments.GetValue(kind)!, "--kind", "age=number"))
        {
            stated[column] = Kinds.TryGetValue(value, out var known) ? known : throw new CliException($"'{value}' is no kind of column; give number, category, text or date.", ExitCodes.Usage);
        }
        var loaded = await ReadAsync(file, new CsvOptions { Kinds = stated }, cancellation);
        var table = loaded.Table;
        foreach (var (column, value) in Pairs(arguments.GetValue(missing)!, "--missing", "glucose=0"))
        {
            table = WithMissing(table, column, value);
        }
        return loaded with { Table = table };
    }

    /// <summary>Reads a file, with the hash of its bytes.</summary>
    public static async Task<LoadedTable> ReadAsync(string file, CsvOptions options, CancellationToken cancellation)
    {
        if (!System.IO.File.Exists(file))
        {
            throw new CliException($"There is no file {file}.");
        }
        await using var stream = System.IO.File.OpenRead(file);
        var hash = await SHA256.HashDataAsync(stream, cancellation);
        stream.Position = 0;
        return CsvTable.Read(stream, options) switch
        {
            CsvOutcome.Loaded loaded => new LoadedTable(file, loaded.Table, hash),
            CsvOutcome.Refused refused => throw new CliException($"{file}: {refused.Message}."),
            var other => throw new InvalidOperationException($"Reading came to {other.GetType().Name}."),
        };
    }

    static Table WithMissing(Table table, string name, string value)
    {
        switch (table.Find(name))
        {
            case null:
                throw new CliException($"There is no column '{name}'; there are: {string.Join(", ", table.Columns.Select(column => column.Name))}.");
            case NumberColumn numbers:
                return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var code)
                    ? table.With(numbers.WithMissing(code))
                    : throw new CliException($"--missing {name}={value}: '{name}' holds numbers; give one.", ExitCodes.Usage);
            case DateColumn:
                throw new CliException($"--missing {name}={value}: '{name}' holds dates; leave the field empty instead.", ExitCodes.Usage);
            case var words:
                string?[] marked = [.. Enumerable.Range(0, words.Count).Select(row => words.Show(row) == value ? null : words.Show(row))];
                return table.With(words.Kind == ColumnKind.Text ? new TextColumn(name, marked) : CategoryColumn.Of(name, marked));
        }
    }

    /// <summary>Pairs with an equals sign between.</summary>
    /// <exception cref="CliException">One has none.</exception>
    public static IEnumerable<(string Column, string Value)> Pairs(string[] given, string option, string example) =>
        given.Select(pair => pair.LastIndexOf('=') is > 0 and var at
            ? (pair[..at], pair[(at + 1)..])
            : throw new CliException($"{option} {pair}: give a column, =, and a value, such as {example}.", ExitCodes.Usage));

    /// <summary>Names with commas between them.</summary>
    public static string[] Names(string? list) => list?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
}

/// <summary>A table read from a file, with the SHA-256 of the file.</summary>
sealed record LoadedTable(string File, Table Table, byte[] Hash);
