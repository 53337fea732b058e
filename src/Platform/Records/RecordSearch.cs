using Npgsql;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

// The searching part of the door.
public sealed partial class RecordsDesk
{
    const int CountDefault = 50;
    const int CountMax = 500;
    const int CandidatesMax = 20_000;

    /// <summary>
    /// Finds records by token, reference and name parameters. Only what the caller may read is counted or shown,
    /// so that a total tells of nothing else.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="parameters">As they stood in the query: several of one name must all match, values between commas are alternatives.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<SearchResult> SearchAsync(
        Caller caller, string type, IReadOnlyList<KeyValuePair<string, string>> parameters, Purpose purpose, CancellationToken cancellation)
    {
        if (FhirDefinitions.R4.Type(type) is not { Kind: TypeKind.Resource } || type == "AuditEvent")
        {
            return new SearchResult.Invalid([new FhirIssue(IssueSeverity.Error, "not-supported", type, $"There is nothing to search under {type}.")]);
        }
        if (caller.Role is Role.Administrator or Role.Auditor or Role.Researcher)
        {
            await RefusedAsync(caller, AuditAction.Search, null, type, $"The role {caller.Role} reads no records.", cancellation);
            return new SearchResult.Forbidden($"The role {caller.Role} reads no records.");
        }
        var (query, issues) = Parse(type, parameters);
        if (issues.Count > 0)
        {
            return new SearchResult.Invalid(issues);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var ids = query.Ids ?? await RecordStore.MatchAsync(connection, type, query.Criteria, CandidatesMax, cancellation);
        var entries = await RecordStore.NewestAsync(connection, type, ids, cancellation);
        var readable = await ReadableAsync(caller, entries, purpose, cancellation);
        List<StoredRecord> page = [];
        foreach (var entry in readable.OrderByDescending(entry => entry.Written).ThenBy(entry => entry.Id, StringComparer.Ordinal).Skip(query.Offset).Take(query.Count))
        {
            if (await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                page.Add(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, bytes));
            }
        }
        await AuditSearchAsync(connection, caller, type, page, purpose, cancellation);
        return new SearchResult.Page(page, readable.Count, query.Offset, query.Count);
    }

    sealed record Query(IReadOnlyList<IReadOnlyList<Guid>> Criteria, IReadOnlyList<string>? Ids, int Offset, int Count);

    (Query Query, List<FhirIssue> Issues) Parse(string type, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        List<IReadOnlyList<Guid>> criteria = [];
        List<FhirIssue> issues = [];
        IReadOnlyList<string>? ids = null;
        var (offset, count) = (0, CountDefault);
        var known = FhirDefinitions.R4.SearchParametersOf(type);
        foreach (var (name, value) in parameters)
        {
            if (name == "_id")
            {
                ids = value.Split(',');
            }
            else if (name is "_count" or "_offset")
            {
                if (!int.TryParse(value, out var number) || number < 0 || (name == "_count" && number > CountMax))
                {
                    issues.Add(new FhirIssue(IssueSeverity.Error, "value", name, $"{name} is a number from 0{(name == "_count" ? $" to {CountMax}" : "")}, not '{value}'."));
                }
                else if (name == "_count")
                {
                    count = number;
                }
                else
                {
                    offset = number;
                }
            }
            else if (known.FirstOrDefault(parameter => parameter.Code == name) is { } parameter && Values(type, parameter, value) is { } values)
            {
                criteria.Add(values);
            }
            else
            {
                var taken = string.Join(", ", known.Where(parameter => Values(type, parameter, "x") is not null).Select(parameter => parameter.Code).Order());
                issues.Add(new FhirIssue(IssueSeverity.Error, "not-supported", name, $"The parameter '{name}' is not taken for {type}. These are: _id, _count, _offset, {taken}."));
            }
        }
        if (ids is not null && criteria.Count > 0)
        {
            issues.Add(new FhirIssue(IssueSeverity.Error, "not-supported", "_id", "_id stands alone: leave the other parameters out."));
        }
        return (new Query(criteria, ids, offset, count), issues);
    }

    List<Guid>? Values(string type, SearchParameterDefinition parameter, string value) => !RecordIndex.IsTaken(type, parameter) ? null : parameter.Type switch
    {
        SearchType.Token => [.. value.Split(',').Select(token => token.Split('|', 2) is [var system, var code]
            ? index.BlindToken(type, parameter.Code, system, code)
            : index.BlindToken(type, parameter.Code, null, token))],
        SearchType.Reference => [.. value.Split(',').Select(reference => index.Blind(type, parameter.Code,
            reference.Contains('/') ? reference : $"{(parameter.Code is "patient" or "subject" ? "Patient" : parameter.Targets.Count > 0 ? parameter.Targets[0] : "Patient")}/{reference}"))],
        SearchType.Text =>
            [.. value.Split(',').Select(text => index.BlindPrefix(type, parameter.Code, text))],
        _ => null,
    };

    async Task<List<SealedEntry>> ReadableAsync(Caller caller, IReadOnlyList<SealedEntry> entries, Purpose purpose, CancellationToken cancellation)
    {
        var scopes = new Dictionary<string, AccessScope>();
        var now = time.GetUtcNow();
        List<SealedEntry> readable = [];
        foreach (var entry in entries)
        {
            if (entry.Patient is not { } patient)
            {
                if (AccessRules.Directory.Contains(entry.Type) && AccessRules.MayReadDirectory(caller.Role))
                {
                    readable.Add(entry);
                }
                continue;
            }
            if (!scopes.TryGetValue(patient, out var scope))
            {
                scope = scopes[patient] = await consents.ScopeAsync(caller, patient, purpose, cancellation);
            }
            if (scope.Decide(entry.Type, now) is AccessDecision.Allowed)
            {
                readable.Add(entry);
            }
        }
        return readable;
    }

    async Task AuditSearchAsync(
        NpgsqlConnection connection, Caller caller, string type, List<StoredRecord> page, Purpose purpose, CancellationToken cancellation)
    {
        List<string> aliases = [];
        foreach (var patient in page.Select(record => record.Patient).OfType<string>().Distinct())
        {
            if (Guid.TryParse(patient, out var id) && await vault.FindOwnerAsync(id, cancellation) is { } owner)
            {
                aliases.Add(AuditTrail.AliasOf(owner));
            }
        }
        // One search is one access by one person, of however many patients.
        var fact = new AuditFact(AuditAction.Search, true, caller.Account, aliases is [var only] ? only : null, $"{page.Count} {type}", ConsentTerms.CodeOf(purpose))
        {
            PatientAliases = aliases.Count > 1 ? aliases : [],
        };
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await audit.RecordAsync(connection, fact, cancellation);
        await transaction.CommitAsync(cancellation);
        sequencer.Wake();
    }
}
