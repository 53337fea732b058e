using Salus.Fhir.Elements;

namespace Salus.Fhir.Bundles;

/// <summary>One entry of a Bundle.</summary>
/// <param name="Position">Its place in Bundle.entry, from 0.</param>
/// <param name="FullUrl">The absolute identity others refer to it by, when given.</param>
/// <param name="Method">The HTTP verb in a transaction or batch; null in a collection.</param>
/// <param name="Url">What the verb is done to, relative to the base; null in a collection.</param>
/// <param name="IfNoneExist">The query of a conditional create.</param>
/// <param name="IfMatch">The ETag an update expects.</param>
/// <param name="Resource">The content, when there is one.</param>
public sealed record BundleEntry(
    int Position,
    string? FullUrl,
    string? Method,
    string? Url,
    string? IfNoneExist,
    string? IfMatch,
    Resource? Resource)
{
    /// <summary>References of the form <c>Practitioner?identifier=…</c>, which only a search can resolve.</summary>
    public IEnumerable<string> ConditionalReferences => Resource is null
        ? []
        : ResourceRewriter.References(Resource).Where(BundleReferences.IsConditional).Distinct();
}

/// <summary>What reading a Bundle led to.</summary>
public abstract record BundleOutcome
{
    BundleOutcome() { }

    /// <summary>The Bundle's type and its entries in their order.</summary>
    public sealed record Ok(string Type, IReadOnlyList<BundleEntry> Entries) : BundleOutcome;

    /// <summary>The Bundle cannot be worked on, and here is where and why.</summary>
    public sealed record Refused(IReadOnlyList<FhirIssue> Issues) : BundleOutcome;
}

/// <summary>Reads transaction, batch and collection Bundles (R4 section 3.1.0.11).</summary>
public static class BundleReader
{
    static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"];

    /// <summary>The entries of a Bundle, or every reason why it is refused.</summary>
    /// <param name="bundle">A resource that was read.</param>
    /// <param name="entriesMax">How many entries are taken.</param>
    public static BundleOutcome Read(Resource bundle, int entriesMax = 50_000)
    {
        var issues = new List<FhirIssue>();
        if (bundle.ResourceType != "Bundle")
        {
            Add(issues, bundle, bundle.Root, "invalid", $"A Bundle is expected here; this is a {bundle.ResourceType}.");
            return new BundleOutcome.Refused(issues);
        }
        var type = bundle.Root["type"u8].Text;
        if (type is not ("transaction" or "batch" or "collection"))
        {
            Add(issues, bundle, bundle.Root["type"u8], "not-supported", $"A Bundle of type '{type}' is not taken; transaction, batch and collection are.");
            return new BundleOutcome.Refused(issues);
        }
        var entries = new List<BundleEntry>();
        var fullUrls = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in bundle.Root["entry"u8].Items)
        {
            if (entries.Count == entriesMax)
            {
                Add(issues, bundle, entry, "too-costly", $"A Bundle may hold at most {entriesMax} entries.");
                break;
            }
            entries.Add(ReadEntry(bundle, entry, entries.Count, type, fullUrls, issues));
        }
        return issues.Count > 0 ? new BundleOutcome.Refused(issues) : new BundleOutcome.Ok(type, entries);
    }

    static BundleEntry ReadEntry(Resource bundle, Element entry, int position, string type, HashSet<string> fullUrls, List<FhirIssue> issues)
    {
        var content = entry["resource"u8];
        var resource = Resource.From(content);
        if (!content.IsMissing && resource is null)
        {
            Add(issues, bundle, content, "structure", "The entry's resource must be an object with a resourceType.");
        }
        var request = entry["request"u8];
        var read = new BundleEntry(
            position,
            entry["fullUrl"u8].Text,
            request["method"u8].Text,
            request["url"u8].Text,
            request["ifNoneExist"u8].Text,
            request["ifMatch"u8].Text,
            resource);
        if (read.FullUrl is not null && type == "transaction" && !fullUrls.Add(read.FullUrl))
        {
            Add(issues, bundle, entry["fullUrl"u8], "duplicate", $"Two entries of the transaction have the fullUrl '{read.FullUrl}'.");
        }
        if (type == "collection")
        {
            if (read.Resource is null)
            {
                Add(issues, bundle, entry, "required", "An entry of a collection needs a resource.");
            }
        }
        else
        {
            CheckRequest(bundle, entry, read, issues);
        }
        return read;
    }

    static void CheckRequest(Resource bundle, Element entry, BundleEntry read, List<FhirIssue> issues)
    {
        if (read.Method is null || read.Url is null)
        {
            Add(issues, bundle, entry, "required", "An entry of a transaction or batch needs request.method and request.url.");
            return;
        }
        if (!Methods.Contains(read.Method))
        {
            Add(issues, bundle, entry, "value", $"request.method '{read.Method}' is none of {string.Join(", ", Methods)}.");
            return;
        }
        if (read.Resource is null && read.Method is ("POST" or "PUT" or "PATCH"))
        {
            Add(issues, bundle, entry, "required", $"An entry with the method {read.Method} needs a resource.");
        }
        if (read.Resource is not null && read.Method is ("POST" or "PUT") && !IsFor(read.Url, read.Resource.ResourceType))
        {
            Add(issues, bundle, entry, "invalid", $"request.url '{read.Url}' does not fit a resource of type {read.Resource.ResourceType}.");
        }
    }

    static bool IsFor(string url, string type) =>
        url.StartsWith(type, StringComparison.Ordinal) && (url.Length == type.Length || url[type.Length] is '/' or '?');

    static void Add(List<FhirIssue> issues, Resource bundle, Element at, string code, string message)
    {
        if (at.IsMissing)
        {
            at = bundle.Root;
        }
        var (line, column) = at.Place;
        issues.Add(new(IssueSeverity.Error, code, at.ExpressionFrom(bundle.Root), message, line, column));
    }
}

/// <summary>How references between a Bundle's entries become references to what was stored (R4 section 3.1.0.11.2).</summary>
public static class BundleReferences
{
    /// <summary>Whether a reference is a search, such as <c>Practitioner?identifier=…</c>.</summary>
    public static bool IsConditional(string reference)
    {
        var mark = reference.IndexOf('?');
        return mark > 0 && char.IsAsciiLetterUpper(reference[0]) && reference.AsSpan(0, mark).IndexOfAnyExcept(Letters) < 0;
    }

    /// <summary>A mapper for <see cref="ResourceRewriter"/> from fullUrls (and resolved searches) to what they became.</summary>
    /// <param name="stored">From fullUrl or conditional reference to <c>Type/id</c>.</param>
    public static Func<string, string?> Mapper(IReadOnlyDictionary<string, string> stored) => reference =>
    {
        if (stored.TryGetValue(reference, out var target))
        {
            return target;
        }
        var fragment = reference.IndexOf('#');
        return fragment > 0 && stored.TryGetValue(reference[..fragment], out target)
            ? string.Concat(target, reference.AsSpan(fragment))
            : null;
    };

    static readonly System.Buffers.SearchValues<char> Letters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}
