using System.Text.Json.Nodes;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Patch;

/// <summary>JSON Patch (RFC 6902): all operations or none.</summary>
public sealed class JsonPatch
{
    readonly PatchLimits _limits;
    JsonNode? _root;
    int _copied;

    JsonPatch(JsonNode? root, PatchLimits limits) => (_root, _limits) = (root, limits);

    /// <summary>Applies a patch to a document.</summary>
    /// <param name="document">Any JSON.</param>
    /// <param name="patch">An array of operations.</param>
    /// <param name="limits">How far it may go.</param>
    public static PatchOutcome Apply(ReadOnlyMemory<byte> document, ReadOnlyMemory<byte> patch, PatchLimits? limits = null)
    {
        limits ??= PatchLimits.Default;
        var at = "";
        try
        {
            var target = new JsonPatch(PatchTree.Parse(document, limits, "document"), limits);
            if (PatchTree.Parse(patch, limits, "patch") is not JsonArray operations)
            {
                throw new PatchRefusal("structure", "A JSON Patch is an array of operations.", isMalformed: true);
            }
            if (operations.Count > limits.OperationsMax)
            {
                throw new PatchRefusal("too-costly", $"The patch has {operations.Count} operations; at most {limits.OperationsMax} are done.");
            }
            for (var index = 0; index < operations.Count; index++)
            {
                at = $"operation[{index}]";
                target.Apply(operations[index] as JsonObject ?? throw new PatchRefusal("structure", "An operation is an object.", isMalformed: true));
            }
            return new PatchOutcome.Ok(PatchTree.Write(target._root));
        }
        catch (PatchRefusal refusal)
        {
            return new PatchOutcome.Refused(refusal.IssueAt(at));
        }
    }

    void Apply(JsonObject operation)
    {
        var path = Pointer(operation, "path");
        switch (Text(operation, "op"))
        {
            case "add":
                Add(path, Copy(Value(operation), path));
                break;
            case "remove":
                Remove(path);
                break;
            case "replace":
                Replace(path, Copy(Value(operation), path));
                break;
            case "move":
                Move(Pointer(operation, "from"), path);
                break;
            case "copy":
                Add(path, Copy(Pointer(operation, "from").Find(_root), path));
                break;
            case "test":
                if (!PatchTree.AreEqual(path.Find(_root), Value(operation)))
                {
                    throw new PatchRefusal("conflict", $"The test fails: at '{path}' stands another value.");
                }
                break;
            case var other:
                throw new PatchRefusal("not-supported", $"'{other}' is no operation; those are add, remove, replace, move, copy and test.", isMalformed: true);
        }
    }

    void Move(JsonPointer from, JsonPointer path)
    {
        if (path.IsWithin(from))
        {
            throw new PatchRefusal("value", $"'{from}' cannot be moved into itself.");
        }
        var value = from.Find(_root);
        Check(value, path);
        if (from.IsRoot)
        {
            return;
        }
        Remove(from);
        Add(path, value);
    }

    void Add(JsonPointer path, JsonNode? value)
    {
        if (path.IsRoot)
        {
            _root = value;
            return;
        }
        if (path.Parent(_root) is JsonArray items)
        {
            items.Insert(path.Last == "-" ? items.Count : path.Index(path.Last, items.Count), value);
            return;
        }
        path.Parent(_root).AsObject()[path.Last] = value;
    }

    void Replace(JsonPointer path, JsonNode? value)
    {
        if (path.IsRoot)
        {
            _root = value;
            return;
        }
        path.Find(_root);
        if (path.Parent(_root) is JsonArray items)
        {
            items[path.Index(path.Last, items.Count - 1)] = value;
            return;
        }
        path.Parent(_root).AsObject()[path.Last] = value;
    }

    void Remove(JsonPointer path)
    {
        if (path.IsRoot)
        {
            throw new PatchRefusal("value", "The whole document cannot be removed.");
        }
        path.Find(_root);
        if (path.Parent(_root) is JsonArray items)
        {
            items.RemoveAt(path.Index(path.Last, items.Count - 1));
            return;
        }
        path.Parent(_root).AsObject().Remove(path.Last);
    }

    JsonNode? Copy(JsonNode? value, JsonPointer path)
    {
        Check(value, path);
        return value?.DeepClone();
    }

    /// <summary>Copies of copies double: they are counted before they are made.</summary>
    void Check(JsonNode? value, JsonPointer path)
    {
        var (count, depth) = PatchTree.Measure(value);
        if (path.Depth + depth > _limits.DepthMax)
        {
            throw new PatchRefusal("too-costly", $"The result would nest deeper than {_limits.DepthMax} levels.");
        }
        if ((_copied += count) > _limits.NodesMax)
        {
            throw new PatchRefusal("too-costly", $"The patch makes more than {_limits.NodesMax} values.");
        }
    }

    static JsonNode? Value(JsonObject operation) =>
        operation.TryGetPropertyValue("value", out var value) ? value : throw new PatchRefusal("required", "The operation lacks its 'value'.", isMalformed: true);

    static JsonPointer Pointer(JsonObject operation, string name) => JsonPointer.Parse(Text(operation, name));

    static string Text(JsonObject operation, string name) => operation.TryGetPropertyValue(name, out var value)
        ? value is JsonValue text && text.TryGetValue<string>(out var known) ? known : throw new PatchRefusal("value", $"'{name}' is a string.", isMalformed: true)
        : throw new PatchRefusal("required", $"The operation lacks its '{name}'.", isMalformed: true);
}
