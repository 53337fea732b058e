namespace Salus.Fhir.Resources;

/// <summary>The content of a file, as Binary; the bytes lie elsewhere.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Subject">Whose access rules it follows, such as Patient/1.</param>
public sealed record BinaryRecord(string? Id, string ContentType, string Subject)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Binary", Id, json =>
    {
        json.Text("contentType", ContentType);
        json.Reference("securityContext", Subject);
    });
}

/// <summary>A file in a patient's record, as DocumentReference.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Date">When it was added.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Url">Where the content is, such as Binary/1.</param>
/// <param name="Length">Its length in bytes; FHIR's unsignedInt ends at 2,147,483,647, and so does what is written.</param>
/// <param name="Title">What it is called.</param>
public sealed record FileRecord(string? Id, string Subject, DateTimeOffset Date, string ContentType, string Url, long Length, string Title)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("DocumentReference", Id, json =>
    {
        json.Text("status", "current");
        json.Reference("subject", Subject);
        json.Moment("date", Date);
        json.Objects("content", [Url], url => json.Object("attachment", () =>
        {
            json.Text("contentType", ContentType);
            json.Text("url", url);
            json.Json.WriteNumber("size", Math.Min(Length, int.MaxValue));
            json.Text("title", Title);
        }));
    });
}
