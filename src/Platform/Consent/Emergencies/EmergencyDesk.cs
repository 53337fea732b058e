using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Emergencies;

/// <summary>What became of the wish to open a record in an emergency.</summary>
public abstract record EmergencyOutcome
{
    EmergencyOutcome() { }

    /// <summary>Open from now on, for this practitioner alone.</summary>
    /// <param name="Id">Its number.</param>
    /// <param name="Until">Its last moment.</param>
    public sealed record Opened(string Id, DateTimeOffset Until) : EmergencyOutcome;

    /// <summary>A field is wrong.</summary>
    public sealed record Invalid(string Field, string Wrong, string Right) : EmergencyOutcome;

    /// <summary>The role opens nothing.</summary>
    public sealed record Forbidden : EmergencyOutcome;

    /// <summary>No patient has that id here.</summary>
    public sealed record UnknownPatient : EmergencyOutcome;

    /// <summary>This practitioner has opened too many within a day.</summary>
    public sealed record TooMany(int CountMax) : EmergencyOutcome;
}

/// <summary>An opening as it is shown: to its practitioner, to the patient and to the auditor, who sees an alias instead of the patient.</summary>
public sealed record EmergencyView(
    string Id, string? Patient, string? PatientAlias, Guid Account, string Reason, DateTimeOffset From, DateTimeOffset Until, bool IsOpen, bool IsNew, string ChainId, long? Block);

/// <summary>
/// Opens a record without consent because life or health is at stake: for one practitioner, for a limited time, with a reason. Each opening is
/// sealed under the patient's key, logged, committed to on the chain, and told to the patient and the auditor. It does not wait for the chain.
/// </summary>
public sealed class EmergencyDesk(NpgsqlDataSource database, NodeMessages messages, KeyVault vault, AuditTrail audit, ChainOutbox outbox, TimeProvider time)
{
    /// <summary>The shortest opening, in minutes.</summary>
    public const int MinutesMin = 15;

    /// <summary>The longest: the contract takes a day, measured from a block that may be hours old.</summary>
    public const int MinutesMax = 12 * 60;

    /// <summary>The fewest characters that can be a reason.</summary>
    public const int ReasonLengthMin = 10;

    /// <summary>The most characters of a reason.</summary>
    public const int ReasonLengthMax = 500;

    /// <summary>Openings by one practitioner within a day.</summary>
    public const int PerDayMax = 20;

    const int ListMax = 200;
    const string OpenedPurpose = "emergency";
    const string EndedPurpose = "emergency-end";

    readonly SealedStore store = new(vault);
    readonly EntryLookup entries = new(messages);
    readonly RightsInForce rights = new(messages, time);

