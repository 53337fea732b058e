using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Xml;

namespace Salus.Platform.Records;

/// <summary>Answers of the FHIR endpoint: resources as stored, errors as OperationOutcome.</summary>
static class FhirResults
{
    public const string MediaType = "application/fhir+json";
    const string XmlMediaType = "application/fhir+xml";

    static readonly byte[] Done = OperationOutcomeWriter.Write([new FhirIssue(IssueSeverity.Information, "informational", "", "Done.")]);

    public static IResult Raw(byte[] json, int status = StatusCodes.Status200OK) => new FhirAnswer(json, status);

    public static IResult Outcome(int status, IReadOnlyList<FhirIssue> issues) => new FhirAnswer(OperationOutcomeWriter.Write(issues), status);

    public static IResult Outcome(int status, string code, string message) => Outcome(status, [new FhirIssue(IssueSeverity.Error, code, "", message)]);

    /// <summary>Why a write was refused.</summary>
    public static IReadOnlyList<FhirIssue> IssuesOf(WriteOutcome outcome) => Refusal(outcome)?.Issues ?? [];

    public static IResult NotModified(StoredRecord record) => new FhirAnswer(default, StatusCodes.Status304NotModified) { Record = record };

    /// <summary>The answer to a write.</summary>
    /// <param name="outcome">What became of it.</param>
    /// <param name="wanted">What the client wants back.</param>
    /// <param name="findings">Given what was stored, what there is to say of it in an OperationOutcome.</param>
    public static IResult Of(WriteOutcome outcome, ReturnPreference wanted = ReturnPreference.Representation, Func<StoredRecord, IReadOnlyList<FhirIssue>>? findings = null)
    {
        if (outcome is not WriteOutcome.Written { Records: [var record] })
        {
            return Refusal(outcome) is var (code, refusals) ? Outcome(code, refusals) : throw new InvalidOperationException("Many writes are answered as a Bundle.");
        }
        var status = StatusOf(record.Done);
        if (record.Done is WriteDone.Deleted or WriteDone.Nothing)
        {
            return new FhirAnswer(default, status) { Record = record.Version > 0 ? record : null };
        }
        ReadOnlyMemory<byte> body = wanted switch
        {
            ReturnPreference.Minimal => default,
            ReturnPreference.OperationOutcome => findings?.Invoke(record) is { Count: > 0 } issues ? OperationOutcomeWriter.Write(issues) : Done,
            _ => record.Bytes.Length > 0 ? record.Bytes : Done,
        };
        return new FhirAnswer(body, status) { Record = record, HasLocation = true };
    }

    /// <summary>The answer to a read, or the part of it that was asked for.</summary>
    public static IResult Of(ReadOutcome outcome, SearchQuery? part = null) => outcome is ReadOutcome.Found { Record: var record }
        ? new FhirAnswer(part is null ? record.Bytes : ResourceSubset.Of(record.Bytes, part.Summary, part.Elements), StatusCodes.Status200OK) { Record = record }
        : Refusal(outcome) is var (code, issues) ? Outcome(code, issues) : throw new InvalidOperationException("Every outcome has its answer.");

