using Npgsql;
using Salus.Platform.Schema;
using Salus.Tests.Platform;
using Salus.Vault.Keys;

namespace Salus.Tests.Vault;

/// <summary>An opened vault on a database of its own.</summary>
sealed class VaultGround : IAsyncDisposable
{
    VaultGround(NpgsqlDataSource database, MasterKey master, KeyVault vault) => (Database, Master, Vault) = (database, master, vault);

    public NpgsqlDataSource Database { get; }

    public MasterKey Master { get; }

    public KeyVault Vault { get; }

    public static async Task<VaultGround> NewAsync()
    {
        var database = NpgsqlDataSource.Create(await TestDatabase.NewAsync());
        await Migrations.ApplyAsync(database, CancellationToken.None);
        var master = MasterKey.CreateTransient();
        return new VaultGround(database, master, await OpenAsync(database, master));
    }

    /// <summary>Another vault on a database, as after a restart.</summary>
    public static async Task<KeyVault> OpenAsync(NpgsqlDataSource database, MasterKey master)
    {
        var vault = new KeyVault(database, master, TimeProvider.System);
        await vault.OpenAsync(CancellationToken.None);
        return vault;
    }

    /// <summary>The key of a new patient.</summary>
    public Task<OwnerKey> NewOwnerAsync() => Vault.EnsureOwnerAsync(Guid.NewGuid(), OwnerKind.Patient, CancellationToken.None);

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
