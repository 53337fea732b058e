using System.Text.Json;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Views;

/// <summary>Reads the constants of a view: one value each, of a type that its name tells.</summary>
sealed class ViewConstants(Action<string, string, string> add)
{
    const string Prefix = "value";

    static readonly HashSet<string> Texts = ["String", "Code", "Id", "Uri", "Url", "Canonical", "Oid", "Uuid", "Markdown", "Base64Binary"];
    static readonly HashSet<string> Whole = ["Integer", "PositiveInt", "UnsignedInt", "Integer64"];

    static readonly Dictionary<string, TemporalKind> Temporals = new()
    {
        ["Date"] = TemporalKind.Date, ["DateTime"] = TemporalKind.DateTime, ["Instant"] = TemporalKind.DateTime, ["Time"] = TemporalKind.Time,
    };

    public Dictionary<string, FhirPathCollection> Read(IEnumerable<(JsonElement Json, string Place)> constants)
    {
        var read = new Dictionary<string, FhirPathCollection>(StringComparer.Ordinal);
        foreach (var (json, place) in constants)
        {
            if (json.ValueKind != JsonValueKind.Object)
            {
                add("structure", place, "it is no object; write it in braces");
            }
            else if (NameOf(json, place) is { } name && ValueOf(json, place) is { } value && !read.TryAdd(name, new FhirPathCollection(value)))
            {
                add("duplicate", $"{place}.name", $"there is a constant '{name}' already; give each its own name");
            }
        }
        return read;
    }

    string? NameOf(JsonElement json, string place)
    {
        var name = json.TryGetProperty("name", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
        if (!ViewReader.ColumnName().IsMatch(name))
        {
            add("value", $"{place}.name", $"'{name}' is no constant's name; begin with a letter, then letters, digits and underscores");
            return null;
        }
        if (Compiler.IsReserved(name) || name == "rowIndex")
        {
            add("value", $"{place}.name", $"%{name} has a meaning of its own; give the constant another name");
            return null;
        }
        return name;
    }

    FhirPathItem? ValueOf(JsonElement json, string place)
    {
        JsonProperty[] others = [.. json.EnumerateObject().Where(member => member.Name is not ("name" or "id" or "extension") && !member.Name.StartsWith('_'))];
        if (others is not [var value] || !value.Name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            add("required", place, others.Length == 0 ? "it has no value; give one, such as valueString" : $"it has {string.Join(", ", others.Select(member => member.Name))}; give it one value, such as valueString");
            return null;
        }
        var type = value.Name[Prefix.Length..];
        if (!IsType(type))
        {
            add("structure", $"{place}.{value.Name}", $"a constant is of a primitive type; '{value.Name}' names none");
            return null;
        }
        if (Of(type, value.Value) is { } item)
        {
            return item;
        }
        add("value", $"{place}.{value.Name}", $"{value.Value.GetRawText()} cannot be read as {type}");
        return null;
    }

    static bool IsType(string type) => type is "Boolean" or "Decimal" || Texts.Contains(type) || Whole.Contains(type) || Temporals.ContainsKey(type);

    static FhirPathItem? Of(string type, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => type == "Boolean" ? FhirPathItem.Of(value.GetBoolean()) : null,
        JsonValueKind.Number when type == "Decimal" => value.TryGetDecimal(out var number) ? FhirPathItem.Of(number) : null,
        JsonValueKind.Number when Whole.Contains(type) => value.TryGetInt32(out var whole) ? FhirPathItem.Of(whole) : null,
        JsonValueKind.String when Texts.Contains(type) => FhirPathItem.Of(value.GetString()!),
        JsonValueKind.String when Temporals.TryGetValue(type, out var kind) => Temporal.TryParse(value.GetString(), kind, out var moment) ? new TemporalItem(moment) : null,
        JsonValueKind.String when type == "Integer64" => int.TryParse(value.GetString(), out var small) ? FhirPathItem.Of(small) : null,
        _ => null,
    };
}

/// <summary>Looks for variables of an expression that nothing defines.</summary>
static class ViewVariables
{
    static readonly HashSet<string> Always = ["rowIndex"];

    /// <summary>The first name that is neither a constant, nor FHIRPath's own, nor defined in the expression itself; null where there is none.</summary>
    public static string? Undefined(Syntax syntax, IEnumerable<string> constants)
    {
        var known = new HashSet<string>(constants, StringComparer.Ordinal);
        var used = new List<string>();
        Gather(syntax, known, used);
        return used.Find(name => !known.Contains(name) && !Always.Contains(name) && !Compiler.IsReserved(name));
    }

    static void Gather(Syntax syntax, HashSet<string> defined, List<string> used)
    {
        switch (syntax)
        {
            case VariableSyntax variable:
                used.Add(variable.Name);
                break;
            case CallSyntax call:
                if (call is { Name: "defineVariable", Arguments: [LiteralSyntax { Value.Text: { } name }, ..] })
                {
                    defined.Add(name);
                }
                foreach (var argument in call.Arguments)
                {
                    Gather(argument, defined, used);
                }
                break;
            case PathSyntax path:
                Gather(path.Left, defined, used);
                Gather(path.Right, defined, used);
                break;
            case IndexSyntax index:
                Gather(index.Left, defined, used);
                Gather(index.Index, defined, used);
                break;
            case SignSyntax sign:
                Gather(sign.Operand, defined, used);
                break;
            case TypeSyntax type:
                Gather(type.Left, defined, used);
                break;
            case OperatorSyntax operation:
                Gather(operation.Left, defined, used);
                Gather(operation.Right, defined, used);
                break;
        }
    }
}
