using System.Security.Cryptography;
using System.Text;
using Salus.Fhir.Elements;
using Salus.Fhir.Views;
using Salus.Learning.Recipes;

namespace Salus.Cli.Learn;

/// <summary>Runs the views of a recipe over the FHIR files of a folder: bundles or single resources (JSON), and NDJSON as an export gives it.</summary>
static class FhirFolder
{
    const int FilesMax = 1_000_000;
    const int RowsMax = 20_000_000;

    /// <summary>The rows of every view, and a hash over the files.</summary>
    /// <exception cref="CliException">There is no such folder, or a file cannot be read.</exception>
    public static async Task<(IReadOnlyList<RecordRows> Rows, byte[] Hash)> ReadAsync(string folder, RecipeRecords records, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
        {
            throw new CliException($"There is no folder {folder}.");
        }
        string[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(IsFhir).Take(FilesMax + 1).Order(StringComparer.Ordinal)];
        if (files.Length is 0 or > FilesMax)
        {
            throw new CliException(files.Length == 0 ? $"{folder} holds no files that end with .json or .ndjson." : $"{folder} holds more than {FilesMax:N0} files; split it.");
        }
        var views = records.Views.ToDictionary(pair => pair.Key, pair => Compiled(pair.Key, View.Read(pair.Value)));
        var rows = views.ToDictionary(pair => pair.Key, _ => new List<object?[]>());
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            var bytes = await File.ReadAllBytesAsync(file, cancellation);
            hash.AppendData(SHA256.HashData(bytes));
            foreach (var (resource, scope) in Resources(file, bytes))
            {
                Add(file, resource, scope, views, rows);
            }
        }
        return ([.. views.Select(pair => new RecordRows(pair.Key, [.. pair.Value.Columns.Select(column => column.Name)], rows[pair.Key]))], hash.GetHashAndReset());
    }

    static bool IsFhir(string file) => file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || IsLines(file);

    static bool IsLines(string file) => file.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);

    static View Compiled(string name, ViewOutcome outcome) => outcome is ViewOutcome.Ok ok
        ? ok.View
        : throw new InvalidDataException($"The view {name} cannot run: {((ViewOutcome.Refused)outcome).Issues[0]}");

    static void Add(string file, Resource resource, ViewScope scope, Dictionary<string, View> views, Dictionary<string, List<object?[]>> rows)
    {
        foreach (var (name, view) in views)
        {
            try
            {
                rows[name].AddRange(view.Rows(resource, scope));
            }
            catch (ViewException fault)
            {
                throw new CliException($"{file}: {resource.ResourceType}/{resource.Id}: the view {name} cannot read it: {fault.Message}.");
            }
            if (rows[name].Count > RowsMax)
            {
                throw new CliException($"The view {name} gives more than {RowsMax:N0} rows; name a folder of fewer patients.");
            }
        }
    }

    static IEnumerable<(Resource Resource, ViewScope Scope)> Resources(string file, byte[] bytes)
    {
        if (IsLines(file))
        {
            var (from, line) = (0, 0);
            while (from < bytes.Length)
            {
                var length = bytes.AsSpan(from).IndexOf((byte)'\n') is >= 0 and var end ? end : bytes.Length - from;
                line++;
                if (!Encoding.UTF8.GetString(bytes, from, Math.Min(length, 64)).All(char.IsWhiteSpace))
                {
                    yield return (Read($"{file}, line {line}", bytes.AsMemory(from, length)), ViewScope.Default);
                }
                from += length + 1;
            }
            yield break;
        }
        var read = Read(file, bytes);
        if (read.ResourceType != "Bundle")
        {
            yield return (read, ViewScope.Default);
            yield break;
        }
        // References within a bundle are by its entries' addresses, which need not be of any server.
        var byAddress = new Dictionary<string, Resource>(StringComparer.Ordinal);
        var resources = new List<Resource>();
        foreach (var entry in read["entry"].Items)
        {
            if (Resource.From(entry["resource"u8]) is { } resource)
            {
                resources.Add(resource);
                if (entry["fullUrl"u8].Text is { } address)
                {
                    byAddress.TryAdd(address, resource);
                }
            }
        }
        var scope = new ViewScope { Resolve = byAddress.GetValueOrDefault };
        foreach (var resource in resources)
        {
            yield return (resource, scope);
        }
    }

    static Resource Read(string place, ReadOnlyMemory<byte> bytes) => FhirJson.Read(bytes) switch
    {
        FhirReadOutcome.Ok ok => ok.Resource,
        FhirReadOutcome.Refused refused => throw new CliException($"{place}: {refused.Issues[0].Message}"),
        var other => throw new InvalidOperationException($"Reading came to {other.GetType().Name}."),
    };
}
