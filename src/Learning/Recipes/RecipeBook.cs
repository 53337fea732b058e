using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

/// <summary>The recipes that come with Salus, read from the data in this folder, and the rules that a recipe must keep.</summary>
public static class RecipeBook
{
    const string Prefix = "Salus.Recipes.";
    const string ViewsFile = "views";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        ReadCommentHandling = JsonCommentHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    static readonly Lazy<IReadOnlyDictionary<string, JsonElement>> Shared = new(() =>
        JsonElement.Parse(Content(ViewsFile)).EnumerateObject().ToDictionary(view => view.Name, view => view.Value.Clone(), StringComparer.Ordinal));

    static readonly Lazy<IReadOnlyList<Recipe>> Read = new(() =>
        [.. ((string[])["condition", "diabetes", "heart-disease", "breast-cancer", "kidney-disease", "readmission", "note-category"]).Select(Load)]);

    /// <summary>Every recipe, in the order they are told.</summary>
    public static IReadOnlyList<Recipe> All => Read.Value;

    /// <summary>The recipe of a name, or null.</summary>
    public static Recipe? Find(string name) => All.FirstOrDefault(recipe => recipe.Name == name);

    /// <summary>Reads a recipe; one that breaks a rule is refused with the place and the mend.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(true)] out Recipe? recipe, [NotNullWhen(false)] out string? refusal)
    {
        recipe = null;
        try
        {
            var read = JsonSerializer.Deserialize<Recipe>(json, Json);
            refusal = read is null ? "it is null; write a recipe" : Complete(ref read);
            recipe = refusal is null ? read : null;
        }
        catch (JsonException fault)
        {
            refusal = $"{fault.Path ?? "$"}: {fault.Message}";
        }
        return refusal is null;
    }

    static Recipe Load(string name) =>
        TryRead(Content(name), out var recipe, out var refusal) && recipe.Name == name
            ? recipe
            : throw new InvalidDataException($"The recipe {name} cannot be read: {refusal ?? "it has another name"}.");

