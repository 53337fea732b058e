using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Salus.Platform.Identity;

/// <summary>ProblemDetails that name the field, what was wrong and what would be right.</summary>
static class Problems
{
    public static ProblemHttpResult Field(int status, string field, string wrong, string right) =>
        TypedResults.Problem(statusCode: status, title: wrong, detail: right, extensions: [new("field", field)]);

    public static ProblemHttpResult BadField(string field, string wrong, string right) => Field(StatusCodes.Status422UnprocessableEntity, field, wrong, right);

    public static ProblemHttpResult Locked(HttpContext context, DateTimeOffset until, TimeProvider time)
    {
        context.Response.Headers.RetryAfter = RateLimits.Seconds(until - time.GetUtcNow());
        return TypedResults.Problem(statusCode: StatusCodes.Status429TooManyRequests, title: "The account is locked after too many failures in a row.",
            detail: $"Try again after {until:u}.", extensions: [new("lockedUntil", until)]);
    }
}
