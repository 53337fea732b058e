using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Platform.Identity;

namespace Salus.Platform.Audit;

/// <summary>The HTTP surface of the audit trail: for auditors.</summary>
public static class AuditFeature
{
    const int LinesMax = 1000;

    /// <summary>Maps the routes.</summary>
    public static void MapAudit(this IEndpointRouteBuilder routes) => routes.MapGet("/api/audit", ListAsync).WithTags("Audit");

    static async Task<Results<Ok<IReadOnlyList<AuditLine>>, ForbidHttpResult>> ListAsync(AuditTrail trail, HttpContext context, int count = 200) =>
        context.Caller().Role == Role.Auditor
            ? TypedResults.Ok(await trail.ListAsync(null, Math.Clamp(count, 1, LinesMax), context.RequestAborted))
            : TypedResults.Forbid();
}
