using System.CommandLine;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Cli.Learn;

/// <summary>Models read from files, and tables read for them.</summary>
static class ModelFile
{
    /// <summary>Reads a model.</summary>
    /// <exception cref="CliException">There is no file, or it is no model, and why.</exception>
    public static async Task<TrainedModel> ReadAsync(string file, CancellationToken cancellation)
    {
        if (!File.Exists(file))
        {
            throw new CliException($"There is no file {file}.");
        }
        return TrainedModel.TryRead(await File.ReadAllBytesAsync(file, cancellation), out var model, out var refusal)
            ? model
            : throw new CliException($"{file} is no model: {refusal}.");
    }

    /// <summary>Reads the table that a model is to judge.</summary>
    /// <exception cref="CliException">It lacks what the model reads.</exception>
    public static async Task<LoadedTable> ReadTableAsync(TableInput input, ParseResult arguments, TrainedModel model, CancellationToken cancellation)
    {
        // A kind for a column that is not there would be refused with the wrong reason.
        var plain = await input.ReadAsync(arguments, cancellation);
        var kinds = model.Columns.Where(column => plain.Table.Find(column.Key) is { } given && given.Kind != column.Value).ToDictionary();
        var loaded = kinds.Count == 0 ? plain : await input.ReadAsync(arguments, cancellation, kinds);
        return model.Objection(loaded.Table) is { } objection ? throw new CliException($"{loaded.File}: {objection}.") : loaded;
    }

    /// <summary>A field of CSV, quoted where it must be. What a spreadsheet would take for a formula is made plain text.</summary>
    public static string Field(string text)
    {
        var safe = text.Length > 0 && text[0] is '=' or '@' ? $"'{text}" : text;
        return safe.AsSpan().ContainsAny(",\"\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
