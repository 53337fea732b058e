using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Salus.Platform.Identity;

/// <summary>How often a caller may ask, and a network address may try credentials.</summary>
sealed class RateLimits(IOptions<IdentityOptions> identity) : IConfigureOptions<RateLimiterOptions>
{
    /// <summary>The policy of endpoints that take credentials or codes.</summary>
    public const string Credentials = "credentials";

    const int NetworkBytes = 8; // one household or machine commands a whole /64 of IPv6

    public void Configure(RateLimiterOptions options)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            PerMinute(context.User.FindCaller() is { } caller ? caller.Account.ToString() : Address(context), identity.Value.RequestsPerMinute));
        options.AddPolicy(Credentials, context => HttpMethods.IsGet(context.Request.Method)
            ? RateLimitPartition.GetNoLimiter("") // the empty form tries nothing
            : PerMinute(Address(context), identity.Value.SignInsPerMinute));
        options.OnRejected = (rejected, _) => new ValueTask(RejectAsync(rejected.HttpContext,
            rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromMinutes(1)));
    }

    static Task RejectAsync(HttpContext context, TimeSpan retryAfter)
    {
        var seconds = Seconds(retryAfter);
        context.Response.Headers.RetryAfter = seconds;
        return Refusals.WriteAsync(context, StatusCodes.Status429TooManyRequests, "Too many requests.", $"Try again in {seconds} seconds.");
    }

    public static string Seconds(TimeSpan span) => Math.Max(1, (long)Math.Ceiling(span.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    static RateLimitPartition<string> PerMinute(string key, int countMax) =>
        RateLimitPartition.GetFixedWindowLimiter(key, _ => new FixedWindowRateLimiterOptions { PermitLimit = countMax, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 });

    static string Address(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        return address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false }
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, NetworkBytes))
            : address.MapToIPv4().ToString();
    }
}
