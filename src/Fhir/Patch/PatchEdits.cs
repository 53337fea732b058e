using System.Text.Json.Nodes;
using Salus.Fhir.Definitions;

namespace Salus.Fhir.Patch;

/// <summary>An element in the JSON.</summary>
/// <param name="Owner">The object that it is a member of; null for the resource itself.</param>
/// <param name="OwnerType">The type of that.</param>
/// <param name="Name">The member's name in JSON.</param>
/// <param name="Position">Its position in an array; null when it is single.</param>
/// <param name="Type">Its type.</param>
sealed record Place(JsonObject? Owner, TypeDefinition? OwnerType, string Name, int? Position, TypeDefinition Type);

/// <summary>A member that repeats.</summary>
/// <param name="Owner">The object that it is a member of.</param>
/// <param name="Name">The member's name.</param>
/// <param name="Type">The type of its items.</param>
sealed record Repetition(JsonObject Owner, string Name, TypeDefinition Type);

/// <summary>The changes that FHIRPath Patch makes, on both halves of a primitive at once.</summary>
static class PatchEdits
{
    /// <summary>Adds to a list, or sets what is single and not there yet.</summary>
    public static void AddTo(JsonObject owner, ElementDefinition member, string name, PatchValue value)
    {
        if (member.IsRepeating)
        {
            InsertAt(owner, name, Count(owner, name), value);
            return;
        }
        if (owner.Any(there => IsOf(member, there.Key)))
        {
            throw new PatchRefusal("conflict", $"'{name}' is there already; 'replace' changes it.");
        }
        Set(owner, JsonName(member, value), value);
    }

    public static void Insert(Repetition list, int position, PatchValue value)
    {
        var count = Count(list.Owner, list.Name);
        if (position > count)
        {
            throw new PatchRefusal("value", $"'{list.Name}' has {count} items: position {position} is beyond its end.");
        }
        InsertAt(list.Owner, list.Name, position, value);
    }

    public static void Move(Repetition list, int source, int destination)
    {
        var count = Count(list.Owner, list.Name);
        if (source >= count || destination >= count)
        {
            throw new PatchRefusal("value", $"'{list.Name}' has {count} items: there is no position {Math.Max(source, destination)}.");
        }
        foreach (var name in (string[])[list.Name, "_" + list.Name])
        {
            if (list.Owner[name] is JsonArray items)
            {
                Pad(items, count);
                var moved = items[source];
                items.RemoveAt(source);
                items.Insert(destination, moved);
            }
        }
    }

    public static void Delete(Place place)
    {
        var owner = place.Owner ?? throw Whole();
        foreach (var name in (string[])[place.Name, "_" + place.Name])
        {
            if (place.Position is not { } position || owner[name] is not JsonArray items)
            {
                owner.Remove(name);
                continue;
            }
            if (position < items.Count)
            {
                items.RemoveAt(position);
            }
            if (items.All(item => item is null))
            {
                owner.Remove(name);
            }
        }
    }

    public static void Replace(Place place, PatchValue value)
    {
        var owner = place.Owner ?? throw Whole();
        if (place.Position is { } position)
        {
            SetAt(owner, place.Name, position, value.Value);
            SetAt(owner, "_" + place.Name, position, value.Shadow);
            return;
        }
        var member = place.OwnerType!.Elements.First(element => IsOf(element, place.Name));
        var at = Math.Max(owner.IndexOf(place.Name), owner.IndexOf("_" + place.Name));
        owner.Remove(place.Name);
        owner.Remove("_" + place.Name);
        Set(owner, JsonName(member, value), value, Math.Min(at, owner.Count));
    }

    static PatchRefusal Whole() => new("value", "The resource itself is neither deleted nor replaced by a patch.");

    /// <summary>Whether a member of JSON is that element, its type or its other half.</summary>
    static bool IsOf(ElementDefinition member, string jsonName)
    {
        var name = jsonName.StartsWith('_') ? jsonName[1..] : jsonName;
        return member.IsChoice
            ? member.Types.Any(type => name == member.Name + char.ToUpperInvariant(type[0]) + type[1..])
            : name == member.Name;
    }

    static string JsonName(ElementDefinition member, PatchValue value)
    {
        if (!member.IsChoice)
        {
            return member.Name;
        }
        return value.Type is { } type && IsOf(member, member.Name + type)
            ? member.Name + type
            : throw new PatchRefusal("value", $"'{member.Name}' may be of the types {string.Join(", ", member.Types.Take(8))}; this is {value.Type ?? "a structure"}.");
    }

    static int Count(JsonObject owner, string name) =>
        Math.Max((owner[name] as JsonArray)?.Count ?? 0, (owner["_" + name] as JsonArray)?.Count ?? 0);

    static void Set(JsonObject owner, string name, PatchValue value, int? at = null)
    {
        if (value.Shadow is not null)
        {
            owner.Insert(at ?? owner.Count, "_" + name, value.Shadow);
        }
        if (value.Value is not null)
        {
            owner.Insert(at ?? owner.Count, name, value.Value);
        }
    }

    /// <summary>Both halves of a list of primitives keep the same length wherever both are there.</summary>
    static void InsertAt(JsonObject owner, string name, int position, PatchValue value)
    {
        var count = Count(owner, name);
        foreach (var (half, node) in ((string, JsonNode?)[])[(name, value.Value), ("_" + name, value.Shadow)])
        {
            if (owner[half] is not JsonArray items)
            {
                if (node is null)
                {
                    continue;
                }
                owner[half] = items = [];
            }
            Pad(items, count);
            items.Insert(position, node);
        }
    }

    public static void SetAt(JsonObject owner, string name, int position, JsonNode? value)
    {
        if (owner[name] is not JsonArray items)
        {
            if (value is null)
            {
                return;
            }
            owner[name] = items = [];
        }
        Pad(items, position + 1);
        items[position] = value;
        if (items.All(item => item is null))
        {
            owner.Remove(name);
        }
    }

    static void Pad(JsonArray items, int count)
    {
        while (items.Count < count)
        {
            items.Add(null);
        }
    }
}
