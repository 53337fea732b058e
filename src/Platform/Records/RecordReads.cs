using Npgsql;
using Salus.Ledger.Evidence;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

// The reading half of the door.
public sealed partial class RecordsDesk
{
    const int RecordsPerPatientMax = 20_000;
    const string Erased = "This was erased for good. The log keeps that it was there, when, and by whose authority it was erased.";
    static readonly string NobodysId = Guid.Empty.ToString();

    /// <summary>Reads one resource, or one of its versions.</summary>
    public async Task<ReadOutcome> ReadAsync(Caller caller, string type, string id, int? version, Purpose purpose, CancellationToken cancellation)
    {
        var (opened, refusal) = await OpenAsync(caller, type, id, version, purpose, cancellation);
        return opened is var (entry, content) ? new ReadOutcome.Found(new StoredRecord(type, id, entry.Version, entry.Written, entry.Patient, content.Bytes)) : refusal!;
    }

    /// <summary>The proof of a version for others to check; with its content it is a read like any other, and without it needs the same right.</summary>
    public async Task<ProofOutcome> MakeProofAsync(
        Caller caller, string type, string id, int? version, bool withContent, Purpose purpose, CancellationToken cancellation)
    {
        var (opened, refusal) = await OpenAsync(caller, type, id, version, purpose, cancellation);
        if (opened is not var (entry, content))
        {
            return new ProofOutcome.Refused(refusal!);
        }
        return await proofs.MakeAsync(entry.Envelope(entry.HashAsStored()), withContent ? content : null, cancellation) is { } file
            ? new ProofOutcome.Made(file)
            : new ProofOutcome.Pending();
    }

    /// <summary>The one way to a version's bytes: decided, opened, audited; or what to answer instead.</summary>
    async Task<((SealedEntry Entry, ProvenContent Content)? Opened, ReadOutcome? Refusal)> OpenAsync(
        Caller caller, string type, string id, int? version, Purpose purpose, CancellationToken cancellation)
    {
        var entry = type == "AuditEvent" ? null : await entries.FindAsync(type, id, version, null, cancellation);
        if (entry is null && type != "AuditEvent" && await IsErasedAsync(type, id, cancellation))
        {
            await RefusedAsync(caller, AuditAction.Read, null, $"{type}/{id}", "erased", cancellation);
            return (null, new ReadOutcome.Gone(Erased));
        }
        if (entry is null)
        {
            return (null, version is not null && type != "AuditEvent" && await entries.FindAsync(type, id, null, null, cancellation) is { } other
                && await DecideAsync(null, caller, other, purpose, cancellation) is AccessDecision.Allowed
                ? new ReadOutcome.NotFound()
                : await MissingAsync(caller, type, id, purpose, cancellation));
        }
        var decision = await DecideAsync(null, caller, entry, purpose, cancellation);
        if (decision is not AccessDecision.Allowed allowed)
        {
            var reason = ((AccessDecision.Refused)decision).Reason;
            await RefusedAsync(caller, AuditAction.Read, entry.Patient, $"{type}/{id}", reason, cancellation);
            return (null, new ReadOutcome.Forbidden(reason));
        }
        if (entry.Deleted || await vault.FindOwnerAsync(entry.Owner, cancellation) is not { } owner)
        {
            return (null, new ReadOutcome.Gone(entry.Deleted ? "The resource was deleted." : Erased));
        }
        if (await store.OpenWithSaltAsync(entry, cancellation) is not { } content)
        {
            return (null, new ReadOutcome.Altered($"{type}/{id}, version {entry.Version}"));
        }
        await audit.RecordAsync(new AuditFact(AuditAction.Read, true, caller.Account, AliasOf(entry.Patient, owner), $"{type}/{id}", allowed.CodeOf(purpose)), cancellation);
        sequencer.Wake();
        return ((entry, content), null);
    }

