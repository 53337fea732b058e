using Npgsql;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Schema;

namespace Salus.Platform.Records;

// Conditions: who is meant, while nobody else can make another of the same identity.
public sealed partial class RecordsDesk
{
    /// <summary>Conditional writes that hold or wait for a lock at once; more would take all connections from those that are let on.</summary>
    static readonly SemaphoreSlim Conditional = new(8);

    static bool IsConditional(RecordWrite write) => write.Condition is not null || (write.Resource is { } resource && ResourceRewriter.References(resource).Any(BundleReferences.IsConditional));

    /// <summary>Settles every condition of a write in its transaction: locks the identities, then looks for them.</summary>
    async Task<(IReadOnlyList<RecordWrite> Writes, Dictionary<string, string> Names, WriteOutcome? Refusal)> SettleAsync(
        NpgsqlConnection connection, Caller caller, IReadOnlyList<RecordWrite> writes, CancellationToken cancellation)
    {
        Dictionary<string, string> names = [];
        await indexing.RefreshAsync(cancellation, connection);
        if (LocksOf(writes) is not { } locks)
        {
            return (writes, names, Invalid("duplicate", writes[0].Path, "Two entries have the same condition: which of them is meant to count?"));
        }
        foreach (var number in locks.Distinct().Order())
        {
            await connection.ExecuteAsync(cancellation, "SELECT pg_advisory_xact_lock($1)", number);
        }
        var reach = new RecordReach(await consents.ScopesAsync(caller, Purpose.Treatment, cancellation, connection), caller.Role, time.GetUtcNow());
        List<RecordWrite> settled = new(writes.Count);
        foreach (var write in writes)
        {
            if (write.Condition is null)
            {
                settled.Add(write);
                continue;
            }
            var (ids, refusal) = await FindAsync(connection, caller, reach, write.Type, write.ConditionParameters, seesIdentities: write.Verb is WriteVerb.Create or WriteVerb.Update, cancellation);
            if (refusal is not null)
            {
                return (writes, names, new WriteOutcome.Invalid([refusal with { Expression = write.Path }]));
            }
            if (ids.Count > 1)
            {
                return (writes, names, new WriteOutcome.SeveralMatch(write.Path, write.Type));
            }
            var id = ids.SingleOrDefault();
            if (id is null && write.Verb == WriteVerb.Patch)
            {
                return (writes, names, new WriteOutcome.NotFound { IsSought = true });
            }
            settled.Add(write.Verb switch
            {
                WriteVerb.Create => write with { Id = id, IsIdle = id is not null },
                WriteVerb.Delete => write with { Id = id, IsIdle = id is null },
                WriteVerb.Patch => write with { Id = id },
                _ when id is null && write.Resource!.Id is null => write with { Verb = WriteVerb.Create },
                _ => write with { Id = id ?? write.Resource!.Id },
            });
            if (id is not null)
            {
                names[write.FullUrl ?? ""] = names[$"{write.Type}/{write.Resource?.Id}"] = $"{write.Type}/{id}";
            }
        }
        return await ReferencesAsync(connection, caller, reach, settled, names, cancellation) is { } wrong ? (writes, names, wrong) : (settled, names, null);
    }

    /// <summary>Finds what conditional references mean, each exactly one record.</summary>
    async Task<WriteOutcome?> ReferencesAsync(
        NpgsqlConnection connection, Caller caller, RecordReach reach, IReadOnlyList<RecordWrite> writes, Dictionary<string, string> names, CancellationToken cancellation)
    {
        foreach (var write in writes.Where(write => write.Resource is not null))
        {
            foreach (var reference in ResourceRewriter.References(write.Resource!).Where(BundleReferences.IsConditional).Distinct())
            {
                if (names.ContainsKey(reference))
                {
                    continue;
                }
                var mark = reference.IndexOf('?');
                var (ids, refusal) = await FindAsync(connection, caller, reach, reference[..mark], RecordWrite.ParametersOf(reference[mark..]), seesIdentities: true, cancellation);
                if (refusal is not null)
                {
                    return new WriteOutcome.Invalid([refusal with { Expression = write.Path }]);
                }
                if (ids.Count != 1)
                {
                    return Invalid("not-found", write.Path, $"A conditional reference to {reference[..mark]} leads to {(ids.Count == 0 ? "nothing" : "several")}; it must lead to one.");
                }
                names[reference] = $"{reference[..mark]}/{ids[0]}";
            }
        }
        return null;
    }

