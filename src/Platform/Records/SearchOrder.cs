using System.Globalization;
using Npgsql;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using SortKey = Salus.Fhir.Search.SortKey;

namespace Salus.Platform.Records;

/// <summary>A match with the values of the order's fields; a null sorts last.</summary>
sealed record SortedMatch(string Id, IReadOnlyList<string?> Keys);

/// <summary>An order by several fields. Clear ranges are sorted as they stand in the index; what stands there as hashes must be opened.</summary>
sealed class SearchOrder(IReadOnlyList<SortKey> fields, SearchIndexer indexer) : IComparer<SortedMatch>
{
    /// <summary>Whether it can be read off the index's own rows: by id or time alone.</summary>
    public bool IsByRow => fields is [] or [{ Parameter.Code: "_id" or "_lastUpdated" }];

    /// <summary>Whether a field stands in the index as hashes.</summary>
    public bool IsBlind => fields.Any(key => IsBlindField(key.Parameter));

    /// <summary>The order of the index's own rows.</summary>
    public IndexOrder ByRow(IndexMatch? after) =>
        fields is [var field] ? new IndexOrder(field.Parameter.Code == "_lastUpdated", field.Descending, after) : new IndexOrder(false, true, after);

    /// <summary>Sorts matches by what the index says in the clear.</summary>
    public async Task<List<SortedMatch>> SortAsync(NpgsqlConnection connection, RecordIndex index, string type, IReadOnlyList<IndexMatch> matches, CancellationToken cancellation)
    {
        var keys = matches.ToDictionary(match => match.Id, _ => new string?[fields.Count]);
        for (var i = 0; i < fields.Count; i++)
        {
            var (parameter, isDescending) = fields[i];
            if (parameter.Code is "_id" or "_lastUpdated")
            {
                foreach (var match in matches)
                {
                    keys[match.Id][i] = parameter.Code == "_id" ? match.Id : Text(match.Written.UtcTicks);
                }
                continue;
            }
            foreach (var (id, bound) in await IndexStore.BoundsAsync(connection, index.NamesOf(type, parameter.Code), [.. keys.Keys], isDescending, cancellation))
            {
                keys[id][i] = Text(bound);
            }
        }
        return Sorted(keys.Select(pair => new SortedMatch(pair.Key, pair.Value)));
    }

    /// <summary>Sorts records by what they say.</summary>
    public List<SortedMatch> Sort(IEnumerable<StoredRecord> records) => Sorted(records.Select(record => new SortedMatch(record.Id, KeysOf(record))));

    /// <inheritdoc/>
    public int Compare(SortedMatch? x, SortedMatch? y)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            var (left, right) = (x!.Keys[i], y!.Keys[i]);
            if (left is null || right is null)
            {
                if (left is null != right is null)
                {
                    return left is null ? 1 : -1;
                }
                continue;
            }
            var order = IsNumeric(fields[i].Parameter) ? Number(left).CompareTo(Number(right)) : string.CompareOrdinal(left, right);
            if (order != 0)
            {
                return fields[i].Descending ? -order : order;
            }
        }
        // Newest first where nothing else decides
        return string.CompareOrdinal(y!.Id, x!.Id);
    }

    List<SortedMatch> Sorted(IEnumerable<SortedMatch> matches)
    {
        List<SortedMatch> sorted = [.. matches];
        sorted.Sort(this);
        return sorted;
    }

    string?[] KeysOf(StoredRecord record)
    {
        var resource = FhirJson.Read(record.Bytes) is FhirReadOutcome.Ok read ? read.Resource : null;
        return [.. fields.Select(field => field.Parameter.Code switch
        {
            "_id" => record.Id,
            "_lastUpdated" => Text(record.Written.UtcTicks),
            var code when resource is not null => KeyOf(indexer.Extract(resource, null, parameter => parameter.Code == code), field.Descending, IsNumeric(field.Parameter)),
            _ => null,
        })];
    }

    static string? KeyOf(IReadOnlyList<IndexValue> values, bool isGreatest, bool isNumeric)
    {
        var keys = values.Select(value => value switch
        {
            IndexValue.Text text => text.Normalised,
            IndexValue.Token token => token.Code,
            IndexValue.Reference reference => reference.Target.Text,
            IndexValue.Uri uri => uri.Value,
            IndexValue.Date date => Text((isGreatest ? date.High : date.Low).UtcTicks),
            IndexValue.Number number => Text((double)(isGreatest ? number.High : number.Low)),
            IndexValue.Quantity quantity => Text((double)(isGreatest ? quantity.High : quantity.Low)),
            _ => null,
        }).OfType<string>();
        var sorted = isNumeric ? keys.OrderBy(Number) : keys.Order(StringComparer.Ordinal);
        return isGreatest ? sorted.LastOrDefault() : sorted.FirstOrDefault();
    }

    static bool IsBlindField(SearchParameterDefinition parameter) =>
        parameter.Code is not ("_id" or "_lastUpdated") && (parameter.Type is not (SearchType.Date or SearchType.Number or SearchType.Quantity) || RecordIndex.IsBlindDate(parameter.Code));

    static bool IsNumeric(SearchParameterDefinition parameter) => parameter.Type is SearchType.Date or SearchType.Number or SearchType.Quantity;

    static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
