using Microsoft.Extensions.Options;
using Npgsql;

namespace Salus.Platform.Identity;

/// <summary>A bearer token, shown once.</summary>
public sealed record IssuedToken(string Token, DateTimeOffset Expires);

/// <summary>Issues, checks and revokes opaque bearer tokens of 32 random bytes; the database holds a keyed hash of each.</summary>
public sealed class TokenDesk(NpgsqlDataSource database, IdentityTables tables, IdentityHooks hooks, IOptions<IdentityOptions> options, TimeProvider time)
{
    const string Prefix = "salus_"; // scanners for leaked secrets look for one

    /// <summary>A token for who gave the right credentials; null when they have changed since, or the account was shut.</summary>
    public async Task<IssuedToken?> IssueAsync(Entrance entrance, CancellationToken cancellation)
    {
        var token = Prefix + AccessStore.NewSecret();
        var now = time.GetUtcNow();
        var expires = now.AddHours(options.Value.TokenHours);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await tables.Access.AddAsync(connection, AccessKind.Token, token, entrance, now, expires, cancellation))
        {
            return null;
        }
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.TokenIssued, entrance.Caller.Account, null, now), cancellation);
        await transaction.CommitAsync(cancellation);
        return new IssuedToken(token, expires);
    }

    /// <summary>A token for an account as it stands now, for the program itself.</summary>
    /// <exception cref="InvalidOperationException">There is no such account, or it may not enter.</exception>
    public async Task<IssuedToken> IssueAsync(Guid account, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.FindAsync(connection, account, cancellation) is { } row && await IssueAsync(row.Entrance, cancellation) is { } issued
            ? issued
            : throw new InvalidOperationException($"The account {account} may not enter.");
    }

    /// <summary>Whose token it is; null when it is unknown, expired or revoked, or the account may not enter. Asks the database each time, so a revocation counts at once.</summary>
    public async Task<Caller?> FindAsync(string token, CancellationToken cancellation) =>
        (await tables.Access.FindAsync(AccessKind.Token, token, time.GetUtcNow(), cancellation))?.Account.Caller;

    /// <summary>Ends a token.</summary>
    public async Task RevokeAsync(string token, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Access.DeleteAsync(connection, AccessKind.Token, token, cancellation) is { } account)
        {
            await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.TokenRevoked, account, null, time.GetUtcNow()), cancellation);
        }
        await transaction.CommitAsync(cancellation);
    }
}
