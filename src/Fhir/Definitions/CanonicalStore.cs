using System.Text.Json;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Definitions;

/// <summary>Definition resources by their canonical URL, each read when it is asked for.</summary>
sealed class CanonicalStore
{
    static readonly ReadLimits Generous = new(MembersMax: 4096);

    readonly Lazy<Dictionary<(string Url, string Type), Func<Resource?>>> _lazySources;

    CanonicalStore(Func<Dictionary<(string Url, string Type), Func<Resource?>>> sources) => _lazySources = new(sources);

    Dictionary<(string Url, string Type), Func<Resource?>> Sources => _lazySources.Value;

    /// <summary>The URLs there are.</summary>
    public IEnumerable<string> Urls => Sources.Keys.Select(key => key.Url);

    /// <summary>A store over one text of many resources and an index of [url, resource type, type, start, length].</summary>
    public static CanonicalStore Packed(JsonElement index, Lazy<byte[]> text) => new(() => Index(index, text));

    static Dictionary<(string Url, string Type), Func<Resource?>> Index(JsonElement index, Lazy<byte[]> text)
    {
        var sources = new Dictionary<(string Url, string Type), Func<Resource?>>(index.GetArrayLength());
        foreach (var entry in index.EnumerateArray())
        {
            var (start, length) = (entry[3].GetInt32(), entry[4].GetInt32());
            sources[(entry[0].GetString()!, entry[1].GetString()!)] = () => Read(text.Value.AsMemory(start, length));
        }
        return sources;
    }

    /// <summary>This store with more resources, which go before those of the same URL.</summary>
    public CanonicalStore With(IEnumerable<Resource> resources)
    {
        var sources = new Dictionary<(string Url, string Type), Func<Resource?>>(Sources);
        foreach (var resource in resources)
        {
            if (resource["url"].Text is { } url)
            {
                sources[(url, resource.ResourceType)] = () => resource;
            }
        }
        return new CanonicalStore(() => sources);
    }

    /// <summary>Whether there is one, without reading it.</summary>
    public bool Has(string url, string resourceType) => Sources.ContainsKey((url, resourceType));

    /// <summary>The resource of that URL and type, or null.</summary>
    public Resource? Find(string url, string resourceType) => Sources.TryGetValue((url, resourceType), out var source) ? source() : null;

    static Resource? Read(ReadOnlyMemory<byte> utf8) => FhirJson.Read(utf8, Generous) is FhirReadOutcome.Ok ok ? ok.Resource : null;
}
