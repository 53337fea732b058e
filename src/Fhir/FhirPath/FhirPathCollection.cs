using System.Collections;

namespace Salus.Fhir.FhirPath;

/// <summary>An ordered collection of items, the only kind of value that FHIRPath has. None and one cost no list.</summary>
public readonly struct FhirPathCollection : IReadOnlyList<FhirPathItem>, IEquatable<FhirPathCollection>
{
    /// <summary>Null for none, the item itself for one, a list for more.</summary>
    readonly object? _content;

    FhirPathCollection(object? content) => _content = content;

    /// <summary>A collection of one.</summary>
    public FhirPathCollection(FhirPathItem item) => _content = item;

    /// <summary>The collection of none.</summary>
    public static FhirPathCollection Empty => default;

    /// <summary>How many items there are.</summary>
    public int Count => _content switch { null => 0, FhirPathItem => 1, _ => ((List<FhirPathItem>)_content).Count };

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _content is null;

    /// <inheritdoc/>
    public FhirPathItem this[int index] => _content switch
    {
        List<FhirPathItem> many => many[index],
        FhirPathItem single when index == 0 => single,
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    /// <summary>The only item; null when there are none or several.</summary>
    public FhirPathItem? OnlyItem => _content as FhirPathItem;

    /// <summary>A collection of those items.</summary>
    public static FhirPathCollection Of(IEnumerable<FhirPathItem> items)
    {
        var list = new List<FhirPathItem>(items);
        return FromList(list);
    }

    internal static FhirPathCollection FromList(List<FhirPathItem> list) =>
        new(list.Count switch { 0 => null, 1 => list[0], _ => list });

    /// <summary>Walks the items without allocation.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<FhirPathItem> IEnumerable<FhirPathItem>.GetEnumerator()
    {
        for (var index = 0; index < Count; index++)
        {
            yield return this[index];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<FhirPathItem>)this).GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(FhirPathCollection other) => ReferenceEquals(_content, other._content);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FhirPathCollection other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _content?.GetHashCode() ?? 0;

    /// <summary>Whether both are the same collection, not whether FHIRPath calls them equal.</summary>
    public static bool operator ==(FhirPathCollection left, FhirPathCollection right) => left.Equals(right);

    /// <summary>Whether they are two collections.</summary>
    public static bool operator !=(FhirPathCollection left, FhirPathCollection right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", this.Select(item => item.ToString()));

    /// <summary>Walks a collection.</summary>
    public struct Enumerator
    {
        readonly FhirPathCollection _items;
        readonly int _count;
        int _at;

        internal Enumerator(FhirPathCollection items)
        {
            _items = items;
            _count = items.Count;
            _at = -1;
        }

        /// <summary>The item reached.</summary>
        public readonly FhirPathItem Current => _items[_at];

        /// <summary>Goes on to the next, if there is one.</summary>
        public bool MoveNext() => ++_at < _count;
    }

    /// <summary>Gathers items, up to the limit of an evaluation.</summary>
    internal struct Builder(Evaluation run)
    {
        FhirPathItem? _only;
        List<FhirPathItem>? _many;

        public readonly int Count => _many?.Count ?? (_only is null ? 0 : 1);

        public readonly FhirPathItem this[int index] => _many is null ? _only! : _many[index];

        public void Add(FhirPathItem item)
        {
            if (_many is not null)
            {
                _many.Add(item);
                run.CheckSize(_many.Count);
            }
            else if (_only is null)
            {
                _only = item;
            }
            else
            {
                _many = new List<FhirPathItem>(4) { _only, item };
            }
        }

        public void AddRange(FhirPathCollection items)
        {
            run.Spend(items.Count >> 2);
            if (Count == 0)
            {
                // A list that is shared is never added to: the one taken over here is copied when something follows.
                _many = items._content is List<FhirPathItem> list ? [.. list] : null;
                _only = items._content as FhirPathItem;
                return;
            }
            foreach (var item in items)
            {
                Add(item);
            }
        }

        public readonly FhirPathCollection Build() => new(_many ?? (object?)_only);
    }
}
