using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Anchoring;

/// <summary>A name of the node's log: the first, or that of a successor. The key is the same; the name makes another verifier key and another id.</summary>
/// <param name="Origin">The first line of its checkpoints.</param>
/// <param name="VerifierKey">The key in the form that verifiers are given.</param>
/// <param name="LogId">Its id at the anchor contract.</param>
/// <param name="Kept">How many leaves it took over; heads up to there are its predecessor's.</param>
/// <param name="EndedSize">Leaves under its last anchored head, once it was succeeded.</param>
public sealed record LogName(string Origin, string VerifierKey, byte[] LogId, long Kept, long? EndedSize);

/// <summary>The node's own signing keys: P-256 for checkpoints, secp256k1 for the chain. Sealed in the database, made on first use.</summary>
public sealed class NodeKeys : IDisposable
{
    const string CheckpointKey = "checkpoint";
    const string ChainKey = "chain";
    const string WitnessKey = "witness";

    readonly ECDsa checkpointKey;
    readonly ECDsa witnessKey;

    // Set while the node opens, before anything is signed.
    IReadOnlyList<LogName> logs;

    NodeKeys(ECDsa checkpoint, ECDsa witness, Secp256k1Key chain, string origin)
    {
        Chain = chain;
        witnessKey = witness;
        Witness = new WitnessSigner($"{origin}/witness", witness);
        checkpointKey = checkpoint;
        logs = [Name(origin, 0, null)];
    }

    /// <summary>The key that pays for and sends this member's transactions.</summary>
    public Secp256k1Key Chain { get; }

    /// <summary>The key that cosigns other members' checkpoints.</summary>
    public WitnessSigner Witness { get; }

    /// <summary>The log's name in its checkpoints.</summary>
    public string Origin => logs[^1].Origin;

    /// <summary>The checkpoint key in the form that verifiers are given (C2SP signed-note).</summary>
    public string VerifierKey => logs[^1].VerifierKey;

    /// <summary>The log's id at the anchor contract: the hash of its verifier key.</summary>
    public byte[] LogId => logs[^1].LogId;

    /// <summary>The names that the log has had, the one it has now last.</summary>
    public IReadOnlyList<LogName> Logs => logs;

    /// <summary>Opens the node's keys, or makes them.</summary>
    public static async Task<NodeKeys> OpenAsync(NpgsqlDataSource database, KeyVault vault, string origin, CancellationToken cancellation)
    {
        var owner = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        await vault.EnsureOwnerAsync(Owners.Audit, OwnerKind.Audit, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(cancellation, "LOCK TABLE node_key IN EXCLUSIVE MODE");
        var checkpoint = await EnsureAsync(connection, owner, CheckpointKey, NewSigningKey, cancellation);
        var witness = await EnsureAsync(connection, owner, WitnessKey, NewSigningKey, cancellation);
        var chain = await EnsureAsync(connection, owner, ChainKey, () =>
        {
            using var key = Secp256k1Key.Create();
            return key.ExportPrivate();
        }, cancellation);
        await transaction.CommitAsync(cancellation);
        return new NodeKeys(SigningKey(checkpoint), SigningKey(witness), Secp256k1Key.FromPrivate(chain), origin);
    }

    /// <summary>The id of the log that a verifier key belongs to.</summary>
    public static byte[] LogIdOf(string verifierKey) => SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(verifierKey));

    /// <summary>The name under which a head of this size was or is signed.</summary>
    public LogName LogOf(long size) => logs.Last(log => log.Kept < size || log.Kept == 0);

    /// <summary>The signed checkpoint of a head (C2SP tlog-checkpoint).</summary>
    public string SignCheckpoint(long size, byte[] root)
    {
        var origin = LogOf(size).Origin;
        var signer = new NoteSigner(origin, checkpointKey);
        using (signer.Verifier)
        {
            return new Checkpoint(origin, size, root).Sign(signer).ToString();
        }
    }

    /// <summary>A notice signed by the log that says it.</summary>
    public string Sign(LogNotice notice)
    {
        var signer = new NoteSigner(notice.Origin, checkpointKey);
        using (signer.Verifier)
        {
            return SignedNote.Sign(notice.ToText(), signer).ToString();
        }
    }

    internal LogName Name(string origin, long kept, long? endedSize)
    {
        using var verifier = NoteVerifier.Of(origin, checkpointKey);
        var key = verifier.ToString();
        return new LogName(origin, key, LogIdOf(key), kept, endedSize);
    }

    internal void Take(IReadOnlyList<LogName> names) => logs = names;

    /// <inheritdoc/>
    public void Dispose()
    {
        Chain.Dispose();
        checkpointKey.Dispose();
        witnessKey.Dispose();
        Witness.Verifier.Dispose();
    }

    static byte[] NewSigningKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKey();
    }

    static ECDsa SigningKey(byte[] pkcs8)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        return key;
    }

    static async Task<byte[]> EnsureAsync(NpgsqlConnection connection, OwnerKey owner, string name, Func<byte[]> create, CancellationToken cancellation)
    {
        var context = new SealContext("NodeKey", name, 1);
        var found = await connection.QueryAsync(cancellation, row => row.GetFieldValue<byte[]>(0), "SELECT sealed FROM node_key WHERE name = $1", name);
        if (found.Count == 0)
        {
            var key = create();
            await connection.ExecuteAsync(cancellation, "INSERT INTO node_key (name, sealed) VALUES ($1, $2)", name, owner.Seal(context, key));
            return key;
        }
        return owner.TryOpen(context, found[0], out var opened)
            ? opened
            : throw new VaultException($"The node's {name} key was altered in the database. Restore table node_key from a backup.");
    }
}
