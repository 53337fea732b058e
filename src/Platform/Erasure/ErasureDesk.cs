using System.Text;
using Npgsql;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Erasure;

/// <summary>
/// Erases patients (GDPR article 17): their key, everything that was sealed under it, what it was found by, consents, codes, account and files.
/// The log keeps its leaves; a signed notice in one of them says which stand for what was erased, and by whose authority.
/// </summary>
public sealed class ErasureDesk(
    NpgsqlDataSource database, KeyVault vault, NodeKeys keys, AuditTrail audit, PatientAccounts accounts, Sequencer sequencer, BlobRemoval removal, TimeProvider time)
{
    static readonly TimeSpan SequencedWaitMax = TimeSpan.FromSeconds(10);
    static readonly TimeSpan SequencedPoll = TimeSpan.FromMilliseconds(50);

    /// <summary>What an erasure would take away now. The second step repeats its confirmation, so that what is erased is what was shown.</summary>
    public async Task<PreviewOutcome> PreviewAsync(Caller caller, string patient, string ground, CancellationToken cancellation)
    {
        if (Objection(caller, ground) is { } objection)
        {
            return objection;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await RecordStore.LockPatientAsync(connection, patient, cancellation) is not { } owner)
        {
            return new PreviewOutcome.Unknown();
        }
        var (versions, files) = await SealedStore.CountOfOwnerAsync(connection, owner, cancellation);
        return new PreviewOutcome.Shown(new ErasurePreview(
            patient, ground, versions, files, await ConsentStore.CountOfPatientAsync(connection, patient, cancellation),
            await accounts.HasAccountAsync(connection, patient, cancellation), Confirmation(caller, patient, ground, versions)));
    }

    /// <summary>Erases, in one transaction; sealed files follow after it.</summary>
    public async Task<ErasureOutcome> EraseAsync(Caller caller, string patient, string ground, string confirmation, CancellationToken cancellation)
    {
        if (Objection(caller, ground) is { } objection)
        {
            return new ErasureOutcome.Refused(objection);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // From here on nobody writes into the record; then its consents, whose revocation writes too.
        if (await RecordStore.LockPatientAsync(connection, patient, cancellation) is not { } owner
            || await vault.FindOwnerAsync(connection, owner, cancellation) is not { } key)
        {
            return new ErasureOutcome.Refused(new PreviewOutcome.Unknown());
        }
        var (versions, _) = await SealedStore.CountOfOwnerAsync(connection, owner, cancellation);
        if (!string.Equals(confirmation, Confirmation(caller, patient, ground, versions), StringComparison.Ordinal))
        {
            return new ErasureOutcome.Unconfirmed();
        }
        await ConsentStore.RemoveOfPatientAsync(connection, patient, cancellation);
        await RecoveryStore.RemoveOfContactAsync(connection, RecoveryDesk.ContactHash(vault, patient), cancellation);
        if (!await SequencedAsync(connection, owner, cancellation))
        {
            return new ErasureOutcome.Busy();
        }
        await accounts.ForgetAsync(connection, patient, cancellation);
        await AuditTrail.ForgetAsync(connection, AuditTrail.AliasOf(key), cancellation);
        await RecordStore.RemovePatientAsync(connection, patient, owner, cancellation);
        var (positions, blobs) = await SealedStore.RemoveOfOwnerAsync(connection, owner, cancellation);
        await vault.EraseOwnerAsync(connection, owner, cancellation);
        var notice = await NoticeAsync(connection, caller, ground, LeafRanges.Of(positions), cancellation);
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Erase, true, caller.Account, AuditTrail.AliasOf(key), "record", $"ground {ground}, {positions.Count} leaves"), cancellation);
        await ErasureStore.QueueBlobsAsync(connection, blobs, time.GetUtcNow(), cancellation);
        await transaction.CommitAsync(cancellation);
        sequencer.Wake();
        removal.Wake();
        return new ErasureOutcome.Erased(notice, positions.Count, blobs.Count);
    }

    /// <summary>The newest erasures, newest first.</summary>
    public async Task<IReadOnlyList<ErasureView>> ListAsync(int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<ErasureView> views = [];
        foreach (var (entry, position) in await ErasureStore.ListAsync(connection, countMax, cancellation))
        {
            if (LogNotice.Read(entry.OpenBytes, keys.VerifierKey) is LogNotice.Erasure notice)
            {
                views.Add(new ErasureView(entry.Id, notice.At, notice.Role, notice.Account, notice.Ground, notice.Leaves.Count, notice.Leaves.ToString(), position, Encoding.UTF8.GetString(entry.OpenBytes)));
            }
        }
        return views;
    }

    async Task<string> NoticeAsync(NpgsqlConnection connection, Caller caller, string ground, LeafRanges leaves, CancellationToken cancellation)
    {
        var now = SealedStore.Now(time);
        var id = Guid.CreateVersion7().ToString();
        var note = keys.Sign(new LogNotice.Erasure(keys.Origin, now, caller.Role.ToString(), caller.Account, ground, leaves));
        var node = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(LeafKind.Erasure, nameof(LeafKind.Erasure), id, 1, node, null, now, Encoding.UTF8.GetBytes(note)) { IsOpen = true }], cancellation);
        await ErasureStore.AddAsync(connection, id, leaves, now, cancellation);
        return id;
    }

    /// <summary>Waits until all of the record has its place in the log, so that the notice can name every position.</summary>
    async Task<bool> SequencedAsync(NpgsqlConnection connection, Guid owner, CancellationToken cancellation)
    {
        sequencer.Wake();
        for (var started = time.GetTimestamp(); await SealedStore.CountPendingAsync(connection, owner, cancellation) > 0; await Task.Delay(SequencedPoll, time, cancellation))
        {
            if (time.GetElapsedTime(started) > SequencedWaitMax)
            {
                return false;
            }
        }
        return true;
    }

    static PreviewOutcome? Objection(Caller caller, string ground) =>
        caller.Role != Role.Administrator ? new PreviewOutcome.NotAdministrator()
        : !ErasureGrounds.All.ContainsKey(ground) ? new PreviewOutcome.NoSuchGround()
        : null;

    string Confirmation(Caller caller, string patient, string ground, IReadOnlyDictionary<string, long> versions) =>
        Convert.ToHexStringLower(vault.Blind("erasure.confirmation", $"{caller.Account} {patient} {ground} {string.Join(',', versions.Select(pair => $"{pair.Key}={pair.Value}"))}"));
}
