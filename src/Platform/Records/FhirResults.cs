using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;

namespace Salus.Platform.Records;

/// <summary>Answers of the FHIR endpoint: resources as stored, errors as OperationOutcome.</summary>
static class FhirResults
{
    public const string MediaType = "application/fhir+json";

    public static IResult Resource(StoredRecord record, int status = StatusCodes.Status200OK) => new FhirAnswer(record.Bytes, status)
    {
        ETag = $"W/\"{record.Version}\"",
        LastModified = record.Written,
        Location = status == StatusCodes.Status201Created ? $"/fhir/{record.Type}/{record.Id}/_history/{record.Version}" : null,
    };

    public static IResult Raw(byte[] json, int status = StatusCodes.Status200OK) => new FhirAnswer(json, status);

    public static IResult Outcome(int status, IReadOnlyList<FhirIssue> issues) => new FhirAnswer(OperationOutcomeWriter.Write(issues), status);

    public static IResult Outcome(int status, string code, string message) =>
        Outcome(status, [new FhirIssue(IssueSeverity.Error, code, "", message)]);

    public static IResult Of(WriteOutcome outcome) => outcome switch
    {
        WriteOutcome.Written { Records: [var record] } => Resource(record, record.Version == 1 ? StatusCodes.Status201Created : StatusCodes.Status200OK),
        WriteOutcome.Written written => Raw(TransactionResponse(written.Records)),
        WriteOutcome.Invalid invalid => Outcome(StatusCodes.Status422UnprocessableEntity, invalid.Issues),
        WriteOutcome.Forbidden forbidden => Outcome(StatusCodes.Status403Forbidden, "forbidden", forbidden.Reason),
        WriteOutcome.NotFound => Outcome(StatusCodes.Status404NotFound, "not-found", "There is no such resource. Create it with POST; ids are given by the server."),
        WriteOutcome.Conflict conflict => Outcome(StatusCodes.Status412PreconditionFailed, "conflict",
            $"Version {conflict.Version} stands now. Read it, put your change on top, and send it with If-Match: W/\"{conflict.Version}\"."),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };

    public static IResult Of(ReadOutcome outcome) => outcome switch
    {
        ReadOutcome.Found found => Resource(found.Record),
        ReadOutcome.Forbidden forbidden => Outcome(StatusCodes.Status403Forbidden, "forbidden", forbidden.Reason),
        ReadOutcome.NotFound => Outcome(StatusCodes.Status404NotFound, "not-found", "There is no such resource."),
        ReadOutcome.Gone gone => Outcome(StatusCodes.Status410Gone, "deleted", gone.Reason),
        ReadOutcome.Altered altered => Outcome(StatusCodes.Status500InternalServerError, "security",
            $"{altered.What} was altered in the database and is not given out. Tell the administrator: salus verify names what differs."),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };

    public static byte[] TransactionResponse(IReadOnlyList<StoredRecord> records)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + 200 * records.Count);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "Bundle"u8);
            json.WriteString("type"u8, "transaction-response"u8);
            json.WriteStartArray("entry"u8);
            foreach (var record in records)
            {
                json.WriteStartObject();
                json.WriteStartObject("response"u8);
                json.WriteString("status"u8, "201 Created"u8);
                json.WriteString("location"u8, $"{record.Type}/{record.Id}/_history/{record.Version}");
                json.WriteString("etag"u8, $"W/\"{record.Version}\"");
                json.WriteString("lastModified"u8, record.Written.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Searchset(SearchResult.Page page)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + page.Records.Sum(record => record.Bytes.Length + 100));
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "Bundle"u8);
            json.WriteString("type"u8, "searchset"u8);
            json.WriteNumber("total"u8, page.Total);
            json.WriteStartArray("entry"u8);
            foreach (var record in page.Records)
            {
                json.WriteStartObject();
                json.WritePropertyName("resource"u8);
                json.WriteRawValue(record.Bytes, skipInputValidation: true);
                json.WriteStartObject("search"u8);
                json.WriteString("mode"u8, "match"u8);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    sealed class FhirAnswer(byte[] body, int status) : IResult
    {
        public string? ETag { get; init; }

        public string? Location { get; init; }

        public DateTimeOffset? LastModified { get; init; }

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = $"{MediaType}; charset=utf-8";
            response.ContentLength = body.Length;
            response.Headers.CacheControl = "no-store";
            if (ETag is not null)
            {
                response.Headers.ETag = ETag;
            }
            if (Location is not null)
            {
                response.Headers.Location = Location;
            }
            if (LastModified is { } modified)
            {
                response.Headers.LastModified = modified.ToString("R");
            }
            await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
