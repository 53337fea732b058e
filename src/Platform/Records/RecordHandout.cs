using Salus.Ledger.Evidence;
using Salus.Platform.Audit;
using Salus.Platform.Consent;

namespace Salus.Platform.Records;

/// <summary>Someone at another member of the consortium, whose request bears that member's signature.</summary>
/// <param name="Member">The member's id.</param>
/// <param name="Name">The person, as their member names them, and the member.</param>
public sealed record DistantCaller(ulong Member, string Name);

/// <summary>A record to be handed out: its proof with the content, or the stored bytes until there is one.</summary>
public sealed record HandedRecord(string Type, string Id, int Version, ProofFile? Proof, byte[] Bytes);

/// <summary>What became of another member's request.</summary>
public abstract record HandoutOutcome
{
    HandoutOutcome() { }

    /// <summary>Everything that the consent covers, newest first.</summary>
    public sealed record Given(string Patient, IReadOnlyList<HandedRecord> Records, IReadOnlyList<string> Altered, bool IsPartial) : HandoutOutcome;

    /// <summary>No consent, or none that covers it.</summary>
    public sealed record Forbidden(string Reason) : HandoutOutcome;
}

// The half of the door that opens to other members of the consortium.
public sealed partial class RecordsDesk
{
    const int RecordsPerHandoutMax = 500;

    /// <summary>The logical id of the patient that a distant request is about: by that id, by the hospital's own, or by the consent; null where there is none.</summary>
    public async Task<string?> ResolveDistantAsync(string patient, string consent, bool byIdentifier, CancellationToken cancellation)
    {
        if (consent.Length > 0 && await consents.PatientOfAsync(consent, cancellation) is var consenting && (consenting is null || patient.Length == 0))
        {
            return consenting;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (Guid.TryParse(patient, out var id))
        {
            return await RecordStore.PatientExistsAsync(connection, id.ToString(), cancellation) ? id.ToString() : null;
        }
        return byIdentifier
            ? await IdentifiedAsync(connection, patient.Trim(), cancellation)
            : null;
    }

    /// <summary>Decides on a distant request, opens what it may have, and tells the patient of it.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="patient">The patient's logical id; null where there is no such patient, which is answered like a lack of consent.</param>
    /// <param name="consent">The one consent to go by; null for all.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="types">The resource types wanted; none for all that is covered.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="HttpRequestException">The chain does not answer; nothing was given.</exception>
    public async Task<HandoutOutcome> HandOutAsync(
        DistantCaller caller, string? patient, string? consent, Purpose purpose, IReadOnlyList<string> types, CancellationToken cancellation)
    {
        var scope = await consents.MemberScopeAsync(caller.Member, patient ?? NobodysId, consent, purpose, cancellation);
        var owner = patient is null ? null : await vault.FindOwnerAsync(Guid.Parse(patient), cancellation);
        var now = time.GetUtcNow();
        var refusals = (types.Count == 0 ? ["Patient"] : types).Select(type => scope.Decide(type, now)).OfType<AccessDecision.Refused>().ToList();
        if (scope.IsEmpty || owner is null || refusals.Count > 0)
        {
            var reason = refusals.Count > 0 ? refusals[0].Reason : "The patient has not given your hospital access.";
            await RefuseDistantAsync(caller.Name, patient, reason, cancellation);
            return new HandoutOutcome.Forbidden(reason);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var covered = (await RecordStore.NewestOfPatientAsync(connection, patient!, types.Count == 0 ? null : types, RecordsPerPatientMax, cancellation))
            .Where(entry => scope.Decide(entry.Type, now) is AccessDecision.Allowed).OrderByDescending(entry => entry.Written).ToList();
        List<HandedRecord> records = [];
        List<string> altered = [];
        foreach (var entry in covered.Take(RecordsPerHandoutMax))
        {
            if (await store.OpenWithSaltAsync(entry, cancellation) is not { } content)
            {
                altered.Add($"{entry.Type}/{entry.Id}");
                continue;
            }
            records.Add(new HandedRecord(entry.Type, entry.Id, entry.Version, await proofs.MakeAsync(entry.Envelope(entry.HashAsStored()), content, cancellation), content.Bytes));
        }
        await audit.RecordAsync(new AuditFact(AuditAction.Read, true, null, AuditTrail.AliasOf(owner), $"{records.Count} records", ConsentTerms.CodeOf(purpose)) { Requester = caller.Name }, cancellation);
        sequencer.Wake();
        return new HandoutOutcome.Given(patient!, records, altered, covered.Count > RecordsPerHandoutMax);
    }

    /// <summary>Tells the patient of a distant request that was refused.</summary>
    /// <param name="requester">Who says to ask.</param>
    /// <param name="patient">The patient's logical id; null where there is no such patient.</param>
    /// <param name="reason">Why it was refused.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task RefuseDistantAsync(string requester, string? patient, string reason, CancellationToken cancellation)
    {
        var owner = Guid.TryParse(patient, out var id) ? await vault.FindOwnerAsync(id, cancellation) : null;
        await audit.RecordAsync(
            new AuditFact(AuditAction.Read, false, null, owner is null ? null : AuditTrail.AliasOf(owner), "record", reason) { Requester = requester }, cancellation);
        sequencer.Wake();
    }

    /// <summary>Keeps in the trail that someone here asked another member for a record.</summary>
    public async Task AskedElsewhereAsync(Identity.Caller caller, ulong member, bool succeeded, string? detail, CancellationToken cancellation)
    {
        await audit.RecordAsync(new AuditFact(AuditAction.Read, succeeded, caller.Account, null, $"Member/{member}", detail), cancellation);
        sequencer.Wake();
    }
}