    /// <summary>At most two records that a condition means.</summary>
    /// <param name="connection">In whose transaction.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="reach">What the caller may see.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="parameters">The condition.</param>
    /// <param name="seesIdentities">Whether a professional's question for an identifier alone goes over all records, so that no identity is made twice.</param>
    /// <param name="cancellation">Ends the wait.</param>
    async Task<(IReadOnlyList<string> Ids, FhirIssue? Refusal)> FindAsync(
        NpgsqlConnection connection, Caller caller, RecordReach reach, string type, IReadOnlyList<KeyValuePair<string, string>> parameters, bool seesIdentities,
        CancellationToken cancellation)
    {
        if (SearchQuery.Parse(type, parameters, now: time.GetUtcNow(), definitions: definitions.Fhir) is not SearchOutcome.Ok { Query: var query })
        {
            return ([], ((SearchOutcome.Refused)SearchQuery.Parse(type, parameters, definitions: definitions.Fhir)).Issues[0]);
        }
        if (query.Criteria.Count == 0)
        {
            return ([], new FhirIssue(IssueSeverity.Error, "required", "", "A condition needs a parameter to search by, such as identifier=system|value."));
        }
        var run = new SearchRun(new LazyConnection(connection), index, frequencies, store, reach);
        var (plan, isRough) = await run.PlanAsync(type, query.Criteria, cancellation);
        IReadOnlyList<string> ids = [];
        if (seesIdentities && caller.Role != Role.Patient && query.Criteria.All(criterion => criterion is SearchCriterion.Token { Parameter: "identifier" } token && token.Values.All(value => value.Code is not null)))
        {
            ids = [.. (await IndexStore.MatchAsync(connection, type, null, plan, 2, cancellation)).Select(match => match.Id)];
        }
        else if (isRough)
        {
            ids = [.. (await run.OpenMatchingAsync(type, plan, query.Criteria, cancellation)).Select(record => record.Id)];
        }
        else if (!reach.Of(type).IsEmpty)
        {
            ids = [.. (await IndexStore.MatchAsync(connection, type, reach.Of(type), plan, 2, cancellation)).Select(match => match.Id)];
        }
        return (ids, run.Refusal);
    }

    /// <summary>A number for each identity that the conditions name, the same whoever names it; null where two writes name the same.</summary>
    List<long>? LocksOf(IReadOnlyList<RecordWrite> writes)
    {
        using var hash = vault.OpenBlindHash();
        List<long> locks = [];
        foreach (var write in writes.Where(write => write.Condition is not null))
        {
            var identities = write.ConditionParameters.Where(pair => pair.Key == "identifier").SelectMany(pair => pair.Value.Split(','))
                .Select(value => value[(value.LastIndexOf('|') + 1)..]).ToList();
            IReadOnlyList<string> names = identities.Count > 0 ? identities : [string.Join('&', write.ConditionParameters.Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal))];
            var own = names.Select(name => BitConverter.ToInt64(hash.Of($"{write.Type} condition", name))).ToList();
            if (own.Any(locks.Contains))
            {
                return null;
            }
            locks.AddRange(own);
        }
        return locks;
    }

    static WriteOutcome.Invalid Invalid(string code, string path, string message) => new([new FhirIssue(IssueSeverity.Error, code, path, message)]);
}
