using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Bundles;

/// <summary>One match, include or outcome of a search, or one resource of a collection.</summary>
/// <param name="FullUrl">Its absolute URL.</param>
/// <param name="Utf8">The stored bytes, written as they are.</param>
/// <param name="Mode"><c>match</c>, <c>include</c> or <c>outcome</c>.</param>
public sealed record SearchEntry(string? FullUrl, ReadOnlyMemory<byte> Utf8, string Mode = "match");

/// <summary>What became of one entry of a transaction or batch.</summary>
/// <param name="Status">The HTTP status, such as <c>201 Created</c>.</param>
/// <param name="Location">Where the version is.</param>
/// <param name="ETag">Such as <c>W/"1"</c>.</param>
/// <param name="LastModified">The version's instant.</param>
/// <param name="Resource">The content to return, if any.</param>
/// <param name="Outcome">An OperationOutcome to return, if any.</param>
public sealed record ResponseEntry(
    string Status,
    string? Location = null,
    string? ETag = null,
    DateTimeOffset? LastModified = null,
    ReadOnlyMemory<byte> Resource = default,
    ReadOnlyMemory<byte> Outcome = default);

/// <summary>One version in a history.</summary>
/// <param name="FullUrl">The resource's absolute URL.</param>
/// <param name="Utf8">The stored bytes; empty for a deletion.</param>
/// <param name="Method">The verb that made it.</param>
/// <param name="Url">What the verb was done to, relative to the base.</param>
/// <param name="Response">What it was answered with.</param>
public sealed record HistoryEntry(string FullUrl, ReadOnlyMemory<byte> Utf8, string Method, string Url, ResponseEntry Response);

/// <summary>Writes the Bundles a server answers with. Resources are copied as stored, never parsed again.</summary>
public static class BundleWriter
{
    internal static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A searchset.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="total">How many match in all, when counted.</param>
    /// <param name="links">Pairs of relation (<c>self</c>, <c>next</c>) and URL.</param>
    /// <param name="entries">The page.</param>
    /// <param name="cancellation">Stops the writing.</param>
    public static async Task WriteSearchsetAsync(
        Stream output, long? total, IEnumerable<(string Relation, string Url)> links, IEnumerable<SearchEntry> entries, CancellationToken cancellation)
    {
        await using var json = new Utf8JsonWriter(output, WriterOptions);
        Start(json, "searchset");
        if (total is not null)
        {
            json.WriteNumber("total"u8, total.Value);
        }
        WriteLinks(json, links);
        await WriteEntriesAsync(json, entries, WriteSearchEntry, cancellation);
    }

    /// <summary>A history, newest first.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="total">How many versions there are, when counted.</param>
    /// <param name="links">Pairs of relation and URL.</param>
    /// <param name="entries">The page.</param>
    /// <param name="cancellation">Stops the writing.</param>
    public static async Task WriteHistoryAsync(
        Stream output, long? total, IEnumerable<(string Relation, string Url)> links, IEnumerable<HistoryEntry> entries, CancellationToken cancellation)
    {
        await using var json = new Utf8JsonWriter(output, WriterOptions);
        Start(json, "history");
        if (total is not null)
        {
            json.WriteNumber("total"u8, total.Value);
        }
        WriteLinks(json, links);
        await WriteEntriesAsync(json, entries, WriteHistoryEntry, cancellation);
    }

    /// <summary>A transaction that deletes, as Bulk Data tells of what is gone.</summary>
    /// <param name="urls">What is gone, as <c>Type/id</c>.</param>
    public static byte[] Deletions(IEnumerable<string> urls)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, WriterOptions))
        {
            Start(json, "transaction");
            json.WriteStartArray("entry"u8);
            foreach (var url in urls)
            {
                json.WriteStartObject();
                json.WriteStartObject("request"u8);
                json.WriteString("method"u8, "DELETE"u8);
                json.WriteString("url"u8, url);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The answer to a transaction or a batch.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="type"><c>transaction-response</c> or <c>batch-response</c>.</param>
    /// <param name="entries">One per entry received, in that order.</param>
    /// <param name="cancellation">Stops the writing.</param>
    public static async Task WriteResponseAsync(Stream output, string type, IEnumerable<ResponseEntry> entries, CancellationToken cancellation)
    {
        await using var json = new Utf8JsonWriter(output, WriterOptions);
        Start(json, type);
        await WriteEntriesAsync(json, entries, WriteResponseEntry, cancellation);
    }

    static void Start(Utf8JsonWriter json, string type)
    {
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "Bundle"u8);
        json.WriteString("type"u8, type);
    }

    static void WriteLinks(Utf8JsonWriter json, IEnumerable<(string Relation, string Url)> links)
    {
        var started = false;
        foreach (var (relation, url) in links)
        {
            if (!started)
            {
                json.WriteStartArray("link"u8);
                started = true;
            }
            json.WriteStartObject();
            json.WriteString("relation"u8, relation);
            json.WriteString("url"u8, url);
            json.WriteEndObject();
        }
        if (started)
        {
            json.WriteEndArray();
        }
    }

    /// <remarks>FHIR has no empty arrays, so the array starts with its first entry.</remarks>
    static async Task WriteEntriesAsync<T>(Utf8JsonWriter json, IEnumerable<T> entries, Action<Utf8JsonWriter, T> write, CancellationToken cancellation)
    {
        const int flushBytes = 1 << 16;
        var started = false;
        foreach (var entry in entries)
        {
            if (!started)
            {
                json.WriteStartArray("entry"u8);
                started = true;
            }
            json.WriteStartObject();
            write(json, entry);
            json.WriteEndObject();
            if (json.BytesPending > flushBytes)
            {
                await json.FlushAsync(cancellation);
            }
        }
        if (started)
        {
            json.WriteEndArray();
        }
        json.WriteEndObject();
        await json.FlushAsync(cancellation);
    }

    static void WriteSearchEntry(Utf8JsonWriter json, SearchEntry entry)
    {
        if (entry.FullUrl is not null)
        {
            json.WriteString("fullUrl"u8, entry.FullUrl);
        }
        WriteRaw(json, "resource"u8, entry.Utf8);
        json.WriteStartObject("search"u8);
        json.WriteString("mode"u8, entry.Mode);
        json.WriteEndObject();
    }

    static void WriteHistoryEntry(Utf8JsonWriter json, HistoryEntry entry)
    {
        json.WriteString("fullUrl"u8, entry.FullUrl);
        if (!entry.Utf8.IsEmpty)
        {
            WriteRaw(json, "resource"u8, entry.Utf8);
        }
        json.WriteStartObject("request"u8);
        json.WriteString("method"u8, entry.Method);
        json.WriteString("url"u8, entry.Url);
        json.WriteEndObject();
        WriteResponseEntry(json, entry.Response);
    }

    static void WriteResponseEntry(Utf8JsonWriter json, ResponseEntry entry)
    {
        if (!entry.Resource.IsEmpty)
        {
            WriteRaw(json, "resource"u8, entry.Resource);
        }
        json.WriteStartObject("response"u8);
        json.WriteString("status"u8, entry.Status);
        WriteOptional(json, "location", entry.Location);
        WriteOptional(json, "etag", entry.ETag);
        WriteOptional(json, "lastModified", entry.LastModified?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        if (!entry.Outcome.IsEmpty)
        {
            WriteRaw(json, "outcome"u8, entry.Outcome);
        }
        json.WriteEndObject();
    }

    static void WriteRaw(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> utf8)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(utf8.Span, skipInputValidation: true);
    }

    static void WriteOptional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
