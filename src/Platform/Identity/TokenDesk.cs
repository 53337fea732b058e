using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>A bearer token, shown once.</summary>
public sealed record IssuedToken(string Token, DateTimeOffset Expires);

/// <summary>Issues, checks and revokes opaque bearer tokens of 32 random bytes; the database holds their SHA-256.</summary>
public sealed class TokenDesk(NpgsqlDataSource database, IdentityHooks hooks, IOptions<IdentityOptions> options, TimeProvider time)
{
    const string Prefix = "salus_"; // scanners for leaked secrets look for one
    const int TokenBytes = 32;

    /// <summary>A token for an account whose credentials were right just now.</summary>
    public async Task<IssuedToken> IssueAsync(Guid account, CancellationToken cancellation)
    {
        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var now = time.GetUtcNow();
        var expires = now.AddHours(options.Value.TokenHours);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await TokenStore.InsertAsync(connection, Hash(token), account, now, expires, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.TokenIssued, account, null, now), cancellation);
        await transaction.CommitAsync(cancellation);
        return new IssuedToken(token, expires);
    }

    /// <summary>Whose token it is; null when it is unknown, expired or revoked, or the account may not enter. Asks the database each time, so a revocation counts at once.</summary>
    public async Task<Caller?> FindAsync(string token, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await TokenStore.FindAsync(connection, Hash(token), time.GetUtcNow(), cancellation);
    }

    /// <summary>Ends a token.</summary>
    public async Task RevokeAsync(string token, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await TokenStore.DeleteAsync(connection, Hash(token), cancellation) is { } account)
        {
            await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.TokenRevoked, account, null, time.GetUtcNow()), cancellation);
        }
        await transaction.CommitAsync(cancellation);
    }

    static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>The statements on table <c>access_token</c>.</summary>
static class TokenStore
{
    const int PerAccountMax = 100;

    /// <summary>Adds a token; expired ones go, and the oldest beyond the limit.</summary>
    public static async Task InsertAsync(NpgsqlConnection connection, byte[] hash, Guid account, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "INSERT INTO access_token (hash, account, created, expires) VALUES ($1, $2, $3, $4)", hash, account, now, expires);
        await connection.ExecuteAsync(cancellation,
            """
            DELETE FROM access_token WHERE account = $1 AND (expires <= $2 OR hash IN
                (SELECT hash FROM access_token WHERE account = $1 ORDER BY created DESC OFFSET $3))
            """, account, now, PerAccountMax);
    }

    public static async Task<Caller?> FindAsync(NpgsqlConnection connection, byte[] hash, DateTimeOffset now, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => new Caller(row.GetGuid(0), (Role)row.GetInt16(1), row.Nullable<string>(2)),
            """
            SELECT account.id, account.role, account.patient FROM access_token JOIN account ON account.id = access_token.account
            WHERE access_token.hash = $1 AND access_token.expires > $2 AND account.approved IS NOT NULL AND account.disabled IS NULL
            """, hash, now)).SingleOrDefault();

    public static async Task<Guid?> DeleteAsync(NpgsqlConnection connection, byte[] hash, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => (Guid?)row.GetGuid(0), "DELETE FROM access_token WHERE hash = $1 RETURNING account", hash)).SingleOrDefault();

    public static Task DeleteAllAsync(NpgsqlConnection connection, Guid account, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM access_token WHERE account = $1", account);
}
