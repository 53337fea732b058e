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
    public IndexHash Open() => new(owner.OpenBlindHash(), names);
}

/// <summary>The keyed hashes that the index holds.</summary>
sealed class IndexHash(BlindHash hash, ConcurrentDictionary<(string Type, string Parameter), int> names) : IDisposable
{
    /// <summary>A value of a parameter.</summary>
    public Guid UuidOf(string name, ReadOnlySpan<char> value) => hash.UuidOf(name, value);

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
