using System.Text.Json;
using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;
using Salus.Fhir.Validation;

namespace Salus.Fhir.Views;

/// <summary>Reads and compiles a ViewDefinition; what is wrong with it is gathered with its place.</summary>
sealed partial class ViewReader(ViewLimits limits)
{
    const string Start = "ViewDefinition";

    static readonly string[] Everywhere = ["id", "extension", "modifierExtension"];

    static readonly string[] OfRoot =
    [
        "resourceType", "meta", "implicitRules", "language", "text", "contained", "url", "identifier", "version", "versionAlgorithmString", "versionAlgorithmCoding", "name", "title", "status",
        "experimental", "date", "publisher", "contact", "description", "useContext", "jurisdiction", "purpose", "copyright", "copyrightLabel", "fhirVersion", "profile", "resource", "constant",
        "select", "where",
    ];

    static readonly string[] OfSelect = ["column", "select", "forEach", "forEachOrNull", "repeat", "unionAll"];
    static readonly string[] OfColumn = ["path", "name", "description", "collection", "type", "tag"];
    static readonly string[] OfFilter = ["path", "description"];

    readonly List<FhirIssue> _issues = [];
    readonly List<ViewColumn> _columns = [];
    readonly Dictionary<string, string> _placeOf = new(StringComparer.Ordinal);
    Dictionary<string, FhirPathCollection> _constants = [];
    int _expressions;

    public ViewOutcome Read(JsonElement definition)
    {
        if (!IsObject(definition, Start))
        {
            return new ViewOutcome.Refused(_issues);
        }
        Known(definition, OfRoot, Start);
        if (Text(definition, "resourceType", Start) is { } type && type != Start)
        {
            Add("value", $"{Start}.resourceType", $"'{type}' is no view; it is {Start}");
        }
        var resource = Required(definition, "resource", Start, "the type of the resources that it reads, such as Patient");
        if (resource is not null && FhirDefinitions.R4.Type(resource) is not { Kind: TypeKind.Resource, IsAbstract: false })
        {
            Add("value", $"{Start}.resource", $"there is no resource type '{resource}'{Near(resource, FhirDefinitions.R4.ResourceTypes)}");
        }
        _constants = new ViewConstants(Add).Read(Each(definition, "constant", Start));
        var filters = Each(definition, "where", Start).Select(filter => Filter(filter.Json, filter.Place)).OfType<ViewFilter>().ToArray();
        var given = Each(definition, "select", Start).ToList();
        if (given.Count == 0)
        {
            Add("required", $"{Start}.select", "there is none; name at least one column");
        }
        var selects = given.Select(select => Select(select.Json, select.Place, 1)).OfType<ViewSelect>().ToArray();
        return _issues.Count > 0
            ? new ViewOutcome.Refused(_issues)
            : new ViewOutcome.Ok(new View(Text(definition, "name", Start) ?? "", resource!, _columns, filters, selects, _constants, limits));
    }

    ViewFilter? Filter(JsonElement filter, string place)
    {
        if (!IsObject(filter, place))
        {
            return null;
        }
        Known(filter, OfFilter, place);
        return Required(filter, "path", place, "a condition in FHIRPath") is { } path && Path(path, $"{place}.path") is { } compiled ? new ViewFilter(compiled) : null;
    }

    ViewSelect? Select(JsonElement select, string place, int depth)
    {
        if (!IsObject(select, place))
        {
            return null;
        }
        if (depth > limits.DepthMax)
        {
            Add("too-costly", place, $"selects nest deeper than {limits.DepthMax}");
            return null;
        }
        Known(select, OfSelect, place);
        var (iteration, paths) = Iteration(select, place);
        if (!OfSelect[..2].Append("unionAll").Any(name => select.TryGetProperty(name, out _)))
        {
            Add("required", place, "it selects nothing; give it column, select or unionAll");
        }
        var cells = Each(select, "column", place).Select(column => Cell(column.Json, column.Place)).OfType<ViewCell>().ToArray();
        var selects = Each(select, "select", place).Select(nested => Select(nested.Json, nested.Place, depth + 1)).OfType<ViewSelect>().ToArray();
        return new ViewSelect(iteration, paths, cells, selects, Union(select, place, depth));
    }