    static byte[] Content(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{Prefix}{name}.json") ?? throw new InvalidDataException($"There is no recipe data '{name}'.");
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    static string? Complete(ref Recipe recipe)
    {
        if (recipe.Records is { } records)
        {
            if (records.Uses.FirstOrDefault(name => !Shared.Value.ContainsKey(name)) is { } unknown)
                return $"$.records.uses: there is no view '{unknown}'; name one of: {string.Join(", ", Shared.Value.Keys)}";
            var views = records.Views.ToDictionary(StringComparer.Ordinal);
            foreach (var name in records.Uses.Where(name => !views.TryAdd(name, Shared.Value[name])))
                return $"$.records.views: '{name}' is also named in uses; give it another name";
            recipe = recipe with { Records = records with { Views = views } };
        }
        return Objection(recipe);
    }

    static string? Objection(Recipe recipe)
    {
        if (((string[])[recipe.Name, recipe.Title, recipe.Sentence, recipe.IntendedUse, recipe.NotFor, recipe.Outcome.Text, recipe.Model.Why]).Any(string.IsNullOrWhiteSpace))
            return "$: a name, title, sentence, intendedUse, notFor, outcome.text or model.why is empty; say it";
        if (!Learners.Names.Contains(recipe.Model.Kind))
            return $"$.model.kind: '{recipe.Model.Kind}' is no model; give one of: {string.Join(", ", Learners.Names)}";
        if (recipe.Model.Trees is < 10 or > 1_000)
            return $"$.model.trees: {recipe.Model.Trees} is outside 10 to 1000";
        if (recipe.Model.Calibration is not (null or "platt" or "isotonic"))
            return $"$.model.calibration: '{recipe.Model.Calibration}' is none; give platt or isotonic";
        var isMany = recipe.Table is { Positive: null } || recipe.Records is { Per: RecordRow.Note };
        if (isMany != (recipe.Model.Costs is null) || (isMany && recipe.Model.Calibration is not null))
            return "$.model.costs: two classes ask for costs, many classes have neither costs nor calibration";
        if (recipe.Model.Costs is { } costs && !(costs is { FalseAlarm: > 0, Missed: > 0 } && double.IsFinite(costs.FalseAlarm + costs.Missed)))
            return "$.model.costs: give two finite numbers above 0";
        if (isMany ? recipe.Outcome.ClassSystem is null : recipe.Outcome.Codes.Count == 0)
            return "$.outcome: give codes, or of many classes their classSystem";
        if (recipe.Table is null && recipe.Records is null && !recipe.Encounters)
            return "$: it reads neither a table nor records; give it one of them";
        if (recipe.Hook == AdviceHook.EncounterDischarge && recipe.Records is not { Per: RecordRow.Visit })
            return "$.hook: encounter-discharge is for stays; leave it out, or give patient-view";
        return (recipe.Table is { } table ? Objection(table, recipe.Model.Kind) : null) ?? (recipe.Records is { } records ? Objection(records) ?? NoteObjection(records, recipe.Model.Kind) : null);
    }

    static string? Objection(RecipeTable table, string kind)
    {
        var names = table.Columns.SelectMany(columns => columns.Names).ToList();
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
            return $"$.table.columns: '{twice}' stands twice; name each column once";
        foreach (var name in (string[])[table.Target, .. table.Drop, .. table.Subgroups, .. table.LeaveOut.Keys, .. new[] { table.Group, table.Text }.OfType<string>()])
        {
            if (!names.Contains(name))
                return $"$.table: '{name}' is used and is no column; name it in columns";
        }
        if (table.Columns.FirstOrDefault(columns => columns.Kind == ColumnKind.Number && columns.Missing.Any(mark => !double.TryParse(mark, out _))) is { } wrong)
            return $"$.table.columns: '{string.Join(", ", wrong.Names)}' hold numbers, and a mark for missing is none; write numbers";
        return Learners.ReadsTextAlone(kind) == table.Text is not null ? null : "$.table.text: a model of notes alone names their column, any other names none";
    }

    static string? Objection(RecipeRecords records)
    {
        if (records.Features.GroupBy(feature => feature.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
            return $"$.records.features: '{twice}' stands twice; name each feature once";
        if (records.Features.Count == 0)
            return "$.records.features: there is none; give at least one";
        if (!records.Views.ContainsKey(records.Outcome.From))
            return $"$.records.outcome.from: there is no view '{records.Outcome.From}'";
        if (records.Outcome is { LeadDays: < 0 } or { WithinDays: < 0 } || (records.Per == RecordRow.Visit) != (records.Outcome.WithinDays > 0))
            return "$.records.outcome: stays ask for withinDays above 0, patients for leadDays of 0 or more";
        foreach (var feature in records.Features)
        {
            if (feature.Take != RecordTake.Length && (feature.From is null || !records.Views.ContainsKey(feature.From)))
                return $"$.records.features: '{feature.Name}' is from no view that there is";
            if (feature.Take is RecordTake.Last or RecordTake.Mean or RecordTake.Static or RecordTake.Age or RecordTake.Words && feature.Value is null)
                return $"$.records.features: '{feature.Name}' names no column for its value";
            if (feature.Take == RecordTake.Length && records.Per != RecordRow.Visit)
                return $"$.records.features: '{feature.Name}' is a length, which stays have alone";
            if (feature.Take == RecordTake.Words && records.Per != RecordRow.Note)
                return $"$.records.features: '{feature.Name}' is the words of a note, which notes have alone";
            if (feature.Take is RecordTake.Last or RecordTake.Mean && (feature.Kind == ColumnKind.Number ? !IsRange(feature.Limits) : feature.Choices.Count == 0))
                return $"$.records.features: '{feature.Name}' asks for limits, the lesser first, or where it is a category for choices";
            if (feature.WithinDays < 0 || feature.Units.Values.Any(factor => !(factor > 0 && double.IsFinite(factor))))
                return $"$.records.features: '{feature.Name}' has days or a factor below 0";
        }
        return records.Subgroups.FirstOrDefault(name => records.Features.All(feature => feature.Name != name)) is { } unknown ? $"$.records.subgroups: there is no feature '{unknown}'" : null;
    }

    static bool IsRange(RecipeLimits? limits) => limits is not null && limits.Least < limits.Most && double.IsFinite(limits.Most - limits.Least);

    static string? NoteObjection(RecipeRecords records, string kind)
    {
        var isNote = records.Per == RecordRow.Note;
        if (isNote != Learners.ReadsTextAlone(kind) || isNote != records.Outcome.Value is not null)
            return "$.records.per: notes ask for a model of notes alone and for outcome.value, the column of the category; others have neither";
        if (!isNote)
            return null;
        return records is { Features: [{ Take: RecordTake.Words } only], Outcome: { LeadDays: 0, ClassRowsMin: >= 2 } } && only.From == records.Outcome.From
            ? null
            : "$.records: of notes only the words are learned from, of the view of the outcome, without leadDays and at least 2 of each category";
    }
}
