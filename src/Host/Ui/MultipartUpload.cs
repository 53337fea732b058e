using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Salus.Platform.Identity;

namespace Salus.Host.Ui;

/// <summary>
/// A form with one file, read as it streams in: the fields stand before the file, and the file is never held. The antiforgery token is among the
/// fields, so it is checked here, before a byte of the file is read.
/// </summary>
sealed class MultipartUpload
{
    const int FieldBytesMax = 16 * 1024;
    const int FieldsMax = 16;
    const int BoundaryLengthMax = 128;
    const string TokenField = "__RequestVerificationToken";
    const string TokenHeader = "X-Salus-Antiforgery";

    readonly Dictionary<string, string> fields = new(StringComparer.Ordinal);

    /// <summary>What the browser says the file is.</summary>
    public string ContentType { get; private set; } = "";

    /// <summary>What the file was called.</summary>
    public string FileName { get; private set; } = "";

    /// <summary>The file's bytes, to be read once.</summary>
    public Stream Content { get; private set; } = Stream.Null;

    /// <summary>A field's value, trimmed.</summary>
    public string Field(string name) => fields.GetValueOrDefault(name, "").Trim();

    /// <summary>Reads up to the file; a sentence to show when it cannot be had.</summary>
    /// <param name="context">The request.</param>
    /// <param name="bytesMax">The most that the file may hold.</param>
    /// <param name="antiforgery">Checks that the form is of this session.</param>
    public static async Task<(MultipartUpload? Upload, string? Refusal)> OpenAsync(HttpContext context, long bytesMax, IAntiforgery antiforgery)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = bytesMax + ((FieldsMax + 1) * FieldBytesMax);
        }
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "multipart/form-data"
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= BoundaryLengthMax } boundary)
        {
            return (null, "The form did not arrive as a form with a file. Choose a file and send it again.");
        }
        var upload = new MultipartUpload();
        var reader = new MultipartReader(boundary, context.Request.Body);
        while (await reader.ReadNextSectionAsync(context.RequestAborted) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
            {
                return (null, "A part of the form has no name. Send it from this page.");
            }
            if (!disposition.IsFileDisposition())
            {
                if (upload.fields.Count >= FieldsMax || await FieldAsync(section, context.RequestAborted) is not { } value)
                {
                    return (null, "A field of the form is too long.");
                }
                upload.fields[HeaderUtilities.RemoveQuotes(disposition.Name).Value ?? ""] = value;
                continue;
            }
            context.Request.Headers[TokenHeader] = upload.Field(TokenField);
            if (!await antiforgery.IsRequestValidAsync(context))
            {
                return (null, "The form is not of this session any more. Load the page again and send it once more.");
            }
            upload.FileName = Path.GetFileName((disposition.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName)).Value ?? "");
            upload.ContentType = section.ContentType ?? "";
            upload.Content = section.Body;
            return upload.FileName.Length == 0 ? (null, "Choose a file first.") : (upload, null);
        }
        return (null, "Choose a file first.");
    }

    /// <summary>Reads what is left of the file, so that the browser hears the answer instead of a broken connection.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        while (await Content.ReadAsync(buffer, cancellation) > 0)
        {
        }
    }

    static async Task<string?> FieldAsync(MultipartSection section, CancellationToken cancellation)
    {
        var buffer = new byte[FieldBytesMax + 1];
        var count = await section.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        return count > FieldBytesMax ? null : System.Text.Encoding.UTF8.GetString(buffer, 0, count);
    }
}
