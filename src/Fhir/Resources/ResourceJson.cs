using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Salus.Fhir.Resources;

/// <summary>A code in a system.</summary>
public sealed record Coding(string System, string Code, string? Display = null);

/// <summary>A business identifier.</summary>
public sealed record Identifier(string System, string Value);

/// <summary>The shapes that several resources share, written in FHIR JSON. Null and empty values are left out, as FHIR demands.</summary>
sealed class ResourceJson : IDisposable
{
    readonly ArrayBufferWriter<byte> _output = new();

    ResourceJson() => Json = new Utf8JsonWriter(_output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public Utf8JsonWriter Json { get; }

    public static byte[] Write(string resourceType, string? id, Action<ResourceJson> body)
    {
        using var resource = new ResourceJson();
        resource.Json.WriteStartObject();
        resource.Text("resourceType", resourceType);
        resource.Text("id", id);
        body(resource);
        resource.Json.WriteEndObject();
        resource.Json.Flush();
        return resource._output.WrittenSpan.ToArray();
    }

    public void Text(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            Json.WriteString(name, value);
        }
    }

    public void Date(string name, DateOnly value) => Text(name, value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>A dateTime or instant, in UTC to the second.</summary>
    public void Moment(string name, DateTimeOffset? value) =>
        Text(name, value?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));

    public void Object(string name, Action body)
    {
        Json.WriteStartObject(name);
        body();
        Json.WriteEndObject();
    }

    public void Array<T>(string name, IEnumerable<T> items, Action<T> item)
    {
        var started = false;
        foreach (var each in items)
        {
            if (!started)
            {
                Json.WriteStartArray(name);
                started = true;
            }
            item(each);
        }
        if (started)
        {
            Json.WriteEndArray();
        }
    }

    public void Objects<T>(string name, IEnumerable<T> items, Action<T> body) => Array(name, items, each =>
    {
        Json.WriteStartObject();
        body(each);
        Json.WriteEndObject();
    });

    public void Texts(string name, IEnumerable<string> items) => Array(name, items, Json.WriteStringValue);

    public void Reference(string name, string? reference)
    {
        if (reference is not null)
        {
            Object(name, () => Text("reference", reference));
        }
    }

    public void References(string name, IEnumerable<string> references) =>
        Objects(name, references, reference => Text("reference", reference));

    public void Coding(string name, Coding coding) => Object(name, () => Members(coding));

    public void Concept(string name, Coding? coding, string? text = null)
    {
        if (coding is not null || text is not null)
        {
            Object(name, () => ConceptMembers(coding, text));
        }
    }

    public void Concepts(string name, params Coding[] codings) => Objects(name, codings, coding => ConceptMembers(coding, null));

    public void Identifiers(IEnumerable<Identifier> identifiers) => Objects("identifier", identifiers, identifier =>
    {
        Text("system", identifier.System);
        Text("value", identifier.Value);
    });

    public void Period(string name, DateTimeOffset start, DateTimeOffset? end) => Object(name, () =>
    {
        Moment("start", start);
        Moment("end", end);
    });

    public void Quantity(string name, decimal value, string unit, string ucum) => Object(name, () =>
    {
        Json.WriteNumber("value", value);
        Text("unit", unit);
        Text("system", "http://unitsofmeasure.org");
        Text("code", ucum);
    });

    public void Dispose() => Json.Dispose();

    void ConceptMembers(Coding? coding, string? text)
    {
        if (coding is not null)
        {
            Objects("coding", [coding], Members);
        }
        Text("text", text);
    }

    void Members(Coding coding)
    {
        Text("system", coding.System);
        Text("code", coding.Code);
        Text("display", coding.Display);
    }
}