    (ViewIteration Iteration, IReadOnlyList<ViewPath> Paths) Iteration(JsonElement select, string place)
    {
        string[] named = [.. ((string[])["forEach", "forEachOrNull", "repeat"]).Where(name => select.TryGetProperty(name, out _))];
        if (named.Length == 0)
        {
            return (ViewIteration.None, []);
        }
        if (named.Length > 1)
        {
            Add("invariant", place, $"it has {string.Join(" and ", named)}; give it one of them, and nest another select in it for the other");
        }
        if (named[0] == "repeat")
        {
            var paths = Each(select, "repeat", place).Select(one => one.Json.ValueKind == JsonValueKind.String ? Path(one.Json.GetString()!, one.Place) : NoText(one.Place)).OfType<ViewPath>().ToArray();
            if (paths.Length == 0)
            {
                Add("required", $"{place}.repeat", "there is no path in it; give at least one");
            }
            return (ViewIteration.Repeat, paths);
        }
        var path = Text(select, named[0], place) is { } text ? Path(text, $"{place}.{named[0]}") : null;
        return (named[0] == "forEach" ? ViewIteration.ForEach : ViewIteration.ForEachOrNull, path is null ? [] : [path]);
    }

    ViewPath? NoText(string place)
    {
        Add("structure", place, "it is no text; write a FHIRPath expression");
        return null;
    }

    /// <summary>All branches fill the columns that the first one names.</summary>
    ViewSelect[] Union(JsonElement select, string place, int depth)
    {
        var branches = new List<ViewSelect>();
        var first = _columns.Count;
        ViewColumn[]? wanted = null;
        foreach (var (json, at) in Each(select, "unionAll", place))
        {
            var known = _issues.Count;
            // A further branch names the columns of the first again.
            ViewColumn[] named = [.. _columns.Skip(first)];
            Forget(first);
            var branch = Select(json, at, depth + 1);
            ViewColumn[] own = [.. _columns.Skip(first)];
            if (branch is not null && wanted is null)
            {
                wanted = own;
                branches.Add(branch);
                continue;
            }
            if (branch is not null && _issues.Count == known && Difference(wanted!, own) is { } difference)
            {
                Add("invariant", at, $"{difference}; every branch of unionAll gives the same columns in the same order");
            }
            Forget(first);
            foreach (var column in named)
            {
                Enter(column, $"{place}.unionAll[0]");
            }
            if (branch is not null)
            {
                branches.Add(branch);
            }
        }
        return [.. branches];
    }

    static string? Difference(ViewColumn[] wanted, ViewColumn[] own)
    {
        static string Names(ViewColumn[] columns) => string.Join(", ", columns.Select(column => column.Name));
        if (!wanted.Select(column => column.Name).SequenceEqual(own.Select(column => column.Name), StringComparer.Ordinal))
        {
            return $"it gives the columns {Names(own)}, the first branch {Names(wanted)}";
        }
        for (var i = 0; i < own.Length; i++)
        {
            if ((wanted[i].Type is { } type && own[i].Type is { } other && type != other) || wanted[i].IsCollection != own[i].IsCollection)
            {
                return $"its column '{own[i].Name}' is {Described(own[i])}, that of the first branch {Described(wanted[i])}";
            }
        }
        return null;
    }

    static string Described(ViewColumn column) => $"{(column.IsCollection ? "a collection of " : "a ")}{column.Type ?? "value"}";

    ViewCell? Cell(JsonElement column, string place)
    {
        if (!IsObject(column, place))
        {
            return null;
        }
        Known(column, OfColumn, place);
        var name = Required(column, "name", place, "a name of letters, digits and underscores");
        var path = Required(column, "path", place, "a FHIRPath expression");
        var type = Text(column, "type", place) is { } written ? ViewValue.Bare(written) : null;
        if (name is not null && !ColumnName().IsMatch(name))
        {
            Add("value", $"{place}.name", $"'{name}' is no column's name; begin with a letter, then letters, digits and underscores");
        }
        if (type is not null && !ViewValue.IsPrimitive(type))
        {
            Add("value", $"{place}.type", $"'{type}' is no primitive type of FHIR; name one such as string, decimal or dateTime");
        }
        var compiled = path is null ? null : Path(path, $"{place}.path");
        if (name is null || compiled is null)
        {
            return null;
        }
        var entered = new ViewColumn(name, type, Flag(column, "collection", place), Text(column, "description", place));
        return Enter(entered, place) ? new ViewCell(compiled, entered, _columns.Count - 1) : null;
    }

