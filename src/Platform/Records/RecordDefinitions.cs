using Microsoft.Extensions.Logging;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;
using Salus.Platform.Schema;

namespace Salus.Platform.Records;

/// <summary>What this node holds resources to and finds them by: R4, and the packages that it was given.</summary>
public sealed partial class RecordDefinitions
{
    const int PackagesMax = 64;

    volatile Searching searching;

    RecordDefinitions(FhirDefinitions fhir, ProfileFailure profileFailure)
    {
        Own = fhir;
        searching = new Searching(fhir, fhir == FhirDefinitions.R4 ? SearchIndexer.R4 : new SearchIndexer(fhir));
        var severity = profileFailure == ProfileFailure.Refuse ? IssueSeverity.Error : IssueSeverity.Warning;
        Refusals = new Validator(fhir, ValidationOptions.Refusals with { ProfileFailure = severity });
        Everything = new Validator(fhir, ValidationOptions.Everything with { ProfileFailure = severity });
        Asked = new Validator(fhir, ValidationOptions.Everything);
    }

    /// <summary>R4 and the packages beside it.</summary>
    public FhirDefinitions Own { get; }

    /// <summary>The same with the search parameters that were added here and can be searched by.</summary>
    public FhirDefinitions Fhir => searching.Fhir;

    /// <summary>Extracts the values by which resources are found, by parameters that cannot be searched by yet as well.</summary>
    public SearchIndexer Indexer => searching.Indexer;

    /// <summary>Finds what a write is refused for.</summary>
    public Validator Refusals { get; }

    /// <summary>Finds everything there is to say about what was written.</summary>
    public Validator Everything { get; }

    /// <summary>Finds everything there is to say for who asks whether a resource is valid: to break a profile is an error there.</summary>
    public Validator Asked { get; }

    /// <summary>The node's CapabilityStatement.</summary>
    public byte[] Capabilities => searching.Capabilities.Value;

    /// <summary>Adds SearchParameters that were stored here, in place of those that were added before.</summary>
    /// <param name="ready">Those that can be searched by.</param>
    /// <param name="all">Those by which resources are indexed.</param>
    internal void Extend(IReadOnlyList<Resource> ready, IReadOnlyList<Resource> all) =>
        searching = new Searching(Own.With([DefinitionPackage.Of(ready)]), new SearchIndexer(Own.With([DefinitionPackage.Of(all)])));

    sealed record Searching(FhirDefinitions Fhir, SearchIndexer Indexer)
    {
        public Lazy<byte[]> Capabilities { get; } = new(() => CapabilityStatement.Write(Fhir));
    }

    /// <summary>Reads the packages that the options name.</summary>
    /// <exception cref="SetupException">One cannot be read.</exception>
    public static RecordDefinitions Open(RecordsOptions options, ILogger<RecordDefinitions> logger)
    {
        if (options.Packages.Length == 0)
        {
            return new RecordDefinitions(FhirDefinitions.R4, options.ProfileFailure);
        }
        if (!Directory.Exists(options.Packages))
        {
            throw new SetupException($"The folder of FHIR packages {options.Packages} is not there. Make it, or set Salus:Records:Packages to the folder that holds them.");
        }
        var files = Directory.GetFiles(options.Packages, "*.tgz").Order(StringComparer.Ordinal).ToList();
        if (files.Count > PackagesMax)
        {
            throw new SetupException($"The folder of FHIR packages {options.Packages} holds {files.Count} archives; at most {PackagesMax} are read. Take out those that are not needed.");
        }
        var packages = files.ConvertAll(Read);
        var all = FhirDefinitions.R4.With(packages, parameter => !IsTaken(parameter));
        var unusable = new SearchIndexer(all).Uncompiled().Where(one => !FhirDefinitions.R4.SearchParameters.Contains(one.Parameter)).ToList();
        foreach (var (parameter, reason) in unusable.Select(one => (one.Parameter, one.Reason)).DistinctBy(one => one.Parameter.Url))
        {
            LogUnusable(logger, parameter.Code, parameter.Url, reason);
        }
        var left = unusable.Select(one => one.Parameter).ToHashSet();
        return new RecordDefinitions(
            left.Count == 0 ? all : FhirDefinitions.R4.With(packages, parameter => !IsTaken(parameter) && !left.Contains(parameter)), options.ProfileFailure);
    }

    /// <summary>Whether R4 has a search parameter of that name for one of its types: that one counts.</summary>
    static bool IsTaken(SearchParameterDefinition parameter) =>
        parameter.Code.StartsWith('_') || FhirDefinitions.R4.SearchParameters.Any(known => known.Code == parameter.Code && (known.Bases.Intersect(parameter.Bases).Any() || parameter.Bases.Any(IsAbstract)));

    static bool IsAbstract(string type) => FhirDefinitions.R4.Type(type) is null or { IsAbstract: true };

    static DefinitionPackage Read(string file)
    {
        try
        {
            using var archive = File.OpenRead(file);
            return DefinitionPackage.ReadArchive(archive) switch
            {
                PackageOutcome.Ok { Package: var package } => package,
                PackageOutcome.Refused refused => throw new SetupException(
                    $"The FHIR package {file} cannot be used: {(refused.File.Length > 0 ? $"{refused.File}: " : "")}{refused.Reason}. Replace it, or take it out of the folder."),
                _ => throw new InvalidOperationException("Every outcome has its answer."),
            };
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"The FHIR package {file} cannot be read: {unreadable.Message.TrimEnd('.')}. Give it to the account that runs the node.", unreadable);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The search parameter {Code} ({Url}) of a FHIR package is left out: {Reason}.")]
    static partial void LogUnusable(ILogger logger, string code, string url, string reason);
}
