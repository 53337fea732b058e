using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>What references inside one text lead to: entries of the Bundle that it is, contained resources, parameters.</summary>
sealed class BundleScope
{
    readonly Dictionary<string, Element> _byUrl = new(StringComparer.Ordinal);
    readonly Dictionary<string, Element> _byName = new(StringComparer.Ordinal);
    readonly List<(int Start, int End, string Url)> _entries = [];

    public BundleScope(Element root)
    {
        IsBundle = root["resourceType"u8].Is("Bundle"u8);
        foreach (var entry in root["entry"u8].Items)
        {
            var resource = entry["resource"u8];
            if (resource.Kind != ElementKind.Complex)
            {
                continue;
            }
            if (entry["fullUrl"u8].Text is { } url)
            {
                _byUrl.TryAdd(url, resource);
                _entries.Add((resource.Index, resource.Tree[resource.Index].Next, url));
            }
            Name(resource);
        }
        foreach (var parameter in root["parameter"u8].Items)
        {
            Name(parameter["resource"u8]);
        }
    }

    /// <summary>Whether the text is a Bundle.</summary>
    public bool IsBundle { get; }

    void Name(Element resource)
    {
        if (resource["resourceType"u8].Text is { } type && resource["id"u8].Text is { } id)
        {
            _byName.TryAdd($"{type}/{id}", resource);
        }
    }

    /// <summary>The resource that a reference leads to, or a missing element when it is not in this text.</summary>
    /// <param name="reference">The text of the reference.</param>
    /// <param name="from">Where it stands.</param>
    /// <param name="owner">The resource it stands in, which contains others.</param>
    public Element Resolve(string reference, Element from, Element owner)
    {
        if (reference.StartsWith('#'))
        {
            return reference.Length == 1 ? owner : Contained(owner, reference[1..]);
        }
        if (reference.IndexOf('#', StringComparison.Ordinal) is var hash and > 0)
        {
            reference = reference[..hash];
        }
        if (_byUrl.TryGetValue(reference, out var named))
        {
            return named;
        }
        var history = reference.IndexOf("/_history/", StringComparison.Ordinal);
        var plain = history < 0 ? reference : reference[..history];
        if (_byUrl.TryGetValue(plain, out named))
        {
            return named;
        }
        if (plain.Contains(':', StringComparison.Ordinal))
        {
            return default;
        }
        var url = UrlAround(from);
        if (url is not null && Base(url) is { } address)
        {
            return _byUrl.GetValueOrDefault(address + plain);
        }
        return url is null || !IsBundle ? _byName.GetValueOrDefault(plain) : default;
    }

    /// <summary>The fullUrl of the entry that a place is in.</summary>
    public string? UrlAround(Element place)
    {
        var (low, high) = (0, _entries.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var (start, end, url) = _entries[middle];
            if (place.Index < start)
            {
                high = middle - 1;
            }
            else if (place.Index >= end)
            {
                low = middle + 1;
            }
            else
            {
                return url;
            }
        }
        return null;
    }

    static Element Contained(Element owner, string id)
    {
        foreach (var contained in owner["contained"u8].Items)
        {
            if (contained["id"u8].Text == id)
            {
                return contained;
            }
        }
        return default;
    }

    /// <summary>The server's address in a RESTful URL, with its last slash; null when it is none.</summary>
    public static string? Base(string url)
    {
        if (!url.StartsWith("http://", StringComparison.Ordinal) && !url.StartsWith("https://", StringComparison.Ordinal))
        {
            return null;
        }
        var slash = url.LastIndexOf('/');
        var before = slash > 0 ? url.LastIndexOf('/', slash - 1) : -1;
        return before > 7 ? url[..(before + 1)] : null;
    }
}
