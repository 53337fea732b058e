using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Salus.Fhir.Elements;
using Salus.Host.Ui.Pages.Clinic;
using Salus.Host.Ui.Pages.DataSets;
using Salus.Platform.Cohorts;
using Salus.Platform.Identity;
using Salus.Platform.Records;

namespace Salus.Host.Ui;

/// <summary>The forms that carry a file. It is read as it streams in, and the browser is sent back to the page with what became of it.</summary>
static class UploadEndpoints
{
    const long BundleBytesMax = 64 << 20;
    const int IssuesShownMax = 20;

    /// <summary>Maps the routes. Each checks the antiforgery token itself, for the token stands in the stream before the file.</summary>
    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/upload/file", FileAsync).RequireAuthorization(policy => policy.RequireRole(ReadingRoles.Writers.Split(','))).DisableAntiforgery().ExcludeFromDescription();
        routes.MapPost("/upload/bundle", BundleAsync).RequireAuthorization(Policies.Practitioner).DisableAntiforgery().ExcludeFromDescription();
        routes.MapPost("/data-sets/load", TableAsync).RequireAuthorization(policy => policy.RequireRole(DataSetRoles.Keepers.Split(','))).DisableAntiforgery().ExcludeFromDescription();
    }

    static async Task<IResult> FileAsync(RecordsDesk records, IAntiforgery antiforgery, Handover handover, HttpContext context)
    {
        var (upload, refusal) = await MultipartUpload.OpenAsync(context, RecordsDesk.FileBytesMax, antiforgery);
        if (upload is null)
        {
            return Back(context, handover, new UploadResult.Refused("The upload", refusal!, []));
        }
        var (caller, named) = (context.Caller(), upload.Field("patient"));
        var patient = Guid.TryParse(named, out _) ? named : await records.FindPatientAsync(caller, named, context.RequestAborted);
        if (patient is null)
        {
            return await RefuseAsync(context, handover, upload, "No patient has this id here. Check it, or add a condition with the new patient's particulars first.");
        }
        var title = upload.Field("title") is { Length: > 0 } given ? given : upload.FileName;
        return await records.UploadAsync(caller, patient, title, upload.ContentType, upload.Content, context.RequestAborted) switch
        {
            FileWriteOutcome.Stored stored => Back(context, handover, new UploadResult.Stored(upload.FileName, patient, stored.Document, stored.Length, stored.SealedLength)),
            FileWriteOutcome.Invalid invalid => await RefuseAsync(context, handover, upload, invalid.Reason),
            FileWriteOutcome.Refused { Write: WriteOutcome.Forbidden forbidden } => await RefuseAsync(context, handover, upload, forbidden.Reason),
            FileWriteOutcome.Refused { Write: WriteOutcome.Invalid { Issues: [var issue, ..] } } => await RefuseAsync(context, handover, upload, issue.Message),
            _ => await RefuseAsync(context, handover, upload, "The record changed in the meantime. Send the file again."),
        };
    }

    static async Task<IResult> BundleAsync(RecordsDesk records, IAntiforgery antiforgery, Handover handover, HttpContext context)
    {
        var (upload, refusal) = await MultipartUpload.OpenAsync(context, BundleBytesMax, antiforgery);
        if (upload is null)
        {
            return Back(context, handover, new UploadResult.Refused("The upload", refusal!, []));
        }
        if (await ReadAsync(upload.Content, context.RequestAborted) is not { } bytes)
        {
            return await RefuseAsync(context, handover, upload, $"A bundle may hold {BundleBytesMax >> 20} MiB. Send it in parts.");
        }
        return Back(context, handover, await records.ImportAsync(context.Caller(), bytes, context.RequestAborted) switch
        {
            WriteOutcome.Written written => new UploadResult.Imported(upload.FileName,
                written.Records.GroupBy(record => record.Type).OrderByDescending(group => group.Count()).ToDictionary(group => group.Key, group => group.Count()),
                [.. written.Records.Where(record => record.Type == "Patient").Select(record => record.Id).Take(IssuesShownMax)]),
            WriteOutcome.Invalid invalid => new UploadResult.Refused(upload.FileName, "It is not the FHIR R4 bundle that it says.",
                [.. invalid.Issues.Take(IssuesShownMax).Select(issue => new UploadIssue(Place(issue), issue.Message))], Math.Max(0, invalid.Issues.Count - IssuesShownMax)),
            WriteOutcome.Forbidden forbidden => new UploadResult.Refused(upload.FileName, forbidden.Reason, []),
            _ => new UploadResult.Refused(upload.FileName, "A record changed in the meantime. Send the bundle again.", []),
        });
    }

    static async Task<IResult> TableAsync(CohortDesk cohorts, IOptions<CohortsOptions> options, IAntiforgery antiforgery, Handover handover, HttpContext context)
    {
        var (upload, refusal) = await MultipartUpload.OpenAsync(context, (long)options.Value.FileMiBMax << 20, antiforgery);
        if (upload is null)
        {
            return ToDataSets(context, handover, new UploadResult.Refused("The upload", refusal!, []));
        }
        var name = upload.Field("name") is { Length: > 0 } given ? given : Path.GetFileNameWithoutExtension(upload.FileName);
        var delimiter = upload.Field("delimiter") switch { "semicolon" => ';', "tab" => '\t', "bar" => '|', _ => ',' };
        switch (await cohorts.LoadAsync(context.Caller(), name, upload.FileName, delimiter, upload.Content, context.RequestAborted))
        {
            case DataSetOutcome.Done done:
                return TypedResults.LocalRedirect($"/data-sets/{done.DataSet.Id}");
            case DataSetOutcome.NotCsv broken:
                await upload.DrainAsync(context.RequestAborted);
                return ToDataSets(context, handover, new UploadResult.Refused(upload.FileName, "It is not the CSV that it says.",
                    [new UploadIssue(broken.Line == 0 ? "The file" : $"Line {broken.Line}, column {broken.Column}{(broken.ColumnName is { } column ? $" ({column})" : "")}", broken.Message[(broken.Message.StartsWith("line ", StringComparison.Ordinal) ? broken.Message.IndexOf(": ", StringComparison.Ordinal) + 2 : 0)..])]));
            case var other:
                await upload.DrainAsync(context.RequestAborted);
                return ToDataSets(context, handover, new UploadResult.Refused(upload.FileName, DataSetRoles.Words(other), []));
        }
    }

    static string Place(FhirIssue issue) => (issue.Line, issue.Expression) switch
    {
        ({ } line, { Length: > 0 } expression) => $"Line {line}, column {issue.Column}: {expression}",
        ({ } line, _) => $"Line {line}, column {issue.Column}",
        (null, { Length: > 0 } expression) => expression,
        _ => "The file",
    };

    static async Task<IResult> RefuseAsync(HttpContext context, Handover handover, MultipartUpload upload, string reason)
    {
        await upload.DrainAsync(context.RequestAborted);
        return Back(context, handover, new UploadResult.Refused(upload.FileName, reason, []));
    }

    static RedirectHttpResult Back(HttpContext context, Handover handover, UploadResult result) =>
        TypedResults.LocalRedirect($"/upload?of={handover.Keep(context.Caller().Account, result)}");

    static RedirectHttpResult ToDataSets(HttpContext context, Handover handover, UploadResult result) =>
        TypedResults.LocalRedirect($"/data-sets?of={handover.Keep(context.Caller().Account, result)}");

    static async Task<byte[]?> ReadAsync(Stream content, CancellationToken cancellation)
    {
        using var whole = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await content.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            if (whole.Length + count > BundleBytesMax)
            {
                return null;
            }
            whole.Write(buffer, 0, count);
        }
        return whole.ToArray();
    }
}
