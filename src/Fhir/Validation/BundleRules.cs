using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>The rules of Bundles (R4 section 2.36): links, full URLs, what entries of each type hold, what a document's references lead to.</summary>
sealed class BundleRules(ValidationRun run, Element bundle)
{
    static readonly string[] SingleLinks = ["self", "first", "last", "next", "prev", "previous"];

    readonly HashSet<(string Url, string? Version)> _urls = [];
    readonly string _type = bundle["type"u8].Text ?? "";

    /// <summary>Checks the Bundle.</summary>
    public void Check()
    {
        CheckLinks();
        var count = 0;
        foreach (var entry in bundle["entry"u8].Items)
        {
            if (entry.Kind == ElementKind.Complex)
            {
                CheckEntry(entry);
                count++;
            }
        }
        if (_type is "document" or "message" && count == 0)
        {
            run.Add(bundle, "required", $"A {_type} needs entries.");
        }
        if (_type == "document" && bundle == run.Root)
        {
            new DocumentRules(run, bundle).Check();
        }
    }

    void CheckLinks()
    {
        var met = new HashSet<string>(StringComparer.Ordinal);
        foreach (var link in bundle["link"u8].Items)
        {
            if (link["relation"u8].Text is { } relation && SingleLinks.Contains(relation) && !met.Add(relation))
            {
                run.Add(link, "invalid", $"A Bundle has one link '{relation}' at most.");
            }
        }
    }

    void CheckEntry(Element entry)
    {
        var resource = entry["resource"u8];
        CheckFullUrl(entry, resource);
        if (_type == "searchset")
        {
            CheckMatch(entry, resource);
        }
    }

    void CheckFullUrl(Element entry, Element resource)
    {
        var fullUrl = entry["fullUrl"u8];
        if (_type != "history" && fullUrl.Text is { } named && !_urls.Add((named, resource["meta"u8]["versionId"u8].Text)))
        {
            run.Add(fullUrl, "invariant", $"Rule bdl-7: another entry has the fullUrl '{named}' and the same version.");
        }
        if (fullUrl.Text is not { Length: > 0 } url || resource.Kind != ElementKind.Complex)
        {
            if (resource.Kind == ElementKind.Complex && fullUrl.IsMissing && _type is "document" or "message")
            {
                run.Add(entry, "required", $"An entry of a {_type} needs its fullUrl, so that it can be referred to.");
            }
            return;
        }
        if (!url.Contains(':', StringComparison.Ordinal))
        {
            run.Add(fullUrl, "invalid", $"'{url}' is no absolute URL, as a fullUrl must be.");
            return;
        }
        if (BundleScope.Base(url) is { } address && resource["resourceType"u8].Text is { } type)
        {
            CheckIdentity(fullUrl, url[address.Length..], type, resource["id"u8].Text);
        }
    }

    void CheckIdentity(Element fullUrl, string name, string type, string? id)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || run.Definitions.Type(name[..slash]) is not { Kind: TypeKind.Resource })
        {
            return;
        }
        if (id is null)
        {
            if (_type is not ("transaction" or "batch"))
            {
                run.Add(fullUrl, "invalid", $"The fullUrl names {name}, but the resource has no id.");
            }
        }
        else if (name != $"{type}/{id}" && _type is not ("transaction" or "batch"))
        {
            run.Add(fullUrl, "invalid", $"The fullUrl names {name}, but the resource is {type}/{id}.");
        }
    }

    void CheckMatch(Element entry, Element resource)
    {
        if (resource["resourceType"u8].Text is not { } type)
        {
            return;
        }
        var mode = entry["search"u8]["mode"u8].Text;
        if (mode == "outcome")
        {
            if (type != "OperationOutcome")
            {
                run.Add(resource, "invalid", $"An entry of mode 'outcome' is an OperationOutcome; this is a {type}.");
            }
            return;
        }
        if (resource["id"u8].IsMissing && type != "OperationOutcome")
        {
            run.Add(resource, "required", "What a search finds has an id.");
        }
        if (mode == "match" && SearchedTypes() is { Count: > 0 } types && !types.Contains(type))
        {
            run.Add(resource, "invalid", $"The search was for {string.Join(", ", types)}; this match is a {type}.");
        }
    }

    List<string>? _searched;

    /// <summary>The types that the link to itself says were searched; none where it does not tell.</summary>
    List<string> SearchedTypes()
    {
        if (_searched is not null)
        {
            return _searched;
        }
        _searched = [];
        foreach (var link in bundle["link"u8].Items)
        {
            if (link["relation"u8].Is("self"u8) && link["url"u8].Text is { } url)
            {
                Take(url, _searched);
            }
        }
        return _searched;
    }

    void Take(string url, List<string> types)
    {
        var mark = url.IndexOf('?', StringComparison.Ordinal);
        var path = mark < 0 ? url : url[..mark];
        var last = path[(path.LastIndexOf('/') + 1)..];
        if (run.Definitions.Type(last) is { Kind: TypeKind.Resource, IsAbstract: false })
        {
            types.Add(last);
            return;
        }
        foreach (var pair in mark < 0 ? [] : url[(mark + 1)..].Split('&'))
        {
            if (pair.StartsWith("_type=", StringComparison.Ordinal))
            {
                types.AddRange(Uri.UnescapeDataString(pair["_type=".Length..]).Split(','));
            }
        }
    }
}
