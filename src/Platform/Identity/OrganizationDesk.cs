using System.Text.Json;
using Npgsql;
using Salus.Platform.Schema;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>The organisation that runs this node.</summary>
/// <param name="Id">Its id, also that of its key in the vault.</param>
/// <param name="Name">Its name.</param>
public sealed record Organization(Guid Id, string Name);

/// <summary>Keeps the one organisation of a node and its key, under which accounts are sealed.</summary>
public sealed class OrganizationDesk(NpgsqlDataSource database, KeyVault vault, TimeProvider time)
{
    const string SealKind = "Organization";
    (Organization Organization, OwnerKey Key)? opened;

    sealed record Profile(string Name);

    /// <summary>The organisation.</summary>
    /// <exception cref="InvalidOperationException"><see cref="EnsureAsync"/> has not run.</exception>
    public Organization Current => Opened.Organization;

    /// <summary>The key accounts are sealed under.</summary>
    internal OwnerKey Key => Opened.Key;

    (Organization Organization, OwnerKey Key) Opened =>
        opened ?? throw new InvalidOperationException($"Call {nameof(OrganizationDesk)}.{nameof(EnsureAsync)} before the server starts.");

    /// <summary>Makes the organisation on the first start; later starts find the one that is there, whatever <paramref name="name"/> says.</summary>
    /// <exception cref="VaultException">The organisation's key or profile was altered.</exception>
    public async Task<Organization> EnsureAsync(string name, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(cancellation, "LOCK TABLE organization IN EXCLUSIVE MODE");
        var rows = await connection.QueryAsync(cancellation, row => (Id: row.GetGuid(0), Profile: row.GetFieldValue<byte[]>(1)), "SELECT id, profile FROM organization");
        opened = rows is [var row] ? await OpenAsync(connection, row.Id, row.Profile, cancellation) : await CreateAsync(connection, name, cancellation);
        await transaction.CommitAsync(cancellation);
        return Current;
    }

    async Task<(Organization, OwnerKey)> CreateAsync(NpgsqlConnection connection, string name, CancellationToken cancellation)
    {
        var id = Guid.NewGuid();
        var key = await vault.CreateOwnerAsync(connection, id, OwnerKind.Organization, cancellation);
        var profile = key.Seal(new SealContext(SealKind, id.ToString(), 1), JsonSerializer.SerializeToUtf8Bytes(new Profile(name)));
        await connection.ExecuteAsync(cancellation, "INSERT INTO organization (id, profile, created) VALUES ($1, $2, $3)", id, profile, time.GetUtcNow());
        return (new Organization(id, name), key);
    }

    async Task<(Organization, OwnerKey)> OpenAsync(NpgsqlConnection connection, Guid id, byte[] profile, CancellationToken cancellation)
    {
        var key = await vault.FindOwnerAsync(connection, id, cancellation)
            ?? throw new VaultException("The organisation's key is gone from table vault_owner. Restore it from a backup.");
        return key.TryOpen(new SealContext(SealKind, id.ToString(), 1), profile, out var json)
            ? (new Organization(id, JsonSerializer.Deserialize<Profile>(json)!.Name), key)
            : throw new VaultException("The organisation's profile was altered in the database. Restore table organization from a backup.");
    }
}