    bool Enter(ViewColumn column, string place)
    {
        if (!_placeOf.TryAdd(column.Name, place))
        {
            Add("duplicate", $"{place}.name", $"'{column.Name}' is already the column of {_placeOf[column.Name]}; give each its own name");
            return false;
        }
        if (_columns.Count == limits.ColumnsMax)
        {
            Add("too-costly", place, $"there are more than {limits.ColumnsMax} columns");
            return false;
        }
        _columns.Add(column);
        return true;
    }

    void Forget(int first)
    {
        foreach (var column in _columns.Skip(first))
        {
            _placeOf.Remove(column.Name);
        }
        _columns.RemoveRange(first, _columns.Count - first);
    }

    ViewPath? Path(string text, string place)
    {
        if (++_expressions > limits.ExpressionsMax)
        {
            Add("too-costly", place, $"there are more than {limits.ExpressionsMax} expressions");
            return null;
        }
        try
        {
            var expression = FhirPathExpression.Compile(text);
            if (ViewVariables.Undefined(expression.Syntax, _constants.Keys) is { } unknown)
            {
                Add("not-found", place, $"there is no constant %{unknown}; {(_constants.Count == 0 ? "the view has none" : $"there are: {string.Join(", ", _constants.Keys.Select(name => $"%{name}"))}")}");
                return null;
            }
            return new ViewPath(expression, place);
        }
        catch (FhirPathException fault)
        {
            Add("invalid", place, $"'{text}' is no expression: {fault.Message}");
            return null;
        }
    }

    bool IsObject(JsonElement json, string place)
    {
        if (json.ValueKind == JsonValueKind.Object)
        {
            return true;
        }
        Add("structure", place, "it is no object; write it in braces");
        return false;
    }

    void Known(JsonElement json, string[] members, string place)
    {
        foreach (var member in json.EnumerateObject().Where(member => !members.Contains(member.Name) && !Everywhere.Contains(member.Name) && !member.Name.StartsWith('_')))
        {
            Add("structure", $"{place}.{member.Name}", $"there is no element '{member.Name}' here{Near(member.Name, members)}");
        }
    }

    IEnumerable<(JsonElement Json, string Place)> Each(JsonElement json, string name, string place)
    {
        if (!json.TryGetProperty(name, out var array))
        {
            return [];
        }
        if (array.ValueKind == JsonValueKind.Array)
        {
            return array.EnumerateArray().Select((item, index) => (item, $"{place}.{name}[{index}]"));
        }
        Add("structure", $"{place}.{name}", "it is no list; write it in brackets");
        return [];
    }

    string? Required(JsonElement json, string name, string place, string wanted)
    {
        if (!json.TryGetProperty(name, out _))
        {
            Add("required", $"{place}.{name}", $"it is missing; give {wanted}");
        }
        return Text(json, name, place);
    }

    string? Text(JsonElement json, string name, string place)
    {
        if (!json.TryGetProperty(name, out var value))
        {
            return null;
        }
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
        {
            return text;
        }
        Add("structure", $"{place}.{name}", "it is no text; write a string that is not empty");
        return null;
    }

    bool Flag(JsonElement json, string name, string place)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.ValueKind == JsonValueKind.True;
        }
        Add("structure", $"{place}.{name}", "it is neither true nor false; write one of them");
        return false;
    }

    static string Near(string name, IEnumerable<string> names) =>
        names.Select(known => (known, Distance: NearNames.Distance(name, known))).Where(pair => pair.Distance <= 2).OrderBy(pair => pair.Distance).Select(pair => $"; did you mean '{pair.known}'?").FirstOrDefault() ?? "";

    void Add(string code, string place, string message) => _issues.Add(new FhirIssue(IssueSeverity.Error, code, place, message));

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]*$")]
    internal static partial Regex ColumnName();
}
