using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Salus.Vault.Envelopes;

namespace Salus.Vault.Keys;

/// <summary>
/// The hierarchy of keys: the master key wraps epoch keys, those wrap owners' keys, those wrap the data key of each sealed thing.
/// Tables <c>vault_epoch</c> and <c>vault_owner</c> hold wrapped keys only.
/// </summary>
public sealed partial class KeyVault(NpgsqlDataSource database, MasterKey master, TimeProvider time)
{
    const int OwnersCachedMax = 20_000;
    static readonly Guid IndexOwner = new("5a105000-0000-4000-8000-000000000001");

    readonly ConcurrentDictionary<Guid, OwnerKey> owners = new();
    readonly ConcurrentDictionary<int, byte[]> epochs = new();
    int currentEpoch;
    byte[]? blindKey;

    /// <summary>Unwraps the epoch keys, or makes the first one in an empty database.</summary>
    /// <exception cref="VaultException">The master key is not the one this database was sealed under.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, "LOCK TABLE vault_epoch IN EXCLUSIVE MODE", cancellation);
        await LoadEpochsAsync(connection, cancellation);
        if (epochs.IsEmpty)
        {
            await AddEpochAsync(connection, 1, cancellation);
        }
        var index = await FindOwnerAsync(connection, IndexOwner, cancellation)
            ?? await CreateOwnerAsync(connection, IndexOwner, OwnerKind.Index, cancellation);
        await transaction.CommitAsync(cancellation);
        blindKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, index.Bytes.ToArray(), Aead.KeyBytes, info: "salus blind index"u8.ToArray());
    }

    /// <summary>Makes the key of a new owner, in the caller's transaction.</summary>
    public async Task<OwnerKey> CreateOwnerAsync(NpgsqlConnection connection, Guid id, OwnerKind kind, CancellationToken cancellation)
    {
        var key = RandomNumberGenerator.GetBytes(Aead.KeyBytes);
        while (true)
        {
            var epoch = currentEpoch;
            if (!epochs.TryGetValue(epoch, out var epochKey))
            {
                throw new VaultException("The vault has no epoch whose key is not destroyed. Restore table vault_epoch from a backup.");
            }
            // Not under an epoch that another process has destroyed meanwhile: the key would be lost with it.
            await using var insert = new NpgsqlCommand(
                """
                WITH living AS (SELECT epoch FROM vault_epoch WHERE epoch = $3 AND wrapped IS NOT NULL FOR KEY SHARE)
                INSERT INTO vault_owner (id, kind, epoch, wrapped, created) SELECT $1, $2, epoch, $4, $5 FROM living
                """, connection)
            {
                Parameters =
                {
                    new() { Value = id },
                    new() { Value = (short)kind },
                    new() { Value = epoch },
                    new() { Value = Wrap(epochKey, key, OwnerContext(id, kind)) },
                    new() { Value = time.GetUtcNow() },
                },
            };
            if (await insert.ExecuteNonQueryAsync(cancellation) == 1)
            {
                return new OwnerKey(id, kind, key);
            }
            await LoadEpochsAsync(connection, cancellation);
        }
    }

    /// <summary>The key of an owner that every node has, made when it is missing.</summary>
    public async Task<OwnerKey> EnsureOwnerAsync(Guid id, OwnerKind kind, CancellationToken cancellation)
    {
        if (await FindOwnerAsync(id, cancellation) is { } known)
        {
            return known;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, "LOCK TABLE vault_epoch IN EXCLUSIVE MODE", cancellation);
        var key = await FindOwnerAsync(connection, id, cancellation) ?? await CreateOwnerAsync(connection, id, kind, cancellation);
        await transaction.CommitAsync(cancellation);
        return key;
    }

    /// <summary>The key of an owner, or null when there is none: never made, or erased.</summary>
    public async ValueTask<OwnerKey?> FindOwnerAsync(Guid id, CancellationToken cancellation)
    {
        if (owners.TryGetValue(id, out var known))
        {
            return known;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var found = await FindOwnerAsync(connection, id, cancellation);
        if (found is not null)
        {
            if (owners.Count >= OwnersCachedMax)
            {
                owners.Clear();
            }
            owners[id] = found;
        }
        return found;
    }

    /// <summary>The key of an owner as the caller's transaction sees it.</summary>
    public async Task<OwnerKey?> FindOwnerAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation)
    {
        if (await FindWrappedAsync(connection, id, cancellation) is not var (kind, epoch, wrapped))
        {
            return null;
        }
        if (!epochs.ContainsKey(epoch))
        {
            // Another process of this node has begun an epoch.
            await LoadEpochsAsync(connection, cancellation);
        }
        return epochs.TryGetValue(epoch, out var epochKey) ? new OwnerKey(id, kind, UnwrapOwner(epochKey, wrapped, id, kind)) : null;
    }

    /// <summary>Destroys an owner's key in the caller's transaction: what was sealed under it can never be opened again.</summary>
    public async Task<bool> EraseOwnerAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation)
    {
        await using var update = new NpgsqlCommand("UPDATE vault_owner SET wrapped = NULL, erased = $2 WHERE id = $1 AND wrapped IS NOT NULL", connection)
        {
            Parameters = { new() { Value = id }, new() { Value = time.GetUtcNow() } },
        };
        var erased = await update.ExecuteNonQueryAsync(cancellation) == 1;
        owners.TryRemove(id, out _);
        return erased;
    }

    /// <summary>
    /// The keyed hash (<see cref="BlindHash"/>) under which a value that identifies or diagnoses is indexed. The parameter is hashed with it, so that
    /// equal values of two parameters do not meet.
    /// </summary>
    public byte[] Blind(string parameter, string value)
    {
        using var hash = OpenBlindHash();
        return hash.Of(parameter, value);
    }

    /// <summary>The keyed hash for many values, for one thread at a time.</summary>
    public BlindHash OpenBlindHash() => new(blindKey ?? throw new InvalidOperationException("Open the vault first."));

    static async Task<(OwnerKind Kind, int Epoch, byte[] Wrapped)?> FindWrappedAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation)
    {
        await using var read = new NpgsqlCommand("SELECT kind, epoch, wrapped FROM vault_owner WHERE id = $1 AND wrapped IS NOT NULL", connection)
        {
            Parameters = { new() { Value = id } },
        };
        await using var rows = await read.ExecuteReaderAsync(cancellation);
        return await rows.ReadAsync(cancellation) ? ((OwnerKind)rows.GetInt16(0), rows.GetInt32(1), rows.GetFieldValue<byte[]>(2)) : null;
    }

    static byte[] UnwrapOwner(ReadOnlySpan<byte> epochKey, byte[] wrapped, Guid id, OwnerKind kind) =>
        Unwrap(epochKey, wrapped, OwnerContext(id, kind))
            ?? throw new VaultException($"The wrapped key of owner {id} was altered in the database. Restore table vault_owner from a backup.");

    async Task LoadEpochsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var found = new Dictionary<int, byte[]>();
        await using (var read = new NpgsqlCommand("SELECT epoch, wrapped FROM vault_epoch WHERE wrapped IS NOT NULL", connection))
        await using (var rows = await read.ExecuteReaderAsync(cancellation))
        {
            while (await rows.ReadAsync(cancellation))
            {
                var epoch = rows.GetInt32(0);
                found[epoch] = Unwrap(master.Bytes, rows.GetFieldValue<byte[]>(1), EpochContext(epoch))
                    ?? throw new VaultException("The master key does not open this database. It was sealed under another master key: name the right one with --keys.");
            }
        }
        foreach (var (epoch, key) in found)
        {
            epochs[epoch] = key;
        }
        foreach (var gone in epochs.Keys.Except(found.Keys))
        {
            epochs.TryRemove(gone, out _);
        }
        currentEpoch = found.Count == 0 ? 0 : found.Keys.Max();
    }

    async Task AddEpochAsync(NpgsqlConnection connection, int epoch, CancellationToken cancellation)
    {
        var key = RandomNumberGenerator.GetBytes(Aead.KeyBytes);
        await using var insert = new NpgsqlCommand("INSERT INTO vault_epoch (epoch, wrapped, created) VALUES ($1, $2, $3)", connection)
        {
            Parameters =
            {
                new() { Value = epoch },
                new() { Value = Wrap(master.Bytes, key, EpochContext(epoch)) },
                new() { Value = time.GetUtcNow() },
            },
        };
        await insert.ExecuteNonQueryAsync(cancellation);
        epochs[epoch] = key;
        currentEpoch = epoch;
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    static byte[] EpochContext(int epoch) => Encoding.UTF8.GetBytes($"salus epoch {epoch}");

    static byte[] OwnerContext(Guid id, OwnerKind kind) => Encoding.UTF8.GetBytes($"salus owner {id} {(short)kind}");

    static byte[] Wrap(ReadOnlySpan<byte> wrapping, ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        var target = new byte[key.Length + Aead.Overhead];
        Aead.Seal(wrapping, key, context, target);
        return target;
    }

    static byte[]? Unwrap(ReadOnlySpan<byte> wrapping, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context)
    {
        var key = new byte[Aead.KeyBytes];
        return Aead.TryOpen(wrapping, wrapped, context, key) ? key : null;
    }
}
