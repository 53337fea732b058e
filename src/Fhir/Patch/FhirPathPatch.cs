using System.Text.Json.Nodes;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Patch;

/// <summary>FHIRPath Patch (R4 section 3.1.0.11.3, fhirpatch): the operations of a Parameters resource, all or none.</summary>
public static class FhirPathPatch
{
    const int OperationsMax = 200;

    /// <summary>Applies a patch to a resource.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="parameters">A Parameters resource with parameters named <c>operation</c>.</param>
    /// <param name="limits">How far it may go; of the operations at most 200 are done.</param>
    public static PatchOutcome Apply(Resource resource, Resource parameters, PatchLimits? limits = null)
    {
        limits ??= PatchLimits.Default;
        var at = "Parameters";
        try
        {
            if (parameters.ResourceType != "Parameters")
            {
                throw new PatchRefusal("structure", $"A FHIRPath Patch is a Parameters resource; this is {parameters.ResourceType}.", isMalformed: true);
            }
            var index = 0;
            foreach (var parameter in parameters["parameter"].Items)
            {
                at = $"Parameters.parameter[{index}]";
                if (++index > Math.Min(OperationsMax, limits.OperationsMax))
                {
                    throw new PatchRefusal("too-costly", $"The patch has more than {OperationsMax} operations.");
                }
                resource = Apply(resource, new PatchOperation(parameter), limits);
            }
            return new PatchOutcome.Ok(resource.Utf8);
        }
        catch (PatchRefusal refusal)
        {
            return new PatchOutcome.Refused(refusal.IssueAt(at));
        }
        catch (FhirPathException wrong)
        {
            return new PatchOutcome.Refused(new(IssueSeverity.Error, wrong.Fault == FhirPathFault.TooCostly ? "too-costly" : "value", at, $"The path cannot be evaluated: {wrong.Message}"));
        }
    }

    static Resource Apply(Resource resource, PatchOperation operation, PatchLimits limits)
    {
        var target = new PatchTarget(resource, limits);
        switch (operation.Type)
        {
            case "add":
                var owner = target.Single(operation.Path);
                target.Add(owner, operation.Name, operation.Value(PatchTarget.MemberType(owner, operation.Name)));
                break;
            case "insert":
                var list = target.List(operation.Path);
                PatchEdits.Insert(list, operation.Index("index"), operation.Value(list.Type));
                break;
            case "delete":
                if (target.SingleOrNone(operation.Path) is { } deleted)
                {
                    PatchEdits.Delete(deleted);
                }
                break;
            case "replace":
                var replaced = target.Single(operation.Path);
                PatchEdits.Replace(replaced, operation.Value(replaced.Type));
                break;
            case "move":
                PatchEdits.Move(target.List(operation.Path), operation.Index("source"), operation.Index("destination"));
                break;
            case var other:
                throw new PatchRefusal("not-supported", $"'{other}' is no type of operation; those are add, insert, delete, replace and move.", isMalformed: true);
        }
        return target.Result();
    }
}

/// <summary>A value to be put into a resource, as the JSON of its two halves.</summary>
/// <param name="Value">The value; null for a primitive that has extensions alone.</param>
/// <param name="Shadow">The id and extensions of a primitive; null for none.</param>
/// <param name="Type">The name of its type as a choice's name has it, such as <c>Quantity</c>; null for a structure without a type of its own.</param>
sealed record PatchValue(JsonNode? Value, JsonNode? Shadow, string? Type);

/// <summary>One operation as its parts tell.</summary>
sealed class PatchOperation(Element parameter)
{
    public string Type => Text("type");

    public string Path => Text("path");

    public string Name => Text("name");

    public int Index(string name) => Part(name)["valueInteger"u8].Number is { } number && number == (int)number && number >= 0
        ? (int)number
        : throw new PatchRefusal("value", $"The part '{name}' has a valueInteger from 0.", isMalformed: true);

    public PatchValue Value(TypeDefinition? type) => Of(Part("value"), type);

    Element Part(string name)
    {
        if (!parameter["name"u8].Is("operation"u8))
        {
            throw new PatchRefusal("structure", "A parameter of a FHIRPath Patch is named 'operation'.", isMalformed: true);
        }
        foreach (var part in parameter["part"u8].Items)
        {
            if (part["name"u8].Text == name)
            {
                return part;
            }
        }
        throw new PatchRefusal("required", $"The operation lacks its part '{name}'.", isMalformed: true);
    }

    string Text(string name)
    {
        foreach (var member in Part(name).Children)
        {
            if (member.NameUtf8.StartsWith("value"u8) && member.Text is { } text)
            {
                return text;
            }
        }
        throw new PatchRefusal("value", $"The part '{name}' has a value.", isMalformed: true);
    }

    static PatchValue Of(Element part, TypeDefinition? type)
    {
        if (part["resource"u8] is { Kind: ElementKind.Complex } resource)
        {
            return new(Node(resource), null, null);
        }
        if (part["part"u8] is { IsMissing: false } parts)
        {
            return new(Structure(parts, type), null, null);
        }
        Element value = default, shadow = default;
        var name = "";
        foreach (var member in part.Children)
        {
            if (member.NameUtf8.StartsWith("value"u8))
            {
                (value, name) = (member, member.Name["value".Length..]);
            }
            else if (member.NameUtf8.StartsWith("_value"u8))
            {
                (shadow, name) = (member, member.Name["_value".Length..]);
            }
        }
        return value.IsMissing && shadow.IsMissing
            ? throw new PatchRefusal("required", "The part 'value' has a value or parts.", isMalformed: true)
            : new(Node(value), Node(shadow), name);
    }

    /// <summary>A structure that has no type of its own, from parts that are named as its members.</summary>
    static JsonObject Structure(Element parts, TypeDefinition? type)
    {
        var structure = new JsonObject();
        foreach (var part in parts.Items)
        {
            var name = part["name"u8].Text ?? throw new PatchRefusal("required", "A part of a value has a name.");
            var member = type is null ? null : TypeModel.MemberOf(type, name);
            if (member is null)
            {
                throw new PatchRefusal("structure", $"{type?.Name ?? "This"} has no '{name}'.");
            }
            PatchEdits.AddTo(structure, member, name, Of(part, TypeModel.Type(member.Types[0])));
        }
        return structure;
    }

    static JsonNode? Node(Element element)
    {
        if (element.IsMissing)
        {
            return null;
        }
        var (start, length) = element.Kind == ElementKind.Text ? (element.Offset - 1, element.Raw.Length + 2) : (element.Offset, element.Raw.Length);
        return JsonNode.Parse(element.Tree.Utf8.Span.Slice(start, length));
    }
}
