using System.Collections.Concurrent;
using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.Views;
using Salus.Learning.Recipes;
using Salus.Platform.Records;

namespace Salus.Platform.Models;

/// <summary>
/// Where records become rows to learn from: runs the views of a recipe over opened records. The learning library knows rows, and nothing of FHIR;
/// the views know FHIR, and nothing of learning.
/// </summary>
sealed class RecordViews
{
    static readonly ConcurrentDictionary<string, Dictionary<string, View>> Compiled = new(StringComparer.Ordinal);

    readonly Dictionary<string, View> views;
    readonly Dictionary<string, List<object?[]>> rows;
    readonly HashSet<object?[]> fresh = [];
    readonly DateTimeOffset? since;
    readonly ViewScope scope = ViewScope.Default;

    /// <summary>The views of a recipe. Rows of records that were written since <paramref name="since"/>, and not changed, are marked as new.</summary>
    public RecordViews(Recipe recipe, DateTimeOffset? since = null)
    {
        this.since = since;
        views = Compiled.GetOrAdd(recipe.Name, _ => recipe.Records!.Views.ToDictionary(pair => pair.Key, pair => View.Read(pair.Value) switch
        {
            ViewOutcome.Ok ok => ok.View,
            ViewOutcome.Refused refused => throw new InvalidDataException($"The view {pair.Key} of the recipe {recipe.Name} cannot run: {refused.Issues[0]}"),
            var other => throw new InvalidOperationException($"Reading a view came to {other.GetType().Name}."),
        }));
        rows = views.ToDictionary(pair => pair.Key, _ => new List<object?[]>());
    }

    /// <summary>The views of a recipe over records of one patient that came from elsewhere, whose references may have an address before them.</summary>
    public RecordViews(Recipe recipe, string patient) : this(recipe)
    {
        var person = FhirJson.Read(JsonSerializer.SerializeToUtf8Bytes(new { resourceType = "Patient", id = patient })) is FhirReadOutcome.Ok ok ? ok.Resource : null;
        scope = new ViewScope { Resolve = reference => reference.EndsWith($"/Patient/{patient}", StringComparison.Ordinal) ? person : null };
    }

    /// <summary>The types of records that the views read.</summary>
    public IReadOnlyList<string> Types => [.. views.Values.Select(view => view.Resource).Distinct()];

    /// <summary>The rows so far, by view.</summary>
    public IReadOnlyList<RecordRows> Rows => [.. views.Select(pair => new RecordRows(pair.Key, [.. pair.Value.Columns.Select(column => column.Name)], rows[pair.Key]) { New = fresh })];

    /// <summary>Takes a record in: all that the views make of it, or nothing where one of them cannot read it.</summary>
    public bool TryAdd(StoredRecord record)
    {
        if (FhirJson.Read(record.Bytes) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return false;
        }
        try
        {
            foreach (var (name, made) in views.Select(pair => (pair.Key, pair.Value.Rows(resource, scope).ToList())).ToList())
            {
                rows[name].AddRange(made);
                // What was changed since may have been seen as it was.
                if (record is { Version: 1 } && record.Written > since)
                {
                    fresh.UnionWith(made);
                }
            }
            return true;
        }
        catch (ViewException)
        {
            return false;
        }
    }
}
