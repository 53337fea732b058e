namespace Salus.Fhir.Definitions;

/// <summary>A read-only map from names in UTF-8, looked up without making a string.</summary>
sealed class Utf8Map<T>
    where T : class
{
    readonly byte[][] _keys;
    readonly T?[] _values;
    readonly int _mask;

    public Utf8Map(IReadOnlyCollection<KeyValuePair<byte[], T>> pairs)
    {
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, pairs.Count * 2));
        _keys = new byte[size][];
        _values = new T?[size];
        _mask = size - 1;
        foreach (var (key, value) in pairs)
        {
            var slot = Hash(key) & _mask;
            while (_values[slot] is not null && !_keys[slot].AsSpan().SequenceEqual(key))
            {
                slot = (slot + 1) & _mask;
            }
            _keys[slot] = key;
            _values[slot] = value;
        }
    }

    public T? Find(ReadOnlySpan<byte> key)
    {
        var slot = Hash(key) & _mask;
        while (_values[slot] is { } value)
        {
            if (_keys[slot].AsSpan().SequenceEqual(key))
            {
                return value;
            }
            slot = (slot + 1) & _mask;
        }
        return null;
    }

    static int Hash(ReadOnlySpan<byte> key)
    {
        var hash = (uint)key.Length;
        foreach (var part in key)
        {
            hash = (hash * 31) + part;
        }
        return (int)((hash ^ (hash >> 15)) & int.MaxValue);
    }
}
