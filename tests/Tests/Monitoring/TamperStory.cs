using System.Buffers.Binary;
using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Monitoring;
using Salus.Platform.Records;
using Salus.Tests.Monitoring;
using Salus.Tests.Platform;
using Salus.Vault.Blobs;

[assembly: AssemblyFixture(typeof(TamperStory))]

namespace Salus.Tests.Monitoring;

/// <summary>
/// A node's life, lived once and anchored: two patients, their records, an update, a file, two consents of which one is revoked, reads. Each test
/// tampers with a copy of its database and folders.
/// </summary>
public sealed class TamperStory : IAsyncLifetime
{
    readonly SemaphoreSlim gate = new(1, 1);
    TestGround? ground;

    internal ChainEvidence Evidence { get; private set; } = null!;

    internal KeptHead Kept { get; private set; } = null!;

    internal string VerifierKey { get; private set; } = "";

    internal string Patient { get; private set; } = "";

    internal string File { get; private set; } = "";

    internal string Revoked { get; private set; } = "";

    internal long Leaves { get; private set; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A copy of what the node left, to be tampered with.</summary>
    internal async Task<TamperedNode> CopyAsync()
    {
        await gate.WaitAsync();
        try
        {
            if (ground is null)
            {
                ground = await TestGround.NewAsync();
                await LiveAsync();
            }
            return await TamperedNode.CopyAsync(ground, this);
        }
        finally
        {
            gate.Release();
        }
    }

    async Task LiveAsync()
    {
        await using var node = await TestNode.StartAsync(ground!);
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        await node.WaitUntilAnchoredAsync();
        await node.RecordAsync(doctor);
        var account = await node.AddAsync(Role.Patient, patient);
        await node.GrantAsync(account, doctor);
        Revoked = await node.GrantAsync(account, doctor);
        Assert.IsType<Salus.Platform.Consent.RevokeOutcome.Revoked>(await node.Consents.RevokeAsync(account, Revoked, default));
        var condition = records.Single(record => record.Type == "Condition");
        Assert.IsType<WriteOutcome.Written>(await node.Records.UpdateAsync(doctor, "Condition", condition.Id, condition.Bytes, 1, default));
        Assert.IsType<RetrievalOutcome.Found>(await node.Records.RetrieveAsync(doctor, patient, Salus.Platform.Consent.Purpose.Treatment, null, default));
        using var pdf = new MemoryStream([.. "%PDF-1.7\n"u8, .. new byte[300_000]]);
        var stored = Assert.IsType<FileWriteOutcome.Stored>(await node.Records.UploadAsync(doctor, patient, "Letter", "application/pdf", pdf, default));
        await node.WaitUntilAnchoredAsync();
        VerifierKey = node.Keys.VerifierKey;
        (Patient, File) = (patient, stored.Binary);
        Evidence = new ChainEvidence(node.Chain.Rpc, node.Chain.Contracts[ChainContract.Anchor], node.Keys.LogId, node.Chain.DeploymentBlock);
        Leaves = await node.Database.ValueAsync<long>("SELECT count(*) FROM leaf");
        var note = (await node.Get<BlockLog>().CheckpointAsync(default))!;
        using var verifier = NoteVerifier.Parse(node.Keys.VerifierKey);
        var checkpoint = Checkpoint.Verify(note, verifier.Name, verifier)!;
        Kept = new KeptHead("the safe", checkpoint.Size, checkpoint.Root.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        gate.Dispose();
        await (ground?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}

/// <summary>A copy of a stopped node, with what someone who owns its disk and database can do to it.</summary>
sealed class TamperedNode : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-tampered-");
    readonly TamperStory story;

    TamperedNode(NpgsqlDataSource database, TamperStory story) => (Database, this.story) = (database, story);

    public NpgsqlDataSource Database { get; }

    public string LogFolder => Path.Combine(folder.FullName, "log");

    public string BlobFolder => Path.Combine(folder.FullName, "blobs");

    public string BlobFile => Directory.GetFiles(BlobFolder, "*", SearchOption.AllDirectories).Single();

    public static async Task<TamperedNode> CopyAsync(TestGround ground, TamperStory story)
    {
        var copy = new TamperedNode(NpgsqlDataSource.Create(await TestDatabase.CopyAsync(ground.ConnectionString)), story);
        foreach (var file in Directory.GetFiles(ground.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.folder.FullName, Path.GetRelativePath(ground.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return copy;
    }

    /// <summary>Checks against the chain and the kept checkpoint, or against one of them.</summary>
    public async Task<IntegrityReport> CheckAsync(bool chain = true, bool kept = true)
    {
        using var files = new LogFiles(LogFolder);
        return await new IntegrityCheck(Database, files, new BlobStore(BlobFolder), story.VerifierKey, TimeProvider.System)
            .RunAsync(chain ? story.Evidence : null, kept ? [story.Kept] : [], null, TestContext.Current.CancellationToken);
    }

    /// <summary>The leaf of a version.</summary>
    public Task<long> LeafOfAsync(string type, string id, int version = 1) =>
        Database.ValueAsync<long>("SELECT position FROM leaf WHERE type = $1 AND id = $2 AND version = $3", type, id, version);

    /// <summary>The id of the story's patient's only resource of a type.</summary>
    public Task<string> IdOfAsync(string type) =>
        Database.ValueAsync<string>("SELECT id FROM entry WHERE type = $1 AND patient = $2 ORDER BY id LIMIT 1", type, story.Patient);

    /// <summary>Makes every leaf, head and log file agree with the rows as they stand, as an attacker would who knows the formats.</summary>
    public async Task RewriteLogAsync()
    {
        var rows = await Database.RowsAsync(row => (
            Position: row.GetInt64(0), Kind: (LeafKind)row.GetInt16(1), Type: row.GetString(2), Id: row.GetString(3), Version: row.GetInt32(4),
            Written: row.GetFieldValue<DateTimeOffset>(5), Content: row.GetFieldValue<byte[]>(6), Sealed: RowHash(row)),
            """
            SELECT l.position, e.kind, e.type, e.id, e.version, e.written, e.content, e.owner, e.deleted, e.patient, e.blob, e.ciphertext
            FROM leaf l JOIN entry e USING (type, id, version) ORDER BY l.position
            """);
        var tree = new MerkleTree();
        List<HashRun> hashes = [];
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            var envelope = new LeafEnvelope(row.Kind, $"{row.Type}/{row.Id}", (uint)row.Version,
                (row.Written.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond, row.Content, row.Sealed);
            await Database.ExecuteAsync("UPDATE leaf SET envelope = $2 WHERE position = $1", row.Position, envelope.Encode());
            await Database.ExecuteAsync("UPDATE leaf SET position = $2 WHERE position = $1", row.Position, (long)i);
            await Database.ExecuteAsync("UPDATE entry SET sealed = $4 WHERE type = $1 AND id = $2 AND version = $3", row.Type, row.Id, row.Version, row.Sealed);
            hashes.AddRange(tree.Append([envelope.LeafHash()]).Added);
        }
        await Database.ExecuteAsync("DELETE FROM anchor WHERE size > $1", tree.Size);
        await Database.ExecuteAsync("DELETE FROM log_head WHERE size > $1", tree.Size);
        foreach (var size in await Database.RowsAsync(row => row.GetInt64(0), "SELECT size FROM log_head"))
        {
            await Database.ExecuteAsync("UPDATE log_head SET root = $2 WHERE size = $1", size, tree.Root(size));
        }
        Directory.Delete(LogFolder, recursive: true);
        using var files = new LogFiles(LogFolder);
        files.Write(hashes);
    }

    static byte[] RowHash(NpgsqlDataReader row)
    {
        var patient = row.IsDBNull(9) ? [] : System.Text.Encoding.UTF8.GetBytes(row.GetString(9));
        var blob = row.IsDBNull(10) ? [] : row.GetFieldValue<byte[]>(10);
        byte[] bytes =
        [
            .. row.GetGuid(7).ToByteArray(bigEndian: true), row.GetBoolean(8) ? (byte)1 : (byte)0,
            .. Length(patient), .. patient, .. Length(blob), .. blob, .. row.GetFieldValue<byte[]>(11),
        ];
        return SHA256.HashData(bytes);
    }

    static byte[] Length(byte[] part)
    {
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)part.Length);
        return length;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        folder.Delete(recursive: true);
    }
}
