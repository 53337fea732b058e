using System.Text;
using Npgsql;
using Salus.Platform.Schema;
using Salus.Vault.Envelopes;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>A passkey to sign in with, as its holder sees it.</summary>
public sealed record Passkey(Guid Id, string Name, DateTimeOffset Created, DateTimeOffset? Used);

/// <summary>A row of table <c>passkey</c>.</summary>
sealed record PasskeyRow(
    Guid Id, Guid Account, PasskeyCredential Credential, byte[] Name, int NameVersion, DateTimeOffset Created, DateTimeOffset? Used)
{
    /// <summary>All that lets the passkey in. The counter is left out: set back, it hides a copy and lets nobody in.</summary>
    public object?[] Bound() => [Id, Account, Credential.Id, Credential.X, Credential.Y, Name, NameVersion, Created];
}

/// <summary>The statements on table <c>passkey</c>. A row whose binding does not hold is reported and then is as good as none.</summary>
sealed class PasskeyStore(OrganizationDesk organization, RowBinding binding, AlteredRows altered)
{
    const string Table = "passkey";
    const string Columns = "id, account, credential, public_key, name, name_version, counter, created, used, binding";
    const int WordBytes = 32;

    /// <summary>False when the passkey is known already.</summary>
    public async Task<bool> AddAsync(NpgsqlConnection connection, Guid account, PasskeyCredential credential, string name, DateTimeOffset now, CancellationToken cancellation)
    {
        var id = Guid.CreateVersion7();
        var row = new PasskeyRow(id, account, credential, SealName(id, 1, name), 1, now, null);
        return await connection.ExecuteAsync(cancellation,
            $"INSERT INTO passkey ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9) ON CONFLICT (credential) DO NOTHING",
            id, account, credential.Id, (byte[])[.. credential.X, .. credential.Y], row.Name, 1, (long)credential.Counter, now, binding.Of(Table, row.Bound())) == 1;
    }

    public async Task<IReadOnlyList<PasskeyRow>> OfAccountAsync(NpgsqlConnection connection, Guid account, CancellationToken cancellation) =>
        await IntactAsync(await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM passkey WHERE account = $1 ORDER BY created", account), cancellation);

    /// <summary>The passkey, which nobody else uses until the transaction ends.</summary>
    public async Task<PasskeyRow?> FindToUseAsync(NpgsqlConnection connection, byte[] credential, CancellationToken cancellation) =>
        (await IntactAsync(await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM passkey WHERE credential = $1 FOR UPDATE", credential), cancellation)).SingleOrDefault();

    public static Task UsedAsync(NpgsqlConnection connection, Guid id, uint counter, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE passkey SET counter = $2, used = $3 WHERE id = $1", id, (long)counter, now);

    public async Task<bool> RenameAsync(NpgsqlConnection connection, Guid account, Guid id, string name, CancellationToken cancellation)
    {
        var found = await IntactAsync(await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM passkey WHERE id = $1 AND account = $2 FOR UPDATE", id, account), cancellation);
        if (found is not [var row])
        {
            return false;
        }
        row = row with { NameVersion = row.NameVersion + 1, Name = SealName(id, row.NameVersion + 1, name) };
        return await connection.ExecuteAsync(cancellation, "UPDATE passkey SET name = $2, name_version = $3, binding = $4 WHERE id = $1",
            id, row.Name, row.NameVersion, binding.Of(Table, row.Bound())) == 1;
    }

    public static async Task<bool> DeleteAsync(NpgsqlConnection connection, Guid account, Guid id, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "DELETE FROM passkey WHERE id = $1 AND account = $2", id, account) == 1;

    public Passkey View(PasskeyRow row) => new(row.Id,
        organization.Key.TryOpen(NameContext(row.Id, row.NameVersion), row.Name, out var name) ? Encoding.UTF8.GetString(name) : "", row.Created, row.Used);

    /// <summary>Forgets an account's passkeys, and what its authenticators have been asked.</summary>
    public static async Task RemoveAllAsync(NpgsqlConnection connection, Guid account, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM passkey_challenge WHERE account = $1", account);
        await connection.ExecuteAsync(cancellation, "DELETE FROM passkey WHERE account = $1", account);
    }

    public async Task<IEnumerable<AlteredRow>> AlteredAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM passkey")).Where(found => !found.Intact).Select(found => new AlteredRow(Table, found.Row.Account));

    async Task<IReadOnlyList<PasskeyRow>> IntactAsync(List<(PasskeyRow Row, bool Intact)> found, CancellationToken cancellation)
    {
        foreach (var (row, _) in found.Where(found => !found.Intact))
        {
            await altered.ReportAsync(Table, row.Account, cancellation);
        }
        return [.. found.Where(found => found.Intact).Select(found => found.Row)];
    }

    (PasskeyRow Row, bool Intact) Read(NpgsqlDataReader row)
    {
        var key = row.GetFieldValue<byte[]>(3);
        var found = new PasskeyRow(
            row.GetGuid(0), row.GetGuid(1), new PasskeyCredential(row.GetFieldValue<byte[]>(2), key[..Math.Min(WordBytes, key.Length)], key[Math.Min(WordBytes, key.Length)..], (uint)row.GetInt64(6)),
            row.GetFieldValue<byte[]>(4), row.GetInt32(5), row.GetFieldValue<DateTimeOffset>(7), row.NullableValue<DateTimeOffset>(8));
        return (found, binding.Holds(row.GetFieldValue<byte[]>(9), Table, found.Bound()));
    }

    byte[] SealName(Guid id, int version, string name) => organization.Key.Seal(NameContext(id, version), Encoding.UTF8.GetBytes(name));

    static SealContext NameContext(Guid id, int version) => new("PasskeyName", id.ToString(), version);
}