    /// <summary>A record's meta, as a Parameters resource (R4 section 2.28.4).</summary>
    public static IResult Meta(StoredRecord record)
    {
        using var document = JsonDocument.Parse(record.Bytes);
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "Parameters"u8);
            json.WriteStartArray("parameter"u8);
            json.WriteStartObject();
            json.WriteString("name"u8, "return"u8);
            json.WritePropertyName("valueMeta"u8);
            document.RootElement.GetProperty("meta").WriteTo(json);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return new FhirAnswer(output.WrittenMemory, StatusCodes.Status200OK);
    }

    /// <summary>A page of a search. Its links hold no value that was searched for: the next page's stands sealed in a cursor.</summary>
    public static async Task<IResult> SearchsetAsync(SearchResult.Page page, string path, HttpContext context)
    {
        var root = FhirRequest.BaseOf(context);
        var (summary, elements) = (page.Query?.Summary ?? SummaryMode.False, page.Query?.Elements ?? []);
        List<(string, string)> links = [("self", SelfOf(page, path, root, context))];
        if (page.Next is { } next)
        {
            links.Add(("next", $"{root}/{path}?_cursor={next}"));
        }
        IEnumerable<SearchEntry> Entries(IEnumerable<StoredRecord> records, string mode) =>
            records.Select(record => new SearchEntry($"{root}/{record.Type}/{record.Id}", ResourceSubset.Of(record.Bytes, summary, mode == "match" ? elements : []), mode));
        List<SearchEntry> entries = [.. Entries(page.Records, "match"), .. Entries(page.Included, "include")];
        if (page.Issues.Count > 0)
        {
            entries.Add(new SearchEntry(null, OperationOutcomeWriter.Write(page.Issues), "outcome"));
        }
        using var body = new MemoryStream();
        await BundleWriter.WriteSearchsetAsync(body, page.Total, links, entries, context.RequestAborted);
        return new FhirAnswer(Written(body), StatusCodes.Status200OK);
    }

    public static async Task<IResult> HistoryAsync(HistoryOutcome.Page page, string path, HttpContext context)
    {
        var root = FhirRequest.BaseOf(context);
        List<(string, string)> links = [("self", $"{root}/{path}")];
        if (page.Next is { } next)
        {
            links.Add(("next", $"{root}/{path}?_cursor={next}"));
        }
        using var body = new MemoryStream();
        await BundleWriter.WriteHistoryAsync(body, page.Total, links, page.Versions.Select(version => HistoryEntryOf(version, root)), context.RequestAborted);
        return new FhirAnswer(Written(body), StatusCodes.Status200OK);
    }

    /// <summary>The answer to a batch or transaction.</summary>
    public static async Task<IResult> ResponseAsync(BundleResult.Done done, HttpContext context)
    {
        var returns = FhirRequest.ReturnOf(context) == ReturnPreference.Representation && context.Request.Headers["Prefer"].Count > 0;
        List<ResponseEntry> entries = [];
        foreach (var entry in done.Entries)
        {
            entries.Add(entry switch
            {
                EntryOutcome.Wrote { Record: var record } => ResponseOf(record, returns),
                EntryOutcome.Read { Outcome: ReadOutcome.Found { Record: var record } } => ResponseOf(record, true),
                EntryOutcome.Read { Outcome: var read } => RefusedEntry(Refusal(read)!.Value),
                EntryOutcome.Refused { Write: var write } => RefusedEntry(Refusal(write)!.Value),
                EntryOutcome.Searched { Type: var type, Result: SearchResult.Page page } =>
                    new ResponseEntry("200 OK", Resource: ((FhirAnswer)await SearchsetAsync(page, type, context)).Body),
                EntryOutcome.Searched { Result: SearchResult.Forbidden forbidden } => RefusedEntry((StatusCodes.Status403Forbidden, [Issue("forbidden", forbidden.Reason)])),
                EntryOutcome.Searched { Result: SearchResult.Invalid invalid } => RefusedEntry((StatusCodes.Status400BadRequest, invalid.Issues)),
                _ => throw new InvalidOperationException("Every outcome has its answer."),
            });
        }
        using var body = new MemoryStream();
        await BundleWriter.WriteResponseAsync(body, done.IsBatch ? "batch-response" : "transaction-response", entries, context.RequestAborted);
        return new FhirAnswer(Written(body), StatusCodes.Status200OK);
    }

    static ReadOnlyMemory<byte> Written(MemoryStream body) => body.GetBuffer().AsMemory(0, (int)body.Length);

    /// <summary>The request as it was understood; what came in a body does not go into an address.</summary>
    static string SelfOf(SearchResult.Page page, string path, string root, HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) || page.Query is not { Understood: { Count: > 0 } understood } || context.Request.Query.ContainsKey("_cursor"))
        {
            return $"{root}/{path}";
        }
        return $"{root}/{path}?{string.Join('&', understood.Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"))}";
    }

    static HistoryEntry HistoryEntryOf(HistoricRecord version, string root)
    {
        var record = version.Record;
        var method = version.IsDeleted ? "DELETE" : record.Version == 1 ? "POST" : "PUT";
        var response = new ResponseEntry(version.IsDeleted ? "204 No Content" : record.Version == 1 ? "201 Created" : "200 OK", ETag: TagOf(record), LastModified: record.Written);
        return new HistoryEntry($"{root}/{record.Type}/{record.Id}", record.Bytes, method, record.Version == 1 ? record.Type : $"{record.Type}/{record.Id}", response);
    }

    static ResponseEntry ResponseOf(StoredRecord record, bool withResource)
    {
        var status = StatusOf(record.Done);
        var name = status switch
        {
            StatusCodes.Status201Created => "201 Created",
            StatusCodes.Status204NoContent => "204 No Content",
            _ => "200 OK",
        };
        return record.Version == 0
            ? new ResponseEntry(name)
            : new ResponseEntry(name, $"{record.Type}/{record.Id}/_history/{record.Version}", TagOf(record), record.Written, withResource ? record.Bytes : default);
    }

    static ResponseEntry RefusedEntry((int Status, IReadOnlyList<FhirIssue> Issues) refusal) =>
        new(refusal.Status.ToString(CultureInfo.InvariantCulture), Outcome: OperationOutcomeWriter.Write(refusal.Issues));

    static int StatusOf(WriteDone done) => done switch
    {
        WriteDone.Created => StatusCodes.Status201Created,
        WriteDone.Deleted or WriteDone.Nothing => StatusCodes.Status204NoContent,
        _ => StatusCodes.Status200OK,
    };

    static (int Status, IReadOnlyList<FhirIssue> Issues)? Refusal(WriteOutcome outcome) => outcome switch
    {
        // What could not even be read is the request's fault, what breaks a rule the content's
        WriteOutcome.Invalid invalid => (invalid.Issues.Any(issue => issue.Severity == IssueSeverity.Fatal) ? StatusCodes.Status400BadRequest : StatusCodes.Status422UnprocessableEntity, invalid.Issues),
        WriteOutcome.Forbidden forbidden => (StatusCodes.Status403Forbidden, [Issue("forbidden", forbidden.Reason)]),
        WriteOutcome.NotFound { IsSought: true } => (StatusCodes.Status404NotFound, [Issue("not-found", "There is no such resource to patch.")]),
        WriteOutcome.Gone => (StatusCodes.Status410Gone, [Issue("deleted", "The resource was deleted; an update brings it back, a patch does not.")]),
        WriteOutcome.Altered altered => (StatusCodes.Status500InternalServerError, [AlteredIssue(altered.What)]),
        WriteOutcome.NotFound => (StatusCodes.Status405MethodNotAllowed, [Issue("not-supported", "There is no such resource. Create it with POST; ids are given by the server.")]),
        WriteOutcome.Conflict { IsRace: true } => (StatusCodes.Status409Conflict, [Issue("conflict", "Someone else wrote in the same moment. Read the newest version and send your change with If-Match.")]),
        WriteOutcome.Conflict conflict => (StatusCodes.Status412PreconditionFailed, [Issue("conflict",
            $"Version {conflict.Version} stands now. Read it, put your change on top, and send it with If-Match: W/\"{conflict.Version}\".")]),
        WriteOutcome.SeveralMatch several => (StatusCodes.Status412PreconditionFailed,
            [new FhirIssue(IssueSeverity.Error, "multiple-matches", several.Path, $"Several {several.Type} match the condition. Name one by an identifier with its system, or by its id.")]),
        WriteOutcome.InUse used => (StatusCodes.Status409Conflict, [Issue("conflict", used.Reason)]),
        _ => null,
    };

    static (int Status, IReadOnlyList<FhirIssue> Issues)? Refusal(ReadOutcome outcome) => outcome switch
    {
        ReadOutcome.Forbidden forbidden => (StatusCodes.Status403Forbidden, [Issue("forbidden", forbidden.Reason)]),
        ReadOutcome.NotFound => (StatusCodes.Status404NotFound, [Issue("not-found", "There is no such resource.")]),
        ReadOutcome.Gone gone => (StatusCodes.Status410Gone, [Issue("deleted", gone.Reason)]),
        ReadOutcome.Altered altered => (StatusCodes.Status500InternalServerError, [AlteredIssue(altered.What)]),
        _ => null,
    };

    /// <summary>Large answers of many resources are read whole: their limits are those of what was stored.</summary>
    static ReadOnlyMemory<byte> AsXml(ReadOnlyMemory<byte> json) =>
        FhirJson.Read(json, ReadLimits.Default with { BytesMax = int.MaxValue, NodesMax = int.MaxValue }) is FhirReadOutcome.Ok { Resource: var resource }
        && FhirXml.Write(resource) is XmlWriteOutcome.Ok { Utf8: var xml }
            ? xml
            : throw new InvalidOperationException("What is stored cannot be written as XML.");

    static FhirIssue AlteredIssue(string what) =>
        Issue("security", $"{what} was altered in the database and is not given out. Tell the administrator: salus verify names what differs.");

    static FhirIssue Issue(string code, string message) => new(IssueSeverity.Error, code, "", message);

    static string TagOf(StoredRecord record) => $"W/\"{record.Version}\"";

    sealed class FhirAnswer(ReadOnlyMemory<byte> body, int status) : IResult
    {
        public ReadOnlyMemory<byte> Body => body;

        /// <summary>The version that the headers tell of.</summary>
        public StoredRecord? Record { get; init; }

        /// <summary>Whether the headers say where it is.</summary>
        public bool HasLocation { get; init; }

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.Headers.CacheControl = "no-store";
            if (Record is { } record)
            {
                var location = $"/fhir/{record.Type}/{record.Id}/_history/{record.Version}";
                response.Headers.ETag = TagOf(record);
                response.Headers.LastModified = record.Written.ToString("R");
                if (HasLocation)
                {
                    response.Headers.Location = location;
                }
                if (!body.IsEmpty)
                {
                    response.Headers.ContentLocation = location;
                }
            }
            if (body.IsEmpty)
            {
                return;
            }
            var isXml = FhirRequest.WantsXml(httpContext);
            var written = isXml ? AsXml(body) : body;
            response.ContentType = $"{(isXml ? XmlMediaType : MediaType)}; charset=utf-8";
            response.ContentLength = written.Length;
            await response.Body.WriteAsync(written, httpContext.RequestAborted);
        }
    }
}
