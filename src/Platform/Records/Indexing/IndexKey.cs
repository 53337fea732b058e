using System.Collections.Concurrent;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Indexing;

/// <summary>A key of the search index.</summary>
/// <param name="number">From 1; rows name it.</param>
/// <param name="owner">The key.</param>
sealed class IndexKey(int number, OwnerKey owner)
{
    readonly ConcurrentDictionary<(string Type, string Parameter), int> names = new();

    /// <summary>Its number.</summary>
    public int Number => number;

    /// <summary>Hashes under it, for one thread at a time.</summary>
    /// <param name="recurs">Whether the same values are asked for again and again, as many records of one patient do: they are hashed once.</param>
    public IndexHash Open(bool recurs = false) => new(owner.OpenBlindHash(), names, recurs);
}

/// <summary>The keyed hashes that the index holds.</summary>
sealed class IndexHash(BlindHash hash, ConcurrentDictionary<(string Type, string Parameter), int> names, bool recurs) : IDisposable
{
    const int KnownMax = 20_000;

    readonly Dictionary<string, Dictionary<string, Guid>>? known = recurs ? [] : null;
    int count;

    /// <summary>A value of a parameter.</summary>
    public Guid UuidOf(string name, ReadOnlySpan<char> value)
    {
        if (known is null)
        {
            return hash.UuidOf(name, value);
        }
        if (!known.TryGetValue(name, out var values))
        {
            known[name] = values = [];
        }
        var byText = values.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!byText.TryGetValue(value, out var uuid))
        {
            uuid = hash.UuidOf(name, value);
            if (count++ < KnownMax)
            {
                byText[value] = uuid;
            }
        }
        return uuid;
    }

    /// <summary>A short one, where a chance meeting does no harm.</summary>
    public int ShortOf(string name, string value) => BitConverter.ToInt32(hash.Of(name, value), 0);

    /// <summary>The short one that stands for a parameter of a type.</summary>
    public int NameOf(string type, string parameter)
    {
        if (!names.TryGetValue((type, parameter), out var name))
        {
            names[(type, parameter)] = name = ShortOf($"{type}.{parameter}", "");
        }
        return name;
    }

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();
}
