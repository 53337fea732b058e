using System.Globalization;
using System.Text.RegularExpressions;
using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

/// <summary>What is typed in for one column of a recipe's model.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Label">The same without its unit.</param>
/// <param name="Unit">The unit; null where there is none.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Limits">Of a number, the least and the greatest.</param>
/// <param name="Choices">The values to choose from with their words; none where it is typed.</param>
public sealed partial record RecipeField(string Column, string Label, string? Unit, ColumnKind Kind, RecipeLimits? Limits, IReadOnlyDictionary<string, string> Choices)
{
    /// <summary>The most characters of a text.</summary>
    public const int TextMax = 50_000;

    const int YearsMax = 130;
    const int CountMax = 1_000;
    const int DaysMax = 3_650;

    static readonly IReadOnlyDictionary<string, string> Truths = new Dictionary<string, string> { ["1"] = "Yes", ["0"] = "No" };

    /// <summary>The fields of the models that a node trains by a recipe, in the order of their columns.</summary>
    public static IReadOnlyList<RecipeField> Of(Recipe recipe) => recipe.Records is { } records
        ? [.. records.Features.Select(feature => Of(feature.Name, feature.Kind, feature.Limits ?? Natural(feature.Take), feature.Take == RecordTake.Any ? Truths : feature.Choices))]
        : [.. recipe.Table!.Columns.SelectMany(columns => columns.Names.Select(name => (Name: name, Columns: columns)))
            .Where(column => column.Name != recipe.Table.Target && column.Name != recipe.Table.Group && !recipe.Table.Drop.Contains(column.Name))
            .Select(column => Of(column.Name, column.Columns.Kind, column.Columns.Limits, column.Columns.Choices))];

    /// <summary>Makes a row of what was typed, by column; empty is not known. Null where something cannot be taken: then <paramref name="faults"/> says by column what would be right.</summary>
    public static Table? Read(IReadOnlyList<RecipeField> fields, IReadOnlyDictionary<string, string?> typed, out IReadOnlyDictionary<string, string> faults)
    {
        var wrong = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in typed.Keys.Where(name => fields.All(field => field.Column != name)))
            wrong[name] = $"there is no column '{name}'; give some of: {string.Join(", ", fields.Select(field => field.Column))}";
        var columns = new List<Column>();
        foreach (var field in fields)
        {
            var text = typed.GetValueOrDefault(field.Column)?.Trim() is { Length: > 0 } given ? given : null;
            if (field.Fault(text) is { } fault)
                wrong[field.Column] = fault;
            columns.Add(field.Kind switch
            {
                ColumnKind.Number => new NumberColumn(field.Column, [Number(text) ?? double.NaN]),
                ColumnKind.Text => new TextColumn(field.Column, [text]),
                _ => CategoryColumn.Of(field.Column, [text]),
            });
        }
        if (wrong.Count == 0 && columns.TrueForAll(column => column.IsMissing(0)))
            wrong[fields[0].Column] = fields is [{ Kind: ColumnKind.Text }] ? "write some words" : "give at least one value or some words";
        faults = wrong;
        return wrong.Count == 0 ? new Table([.. columns]) : null;
    }

    string? Fault(string? text) => this switch
    {
        _ when text is null => null,
        { Choices.Count: > 0 } => Choices.ContainsKey(text) ? null : $"{Label}: give one of {string.Join(", ", Choices.Select(choice => $"{choice.Key} ({choice.Value})"))}, or nothing",
        { Kind: ColumnKind.Number, Limits: { } limits } => Number(text) is { } number && number >= limits.Least && number <= limits.Most
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{Label}: give a number from {limits.Least} to {limits.Most}{(Unit is null ? "" : $" {Unit}")}, or nothing"),
        _ => text.Length <= TextMax ? null : $"{Label}: give at most {TextMax} characters",
    };

    static double? Number(string? text) => double.TryParse(text?.Replace(',', '.'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;

    static RecipeField Of(string name, ColumnKind kind, RecipeLimits? limits, IReadOnlyDictionary<string, string> choices)
    {
        var parts = Named().Match(name);
        return new RecipeField(name, Capital(parts.Groups["label"].Value), parts.Groups["unit"] is { Success: true, Value: var unit } ? unit : null, kind, limits, choices);
    }

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    static RecipeLimits? Natural(RecordTake take) => take switch
    {
        RecordTake.Age => new RecipeLimits(0, YearsMax),
        RecordTake.Count => new RecipeLimits(0, CountMax),
        RecordTake.Length => new RecipeLimits(0, DaysMax),
        _ => null,
    };

    [GeneratedRegex(@"\A(?<label>.+?)(?: \((?<unit>[^()]+)\))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Named();
}
