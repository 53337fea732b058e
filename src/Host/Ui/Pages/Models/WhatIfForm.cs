using Salus.Host.Ui.Components;
using Salus.Learning.Recipes;

namespace Salus.Host.Ui.Pages.Models;

/// <summary>Values as they are typed in to try a model, by the column of its recipe: of nobody's record.</summary>
sealed record WhatIfForm(IReadOnlyDictionary<string, string?> Typed)
{
    /// <summary>The id of a column's input.</summary>
    public static string Id(int place) => $"value-{place}";

    /// <summary>Reads what was typed.</summary>
    public static WhatIfForm Of(IFormCollection form, IReadOnlyList<RecipeField> fields) =>
        new(fields.Index().ToDictionary(pair => pair.Item.Column, pair => (string?)form[Id(pair.Index)].ToString().Trim(), StringComparer.Ordinal));

    /// <summary>What was typed for a column.</summary>
    public string? this[string column] => Typed.GetValueOrDefault(column);

    /// <summary>Holds the values to the recipe; what cannot be taken goes to <paramref name="errors"/>.</summary>
    public void Check(IReadOnlyList<RecipeField> fields, FieldErrors errors)
    {
        RecipeField.Read(fields, Typed, out var faults);
        foreach (var (place, field) in fields.Index())
        {
            if (faults.TryGetValue(field.Column, out var fault))
            {
                errors.Add(Id(place), $"{char.ToUpperInvariant(fault[0])}{fault[1..]}.");
            }
        }
    }
}