    /// <summary>Opens one patient's record for the calling practitioner.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="patient">The patient's logical id.</param>
    /// <param name="reason">Why, for the patient and the auditor to read.</param>
    /// <param name="minutes">For how long.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<EmergencyOutcome> OpenAsync(Caller caller, string patient, string? reason, int minutes, CancellationToken cancellation)
    {
        if (caller.Role != Role.Practitioner)
        {
            return new EmergencyOutcome.Forbidden();
        }
        var why = reason?.Trim() ?? "";
        if (Check(why, minutes) is { } invalid)
        {
            return invalid;
        }
        if (!Guid.TryParse(patient, out var id) || await vault.FindOwnerAsync(id, cancellation) is not { } owner)
        {
            return new EmergencyOutcome.UnknownPatient();
        }
        var now = SealedStore.Now(time);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await EmergencyStore.CountForAsync(connection, caller.Account, now.AddDays(-1), cancellation) >= PerDayMax)
        {
            await audit.RecordAsync(new AuditFact(AuditAction.Emergency, false, caller.Account, AuditTrail.AliasOf(owner), "record", "too many within a day"), cancellation);
            return new EmergencyOutcome.TooMany(PerDayMax);
        }
        if (!await EmergencyStore.HoldPatientAsync(connection, patient, cancellation))
        {
            return new EmergencyOutcome.UnknownPatient();
        }
        var document = new EmergencyDocument(patient, caller.Account, why, now, Seconds(now.AddMinutes(minutes)), IsOpen: true);
        var (resource, salt) = (Guid.CreateVersion7().ToString(), RandomNumberGenerator.GetBytes(SealedStore.SaltBytes));
        var bytes = document.Write(resource, now);
        var row = new EmergencyRow(RandomNumberGenerator.GetBytes(32), patient, caller.Account, resource, SealedStore.Commit(salt, bytes), document.Until, null, null);
        await SealedStore.AppendAsync(connection, [new NewEntry(LeafKind.Consent, "Consent", resource, 1, owner, patient, now, bytes, Salt: salt)], cancellation);
        await EmergencyStore.AddAsync(connection, row, now, cancellation);
        await outbox.EnqueueAsync(connection, OpenedPurpose, Convert.ToHexStringLower(row.Id), ChainContract.Consents,
            ConsentsContract.OpenEmergency(row.Id, row.Commitment, (ulong)document.Until.ToUnixTimeSeconds()), cancellation);
        await audit.RecordAsync(connection, new AuditFact(AuditAction.Emergency, true, caller.Account, AuditTrail.AliasOf(owner), $"Consent/{resource}", null), cancellation);
        await transaction.CommitAsync(cancellation);
        return new EmergencyOutcome.Opened(resource, document.Until);
    }

    /// <summary>Ends an opening before its time: its practitioner may, and the patient. Ending it again is no error; false where there is none of theirs by that id.</summary>
    public async Task<bool> EndAsync(Caller caller, string resource, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await EmergencyStore.FindAsync(connection, resource, cancellation) is not { } row
            || await DocumentAsync(connection, row, cancellation) is not { } found
            || !(found.Document.Account == caller.Account || (caller.Role == Role.Patient && caller.Patient == found.Document.Patient)))
        {
            return false;
        }
        if (!found.Document.IsOpen)
        {
            return true;
        }
        var now = SealedStore.Now(time);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(LeafKind.Consent, "Consent", resource, 2, found.Owner, row.Patient, now, (found.Document with { IsOpen = false }).Write(resource, now))], cancellation);
        await EmergencyStore.CloseAsync(connection, row.Id, now, cancellation);
        await outbox.EnqueueAsync(connection, EndedPurpose, Convert.ToHexStringLower(row.Id), ChainContract.Consents, ConsentsContract.CloseEmergency(row.Id), cancellation);
        await audit.RecordAsync(connection, new AuditFact(AuditAction.Emergency, true, caller.Account, AuditTrail.AliasOf(found.Owner), $"Consent/{resource}", "ended"), cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>The opening by which a practitioner may read a patient's record now; null where there is none.</summary>
    public async Task<EmergencyView?> FindOpenAsync(Caller caller, string patient, CancellationToken cancellation)
    {
        var (_, open) = await rights.FindAsync(RightsQuestion.Of(caller, patient), null, cancellation);
        return await FindOpenAsync(null, open, caller, patient, cancellation);
    }

    /// <summary>The opening that one of some rows leads to; null where none does.</summary>
    internal async Task<EmergencyView?> FindOpenAsync(NpgsqlConnection? lent, IReadOnlyList<EmergencyRow> rows, Caller caller, string patient, CancellationToken cancellation)
    {
        foreach (var row in rows)
        {
            // The row only leads there: what counts is sealed, so that nobody opens a record by writing to the database.
            if (await ViewAsync(lent, row, caller, cancellation) is { IsOpen: true } view && view.Account == caller.Account && view.Patient == patient)
            {
                return view;
            }
        }
        return null;
    }

    /// <summary>The newest openings: a patient's own, a practitioner's own, or, for the auditor, all, with an alias for each patient.</summary>
    public async Task<IReadOnlyList<EmergencyView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        var (patient, account) = caller switch
        {
            { Role: Role.Patient, Patient: { } own } => (own, (Guid?)null),
            { Role: Role.Practitioner } => (null, caller.Account),
            { Role: Role.Auditor } => (null, null),
            _ => ("", null),
        };
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<EmergencyView> views = [];
        foreach (var row in await EmergencyStore.ListAsync(connection, patient, account, ListMax, cancellation))
        {
            if (await ViewAsync(connection, row, caller, cancellation) is { } view)
            {
                views.Add(view);
            }
        }
        if (caller.Role == Role.Auditor && views.Count > 0)
        {
            await audit.RecordAsync(new AuditFact(AuditAction.Search, true, caller.Account, null, "emergencies", $"{views.Count} reasons read"), cancellation);
        }
        return views;
    }

    /// <summary>How many openings the patient, or the auditor, has not been told of yet.</summary>
    public async Task<long> CountUnseenAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller is not ({ Role: Role.Patient, Patient: not null } or { Role: Role.Auditor }))
        {
            return 0;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await EmergencyStore.CountUnseenAsync(connection, caller.Patient, cancellation);
    }

    /// <summary>Notes that the patient, or the auditor, has been told of all there are.</summary>
    public async Task AcknowledgeAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller is { Role: Role.Patient, Patient: not null } or { Role: Role.Auditor })
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await EmergencyStore.SeenAsync(connection, caller.Patient, time.GetUtcNow(), cancellation);
        }
    }

    static EmergencyOutcome.Invalid? Check(string reason, int minutes) => (reason, minutes) switch
    {
        ({ Length: < ReasonLengthMin }, _) => new("reason", "The reason is missing or too short.", $"Say in {ReasonLengthMin} characters or more why it cannot wait for consent."),
        ({ Length: > ReasonLengthMax }, _) => new("reason", "The reason is too long.", $"Use {ReasonLengthMax} characters at most."),
        _ when reason.Any(char.IsControl) => new("reason", "The reason holds characters that cannot be shown.", "Write it in one line."),
        (_, < MinutesMin or > MinutesMax) => new("minutes", $"An opening does not last {minutes} minutes.", $"Give {MinutesMin} to {MinutesMax} minutes."),
        _ => null,
    };

    async Task<EmergencyView?> ViewAsync(NpgsqlConnection? lent, EmergencyRow row, Caller caller, CancellationToken cancellation)
    {
        if (await DocumentAsync(lent, row, cancellation) is not var (document, owner))
        {
            return null;
        }
        var chainId = Convert.ToHexStringLower(row.Id);
        var isAuditor = caller.Role == Role.Auditor;
        return new EmergencyView(
            row.Resource, isAuditor ? null : document.Patient, isAuditor ? AuditTrail.AliasOf(owner) : null, document.Account, document.Reason, document.From, document.Until,
            document.IsOpen && time.GetUtcNow() <= document.Until, (isAuditor ? row.AuditorSeen : row.PatientSeen) is null, "0x" + chainId,
            (await outbox.FindAsync(OpenedPurpose, chainId, cancellation))?.BlockNumber);
    }

    /// <summary>The newest version of the sealed document; null where the row does not belong to it, or the key is gone.</summary>
    async Task<(EmergencyDocument Document, OwnerKey Owner)?> DocumentAsync(NpgsqlConnection? lent, EmergencyRow row, CancellationToken cancellation)
    {
        if (await entries.FindAsync("Consent", row.Resource, null, lent, cancellation) is not { Kind: LeafKind.Consent } entry
            || entry.Owner.ToString() != row.Patient
            || await vault.FindOwnerAsync(entry.Owner, cancellation) is not { } owner
            || await store.OpenAsync(entry, cancellation) is not { } bytes)
        {
            return null;
        }
        return (EmergencyDocument.Read(bytes), owner);
    }

    /// <summary>Blocks count in seconds.</summary>
    static DateTimeOffset Seconds(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds());
}
