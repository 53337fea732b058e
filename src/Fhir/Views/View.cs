using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Views;

/// <summary>What a view may demand before it is refused.</summary>
/// <param name="DepthMax">How deep selects nest.</param>
/// <param name="ColumnsMax">How many columns a row has.</param>
/// <param name="RowsMax">How many rows one resource gives.</param>
/// <param name="ExpressionsMax">How many expressions it holds.</param>
public sealed record ViewLimits(int DepthMax = 16, int ColumnsMax = 256, int RowsMax = 10_000, int ExpressionsMax = 2_000)
{
    /// <summary>The limits used when none are given.</summary>
    public static ViewLimits Default { get; } = new();
}

/// <summary>A column of a view.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The FHIR type that it was given, such as <c>string</c> or <c>dateTime</c>; null where it was given none.</param>
/// <param name="IsCollection">Whether its values are lists.</param>
/// <param name="Description">What it holds, where that was written.</param>
public sealed record ViewColumn(string Name, string? Type, bool IsCollection, string? Description);

/// <summary>What reading a ViewDefinition led to.</summary>
public abstract record ViewOutcome
{
    ViewOutcome() { }

    /// <summary>The view, ready to run.</summary>
    public sealed record Ok(View View) : ViewOutcome;

    /// <summary>It is no view that can run, and here is why and where.</summary>
    public sealed record Refused(IReadOnlyList<FhirIssue> Issues) : ViewOutcome;
}

/// <summary>What a view met in a resource that its definition does not allow.</summary>
/// <param name="place">The element of the definition, such as <c>ViewDefinition.select[0].column[1].path</c>.</param>
/// <param name="message">What is wrong, and what would be right.</param>
public sealed class ViewException(string place, string message) : Exception($"{place}: {message}")
{
    /// <summary>The element of the definition.</summary>
    public string Place { get; } = place;
}

/// <summary>What a view may look at beside its resource.</summary>
public sealed record ViewScope
{
    /// <summary>Nothing resolves, and time is the system's.</summary>
    public static ViewScope Default { get; } = new();

    /// <summary>Finds the resource that a literal reference points to; null for what cannot be found.</summary>
    public Func<string, Resource?>? Resolve { get; init; }

    /// <summary>What <c>now()</c> and its like tell.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>
/// A compiled ViewDefinition (SQL on FHIR v2): rows of plain values from resources of one type. Immutable; may be run by many at once.
/// </summary>
public sealed class View
{
    readonly ViewFilter[] _filters;
    readonly ViewSelect[] _selects;
    readonly IReadOnlyDictionary<string, FhirPathCollection> _constants;
    readonly ViewLimits _limits;

    internal View(
        string name, string resource, IReadOnlyList<ViewColumn> columns, ViewFilter[] filters, ViewSelect[] selects,
        IReadOnlyDictionary<string, FhirPathCollection> constants, ViewLimits limits)
    {
        (Name, Resource, Columns) = (name, resource, columns);
        (_filters, _selects, _constants, _limits) = (filters, selects, constants, limits);
    }

    /// <summary>The view's name; empty where it has none.</summary>
    public string Name { get; }

    /// <summary>The type of the resources that it reads.</summary>
    public string Resource { get; }

    /// <summary>The columns in the order of the values of a row.</summary>
    public IReadOnlyList<ViewColumn> Columns { get; }

    /// <summary>Reads and compiles a ViewDefinition.</summary>
    public static ViewOutcome Read(JsonElement definition, ViewLimits? limits = null) => new ViewReader(limits ?? ViewLimits.Default).Read(definition);

    /// <summary>
    /// The rows that a resource gives: none for one of another type, or that the view's conditions leave out. A value is null, a bool, an int, a
    /// decimal, a string (dates and times as they were written), or a list of such in a column that holds collections.
    /// </summary>
    /// <exception cref="ViewException">The resource holds what the definition does not allow, or gives too many rows.</exception>
    public IReadOnlyList<object?[]> Rows(Resource resource, ViewScope? scope = null)
    {
        if (resource.ResourceType != Resource)
        {
            return [];
        }
        var run = new ViewRun(FhirPathItem.Of(resource), Columns.Count, _constants, _limits, scope ?? ViewScope.Default);
        if (!Array.TrueForAll(_filters, filter => filter.Admits(run)))
        {
            return [];
        }
        run.Emit(_selects);
        return run.Rows;
    }

    /// <summary>The rows of resources one after another, each made when it is asked for.</summary>
    /// <exception cref="ViewException">As of <see cref="Rows(Resource, ViewScope?)"/>, while rows are taken.</exception>
    public IEnumerable<object?[]> Rows(IEnumerable<Resource> resources, ViewScope? scope = null) => resources.SelectMany(resource => Rows(resource, scope));
}
