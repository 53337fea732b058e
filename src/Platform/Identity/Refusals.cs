using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Salus.Platform.Identity;

/// <summary>Writes a refusal that comes before any endpoint: an OperationOutcome on FHIR routes, ProblemDetails under the API, the bare status elsewhere.</summary>
public static class Refusals
{
    const string FhirPath = "/fhir";

    // Where programs ask, not people: no page is shown there
    static readonly string[] MachinePaths = [FhirPath, "/api", "/log", "/witness", "/cds-services"];

    /// <summary>Whether an address is asked by programs, not by people with a browser.</summary>
    public static bool IsMachine(PathString path) => Array.Exists(MachinePaths, prefix => path.StartsWithSegments(prefix, StringComparison.Ordinal));

    internal static Task WriteAsync(HttpContext context, int status, string title, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        if (!IsMachine(context.Request.Path))
        {
            return Task.CompletedTask; // a browser is shown the page for the status
        }
        return context.Request.Path.StartsWithSegments(FhirPath, StringComparison.Ordinal)
            ? WriteAsync(context, "application/fhir+json", new
            {
                resourceType = "OperationOutcome",
                issue = new[] { new { severity = "error", code = IssueCode(status), diagnostics = $"{title} {detail}" } },
            })
            : WriteAsync(context, "application/problem+json", new { title, status, detail });
    }

    static Task WriteAsync<T>(HttpContext context, string contentType, T body)
    {
        context.Response.ContentType = contentType;
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body), context.RequestAborted).AsTask();
    }

    static string IssueCode(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "login",
        StatusCodes.Status403Forbidden => "forbidden",
        StatusCodes.Status429TooManyRequests => "throttled",
        _ => "security",
    };
}