    /// <summary>Everything of one patient that the caller's consents cover, opened and verified now, oldest first.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="patient">The patient's logical id.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="types">Only these resource types, or all.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<RetrievalOutcome> RetrieveAsync(
        Caller caller, string patient, Purpose purpose, IReadOnlyList<string>? types, CancellationToken cancellation)
    {
        var scope = await consents.ScopeAsync(caller, patient, purpose, cancellation);
        var owner = Guid.TryParse(patient, out var id) ? await vault.FindOwnerAsync(id, cancellation) : null;
        var now = time.GetUtcNow();
        if (scope.IsEmpty || owner is null)
        {
            if (await IsErasedAsync("Patient", patient, cancellation))
            {
                await RefusedAsync(caller, AuditAction.Read, null, $"Patient/{patient}", "erased", cancellation);
                return new RetrievalOutcome.Forbidden(Erased) { IsErased = true };
            }
            var reason = scope.Decide("Patient", now) is AccessDecision.Refused refused ? refused.Reason : "The patient has not given you access.";
            await RefusedAsync(caller, AuditAction.Read, patient, "record", reason, cancellation);
            return new RetrievalOutcome.Forbidden(reason);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var entries = await RecordStore.NewestOfPatientAsync(connection, patient, types, RecordsPerPatientMax, cancellation);
        List<SealedEntry> opened = [];
        List<byte[]> contents = [];
        List<string> altered = [];
        AccessDecision.Allowed? rests = null;
        foreach (var entry in entries)
        {
            if (scope.Decide(entry.Type, now) is not AccessDecision.Allowed allowed)
            {
                continue;
            }
            // What rests on an emergency alone makes the whole read one of an emergency.
            rests = rests is { InEmergency: true } ? rests : allowed;
            if (await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                opened.Add(entry);
                contents.Add(bytes);
            }
            else
            {
                altered.Add($"{entry.Type}/{entry.Id}");
            }
        }
        var states = await proofs.VerifyAsync([.. opened.Select(entry => entry.Envelope(entry.HashAsStored()))], cancellation);
        await connection.CloseAsync();
        await audit.RecordAsync(
            new AuditFact(AuditAction.Read, true, caller.Account, AuditTrail.AliasOf(owner), $"{opened.Count} records", rests?.CodeOf(purpose) ?? ConsentTerms.CodeOf(purpose)), cancellation);
        sequencer.Wake();
        var records = opened.Select((entry, i) =>
            new ProvenRecord(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, contents[i]), states[i])).ToList();
        return new RetrievalOutcome.Found(patient, records, altered);
    }

    /// <summary>The proof of one version, for a caller who may read it.</summary>
    public async Task<ProofState?> ProveAsync(Caller caller, string type, string id, int? version, Purpose purpose, CancellationToken cancellation)
    {
        var entry = await entries.FindAsync(type, id, version, null, cancellation);
        if (entry is null || await DecideAsync(null, caller, entry, purpose, cancellation) is AccessDecision.Refused)
        {
            return null;
        }
        return (await proofs.VerifyAsync([entry.Envelope(entry.HashAsStored())], cancellation))[0];
    }

    /// <summary>The logical id of the patient with an identifier (any system), for professionals; null when there is none.</summary>
    public async Task<string?> FindPatientAsync(Caller caller, string identifier, CancellationToken cancellation)
    {
        if (caller.Role is not (Role.Practitioner or Role.Laboratory or Role.Pharmacy or Role.Insurer))
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var found = await IdentifiedAsync(connection, identifier.Trim(), cancellation);
        await connection.CloseAsync();
        await audit.RecordAsync(new AuditFact(AuditAction.Search, found is not null, caller.Account, null, "Patient", "by identifier"), cancellation);
        return found;
    }

    async Task<string?> IdentifiedAsync(NpgsqlConnection connection, string identifier, CancellationToken cancellation)
    {
        await indexing.RefreshAsync(cancellation, connection);
        return (await IndexStore.MatchAsync(connection, "Patient", null, new IndexPlan.AnyHash(index.Identifier("Patient", identifier)), 1, cancellation)).SingleOrDefault()?.Id;
    }

    /// <summary>Who read, wrote and shared a patient's record, newest first: for the patient, and for those who may read the record.</summary>
    public async Task<IReadOnlyList<AuditLine>?> AccessesAsync(Caller caller, string patient, int countMax, CancellationToken cancellation)
    {
        var scope = await consents.ScopeAsync(caller, patient, Purpose.Treatment, cancellation);
        if ((scope.IsEmpty && caller.Role != Role.Auditor) || !Guid.TryParse(patient, out var id) || await vault.FindOwnerAsync(id, cancellation) is not { } owner)
        {
            return null;
        }
        return await audit.ListAsync(AuditTrail.AliasOf(owner), countMax, cancellation);
    }

    async Task<bool> IsErasedAsync(string type, string id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await RecordStore.IsErasedAsync(connection, type, id, cancellation);
    }

    /// <summary>Whether a patient is known here.</summary>
    public async Task<bool> PatientExistsAsync(string patient, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await RecordStore.PatientExistsAsync(connection, patient, cancellation);
    }

    /// <summary>How many newest versions of each type are stored; for the node's totals, it tells nothing of anyone.</summary>
    public async Task<IReadOnlyDictionary<string, long>> CountsAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return (await connection.QueryAsync(cancellation, row => (Type: row.GetString(0), Count: row.GetInt64(1)),
            "SELECT type, count(*) FROM entry WHERE version = 1 GROUP BY type ORDER BY type")).ToDictionary(row => row.Type, row => row.Count);
    }

    /// <summary>Opens an entry's stored bytes and its owner's key for content that lies beside it.</summary>
    internal async Task<(SealedEntry Entry, byte[] Bytes)?> OpenDecidedAsync(NpgsqlConnection connection, string type, string id, CancellationToken cancellation) =>
        await SealedStore.FindAsync(connection, type, id, null, cancellation) is { } entry && await store.OpenAsync(entry, cancellation) is { } bytes
            ? (entry, bytes)
            : null;

    async Task<AccessDecision> DecideAsync(NpgsqlConnection? lent, Caller caller, SealedEntry entry, Purpose purpose, CancellationToken cancellation)
    {
        if (entry.Patient is { } patient)
        {
            return await consents.DecideAsync(caller, patient, entry.Type, purpose, cancellation, lent);
        }
        return AccessRules.Directory.Contains(entry.Type) && AccessRules.MayReadDirectory(caller.Role)
            ? new AccessDecision.Allowed(null)
            : new AccessDecision.Refused($"The role {caller.Role} reads no {entry.Type}.");
    }

    /// <summary>What is not here is refused like what is another's, so that an answer never tells whether a record exists.</summary>
    async Task<ReadOutcome> MissingAsync(Caller caller, string type, string id, Purpose purpose, CancellationToken cancellation)
    {
        if (AccessRules.Directory.Contains(type) && AccessRules.MayReadDirectory(caller.Role))
        {
            return new ReadOutcome.NotFound();
        }
        var reason = await consents.DecideAsync(caller, NobodysId, type, purpose, cancellation) is AccessDecision.Refused refused ? refused.Reason : "There is nothing here for you.";
        await RefusedAsync(caller, AuditAction.Read, null, $"{type}/{id}", reason, cancellation);
        return new ReadOutcome.Forbidden(reason);
    }
}
