using System.Buffers.Text;
using System.Security.Cryptography;
using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>What lets a caller in without credentials.</summary>
enum AccessKind : short
{
    /// <summary>A bearer token.</summary>
    Token = 1,
    /// <summary>A browser's session.</summary>
    Session = 2,
}

/// <summary>A token or session that opens an account now.</summary>
sealed record Access(AccountRow Account, DateTimeOffset Created, DateTimeOffset Expires);

/// <summary>
/// The statements on table <c>access_token</c>. A row is found by the keyed hash of its secret and bound to the account's security stamp, so
/// that one made without the key, moved to another account or kept over a change of the stamp opens nothing.
/// </summary>
sealed class AccessStore
{
    const string Table = "access_token";
    const int PerAccountMax = 100;
    const int SecretBytes = 32;
    const int AskedTogetherMax = 100;

    readonly RowBinding binding;
    readonly AccountStore accounts;
    readonly AlteredRows altered;
    readonly Gathering<byte[], FoundAccess?> asked;

    public AccessStore(NodeMessages messages, RowBinding binding, AccountStore accounts, AlteredRows altered)
    {
        (this.binding, this.accounts, this.altered) = (binding, accounts, altered);
        asked = new Gathering<byte[], FoundAccess?>(messages.Questions, Ask, AskedTogetherMax);
    }

    /// <summary>A row as it stands, and whether it and its account's are as they were written.</summary>
    sealed record FoundAccess(byte[] Hash, AccessKind Kind, AccountRow Account, bool AccountIsIntact, DateTimeOffset Created, DateTimeOffset Expires, bool IsIntact);

    /// <summary>A fresh secret of 32 random bytes.</summary>
    public static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>
    /// Adds a token or session; expired ones of the account go, and the oldest beyond the limit. False when the credentials it is given for
    /// no longer hold. The account stays as it is until the transaction ends.
    /// </summary>
    public async Task<bool> AddAsync(
        NpgsqlConnection connection, AccessKind kind, string secret, Entrance entrance, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation)
    {
        if (await accounts.FindToChangeAsync(connection, entrance.Caller.Account, cancellation) is not { MayEnter: true } account
            || !account.HasStamp(entrance.Stamp))
        {
            return false;
        }
        var hash = Hash(kind, secret);
        await connection.ExecuteAsync(cancellation,
            "INSERT INTO access_token (hash, kind, account, created, expires, binding) VALUES ($1, $2, $3, $4, $5, $6)",
            hash, (short)kind, account.Id, now, expires, binding.Of(Table, Bound(hash, kind, account, now, expires)));
        await connection.ExecuteAsync(cancellation,
            """
            DELETE FROM access_token WHERE account = $1 AND kind = $4 AND (expires <= $2 OR hash IN
                (SELECT hash FROM access_token WHERE account = $1 AND kind = $4 ORDER BY created DESC OFFSET $3))
            """, account.Id, now, PerAccountMax, (short)kind);
        return true;
    }

    /// <summary>What the secret opens now; null when it is unknown, expired or altered, or the account may not enter.</summary>
    public async Task<Access?> FindAsync(AccessKind kind, string secret, DateTimeOffset now, CancellationToken cancellation)
    {
        var hash = Hash(kind, secret);
        if (await asked.AskAsync(hash, cancellation) is not { } found || found.Kind != kind || found.Expires <= now
            || await accounts.IntactAsync((found.Account, found.AccountIsIntact), cancellation) is not { } account)
        {
            return null;
        }
        if (!found.IsIntact)
        {
            await altered.ReportAsync(Table, account.Id, cancellation);
            return null;
        }
        return account.MayEnter ? new Access(account, found.Created, found.Expires) : null;
    }

    AnswerReader<FoundAccess?> Ask(NpgsqlBatch message, IReadOnlyList<byte[]> hashes)
    {
        message.Add(
            $"""
            SELECT {AccountStore.Columns}, t.hash, t.kind, t.created, t.expires, t.binding
            FROM access_token t JOIN account a ON a.id = t.account WHERE t.hash = ANY($1)
            """, (object)hashes.DistinctBy(Convert.ToHexString).ToArray());
        return async rows =>
        {
            var found = await rows.ReadAllAsync(Read, CancellationToken.None);
            await rows.NextResultAsync();
            return [.. hashes.Select(hash => found.FirstOrDefault(row => hash.AsSpan().SequenceEqual(row.Hash)))];
        };
    }

    FoundAccess Read(NpgsqlDataReader row)
    {
        const int at = AccountStore.ColumnCount;
        var (account, isIntact) = accounts.Read(row);
        var (hash, kind) = (row.GetFieldValue<byte[]>(at), (AccessKind)row.GetInt16(at + 1));
        var (created, expires) = (row.GetFieldValue<DateTimeOffset>(at + 2), row.GetFieldValue<DateTimeOffset>(at + 3));
        return new FoundAccess(hash, kind, account, isIntact, created, expires, binding.Holds(row.GetFieldValue<byte[]>(at + 4), Table, Bound(hash, kind, account, created, expires)));
    }

    /// <summary>Lets a session live longer, unless it has ended meanwhile.</summary>
    public Task ExtendAsync(NpgsqlConnection connection, AccessKind kind, string secret, Access access, DateTimeOffset expires, CancellationToken cancellation)
    {
        var hash = Hash(kind, secret);
        return connection.ExecuteAsync(cancellation, "UPDATE access_token SET expires = $2, binding = $3 WHERE hash = $1 AND account = $4",
            hash, expires, binding.Of(Table, Bound(hash, kind, access.Account, access.Created, expires)), access.Account.Id);
    }

    /// <summary>Ends a token or session; whose it was, or null when there was none.</summary>
    public async Task<Guid?> DeleteAsync(NpgsqlConnection connection, AccessKind kind, string secret, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => (Guid?)row.GetGuid(0), "DELETE FROM access_token WHERE hash = $1 RETURNING account",
            Hash(kind, secret))).SingleOrDefault();

    /// <summary>Ends every token and session of an account. A new stamp goes with it, lest one that is issued just now lives on.</summary>
    public static Task DeleteAllAsync(NpgsqlConnection connection, Guid account, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM access_token WHERE account = $1", account);

    public async Task<IEnumerable<AlteredRow>> AlteredAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var rows = await connection.QueryAsync(cancellation, row => Altered(
            binding.Holds(row.GetFieldValue<byte[]>(6), Table, row.GetFieldValue<byte[]>(0), (AccessKind)row.GetInt16(1), row.GetGuid(2),
                row.GetFieldValue<DateTimeOffset>(3), row.GetFieldValue<DateTimeOffset>(4), row.GetFieldValue<byte[]>(5)), row.GetGuid(2)),
            "SELECT t.hash, t.kind, t.account, t.created, t.expires, a.security_stamp, t.binding FROM access_token t JOIN account a ON a.id = t.account");
        return rows.OfType<AlteredRow>();

        static AlteredRow? Altered(bool intact, Guid account) => intact ? null : new AlteredRow(Table, account);
    }

    byte[] Hash(AccessKind kind, string secret) => binding.Hash($"{Table} {kind}", secret);

    static object?[] Bound(byte[] hash, AccessKind kind, AccountRow account, DateTimeOffset created, DateTimeOffset expires) =>
        [hash, kind, account.Id, created, expires, account.Stamp];
}
