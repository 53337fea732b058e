using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

// Patient/$everything.
public sealed partial class RecordsDesk
{
    /// <summary>Everything of one patient that the caller may read, by id and page by page, with the entries of the directory that it refers to.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="patient">The patient's logical id.</param>
    /// <param name="parameters"><c>_count</c>, <c>_type</c>, <c>_since</c>, or a cursor.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<SearchResult> EverythingAsync(
        Caller caller, string patient, IReadOnlyList<KeyValuePair<string, string>> parameters, Purpose purpose, CancellationToken cancellation)
    {
        var key = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        var name = $"everything/{patient}";
        SearchCursor? cursor = null;
        if (parameters.FirstOrDefault(pair => pair.Key == CursorName).Value is { } sealedCursor)
        {
            cursor = SearchCursor.Open(sealedCursor, key, caller.Account);
            if (cursor is null || cursor.Type != name)
            {
                return Refused("value", $"{CursorName} is not one that was given to you here. Begin anew.");
            }
            parameters = cursor.Parameters;
        }
        var count = CountMax;
        IReadOnlyList<string>? types = null;
        DateTimeOffset? since = null;
        foreach (var (parameter, value) in parameters)
        {
            switch (parameter)
            {
                case "_count" when int.TryParse(value, out count) && count > 0:
                    count = Math.Min(count, CountMax);
                    break;
                case "_format" or "_pretty":
                    break;
                case "_type" when value.Split(',') is var named && named.All(type => FhirDefinitions.R4.Type(type) is { Kind: TypeKind.Resource }):
                    types = named;
                    break;
                case "_since" when FhirTime.TryParse(System.Text.Encoding.UTF8.GetBytes(value.Replace(' ', '+')), out var instant):
                    since = instant.Low;
                    break;
                default:
                    return Refused("value", $"{parameter}: $everything takes _count from 1, _type with resource types and _since with an instant, not '{parameter}={value}'.");
            }
        }
        await indexing.RefreshAsync(cancellation);
        var scopes = await consents.ScopesAsync(caller, purpose, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (!scopes.TryGetValue(patient, out var scope) || scope.Decide("Patient", time.GetUtcNow()) is not AccessDecision.Allowed)
        {
            var reason = (await consents.ScopeAsync(caller, patient, purpose, cancellation)).Decide("Patient", time.GetUtcNow()) is AccessDecision.Refused refused ? refused.Reason : NothingForYou;
            await RefusedAsync(caller, AuditAction.Read, patient, $"Patient/{patient}", reason, cancellation);
            return new SearchResult.Forbidden(reason);
        }
        var reach = new RecordReach(scopes, caller.Role, time.GetUtcNow());
        var entries = await RecordStore.EverythingAsync(connection, patient, types, since, cursor is null ? null : (cursor.Keys[0]!, cursor.Id), count + 1, cancellation);
        List<StoredRecord> records = [];
        foreach (var entry in entries.Take(count).Where(reach.Sees))
        {
            if (await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                records.Add(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, bytes));
            }
        }
        var lent = new LazyConnection(connection);
        var includes = new SearchIncludes(lent, index, new SearchRun(lent, index, frequencies, store, reach), reach);
        var included = types is null ? await includes.OfAsync(records, [new IncludeRule(false, "Patient", null, null, false)], cancellation) : [];
        var next = entries.Count > count ? new SearchCursor(name, parameters, [entries[count - 1].Type], entries[count - 1].Id, default).Seal(key, caller.Account) : null;
        await connection.CloseAsync();
        await AuditSearchAsync(caller, "records", records, records.Count, purpose, cancellation);
        return new SearchResult.Page(records, null) { Included = [.. included.Where(record => record.Patient is null)], Next = next };
    }
}
