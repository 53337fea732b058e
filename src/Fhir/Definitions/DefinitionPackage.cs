using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Definitions;

/// <summary>What opening a package led to.</summary>
public abstract record PackageOutcome
{
    PackageOutcome() { }

    /// <summary>The package can be used.</summary>
    public sealed record Ok(DefinitionPackage Package) : PackageOutcome;

    /// <summary>It cannot, and here is why, with the file in it.</summary>
    public sealed record Refused(string File, string Reason) : PackageOutcome;
}

/// <summary>What a package may demand of its reader before it is refused.</summary>
/// <param name="FileBytesMax">The size of one file.</param>
/// <param name="BytesMax">The size of all files that are read, unpacked.</param>
/// <param name="FilesMax">How many files it holds.</param>
public sealed record PackageLimits(int FileBytesMax = 16 << 20, long BytesMax = 512L << 20, int FilesMax = 20_000);

/// <summary>A FHIR package: profiles, extensions, value sets, code systems and search parameters that count beside R4's own.</summary>
public sealed class DefinitionPackage
{
    static readonly string[] Kept = ["StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter"];
    static readonly ReadLimits FileLimits = new(BytesMax: 16 << 20, MembersMax: 4096);

    DefinitionPackage(string name, string version, List<Resource> resources)
    {
        Name = name;
        Version = version;
        Resources = resources;
        SearchParameters = [.. resources.Where(resource => resource.ResourceType == "SearchParameter").Select(Parameter).OfType<SearchParameterDefinition>()];
    }

    /// <summary>The name in its manifest, such as <c>hl7.fhir.us.core</c>.</summary>
    public string Name { get; }

    /// <summary>The version in its manifest.</summary>
    public string Version { get; }

    /// <summary>The definitions in it.</summary>
    public IReadOnlyList<Resource> Resources { get; }

    /// <summary>Its search parameters.</summary>
    public IReadOnlyList<SearchParameterDefinition> SearchParameters { get; }

    /// <summary>Definitions that came by themselves.</summary>
    public static DefinitionPackage Of(IReadOnlyList<Resource> resources) => new("", "", [.. resources]);

    /// <summary>Reads a package as the registry hands it out: a gzipped tar archive.</summary>
    public static PackageOutcome ReadArchive(Stream archive, PackageLimits? limits = null)
    {
        limits ??= new();
        try
        {
            using var plain = new GZipStream(archive, CompressionMode.Decompress, leaveOpen: true);
            using var tar = new TarReader(plain, leaveOpen: true);
            return Read(Files(tar, limits), limits);
        }
        catch (Exception broken) when (broken is InvalidDataException or FormatException or EndOfStreamException or IOException)
        {
            return new PackageOutcome.Refused("", $"the archive cannot be read: {broken.Message}");
        }
    }

    static IEnumerable<(string Name, ReadOnlyMemory<byte> Utf8)> Files(TarReader tar, PackageLimits limits)
    {
        var bytes = 0L;
        while (tar.GetNextEntry() is { } entry)
        {
            // What is passed over is unpacked all the same
            if ((bytes += entry.Length) > limits.BytesMax)
            {
                throw new InvalidDataException($"it holds more than {limits.BytesMax} bytes");
            }
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && entry.DataStream is { } data)
            {
                if (!IsRead(entry.Name))
                {
                    continue;
                }
                if (entry.Length > limits.FileBytesMax)
                {
                    yield return (entry.Name, Array.Empty<byte>());
                    continue;
                }
                var utf8 = new byte[entry.Length];
                data.ReadExactly(utf8);
                yield return (entry.Name, utf8);
            }
        }
    }

    /// <summary>Reads the files of an unpacked package; those in folders of its own (<c>examples</c>, <c>openapi</c>) and other than JSON are passed over.</summary>
    public static PackageOutcome Read(IEnumerable<(string Name, ReadOnlyMemory<byte> Utf8)> files, PackageLimits? limits = null)
    {
        limits ??= new();
        var resources = new List<Resource>();
        (string Name, string Version)? manifest = null;
        var (count, bytes) = (0, 0L);
        foreach (var (name, utf8) in files.Where(file => IsRead(file.Name)))
        {
            bytes += utf8.Length;
            if (++count > limits.FilesMax || bytes > limits.BytesMax)
            {
                return new PackageOutcome.Refused(name, $"a package has at most {limits.FilesMax} files and {limits.BytesMax} bytes");
            }
            if (utf8.Length is 0 || utf8.Length > limits.FileBytesMax)
            {
                return new PackageOutcome.Refused(name, $"the file is empty or has more than {limits.FileBytesMax} bytes");
            }
            if (Path.GetFileName(name) == "package.json")
            {
                manifest = Manifest(utf8);
            }
            else if (FhirJson.Read(utf8, FileLimits) is FhirReadOutcome.Ok { Resource: var resource })
            {
                if (Kept.Contains(resource.ResourceType))
                {
                    resources.Add(resource);
                }
            }
            else if (IsResource(utf8))
            {
                return new PackageOutcome.Refused(name, "the file is not a FHIR resource in JSON");
            }
        }
        return manifest is { } known
            ? new PackageOutcome.Ok(new DefinitionPackage(known.Name, known.Version, resources))
            : new PackageOutcome.Refused("package.json", "the package has no manifest with a name and a version");
    }

    static bool IsRead(string name)
    {
        var path = name.Replace('\\', '/');
        path = path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
        path = path.StartsWith("package/", StringComparison.Ordinal) ? path["package/".Length..] : path;
        return path.EndsWith(".json", StringComparison.Ordinal) && !path.Contains('/', StringComparison.Ordinal) && !path.StartsWith('.');
    }

    static bool IsResource(ReadOnlyMemory<byte> utf8) => utf8.Span.IndexOf("\"resourceType\""u8) >= 0;

    static (string Name, string Version)? Manifest(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var json = JsonDocument.Parse(utf8);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && json.RootElement.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.String
                ? (name.GetString()!, version.GetString()!)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static SearchParameterDefinition? Parameter(Resource source)
    {
        if (source["code"].Text is not { } code || source["url"].Text is not { } url || source["type"].Text is not { } type)
        {
            return null;
        }
        var known = type == "string" ? SearchType.Text : Enum.TryParse<SearchType>(type, ignoreCase: true, out var parsed) ? parsed : (SearchType?)null;
        return known is { } kind
            ? new(code, url, Texts(source["base"]), kind, source["expression"].Text ?? "", Texts(source["target"])) { Components = Components(source["component"]) }
            : null;
    }

    static List<SearchComponent> Components(Element list)
    {
        var components = new List<SearchComponent>();
        foreach (var part in list.Items)
        {
            components.Add(new(part["definition"u8].Text ?? "", part["expression"u8].Text ?? ""));
        }
        return components;
    }

    static List<string> Texts(Element list)
    {
        var texts = new List<string>();
        foreach (var item in list.Items)
        {
            if (item.Text is { } text)
            {
                texts.Add(text);
            }
        }
        return texts;
    }
}
