using Npgsql;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Store;
using Salus.Vault.Blobs;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

/// <summary>
/// The only door to records, for each caller: validation, the access decision, encryption, the index, the audit and the leaf happen here.
/// </summary>
public sealed partial class RecordsDesk(
    NpgsqlDataSource database, KeyVault vault, ConsentDesk consents, AuditTrail audit, ProofDesk proofs, BlobStore blobs, Sequencer sequencer, TimeProvider time)
{
    readonly SealedStore store = new(vault);
    readonly RecordIndex index = new(vault);

    /// <summary>Stores one resource under an id given here.</summary>
    public async Task<WriteOutcome> CreateAsync(Caller caller, ReadOnlyMemory<byte> json, CancellationToken cancellation) =>
        FhirJson.Read(json) switch
        {
            FhirReadOutcome.Ok { Resource: var resource } => await CreateAsync(caller, [new Draft(resource, null, NewId())], AuditAction.Create, cancellation),
            FhirReadOutcome.Refused refused => new WriteOutcome.Invalid(refused.Issues),
            _ => throw new InvalidOperationException("A reading is accepted or refused."),
        };

    /// <summary>Stores the resources of a transaction or collection Bundle, all of them or none.</summary>
    public async Task<WriteOutcome> ImportAsync(Caller caller, ReadOnlyMemory<byte> json, CancellationToken cancellation)
    {
        if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var bundle })
        {
            return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
        }
        if (BundleReader.Read(bundle) is not BundleOutcome.Ok { Entries: var entries, Type: var type })
        {
            return new WriteOutcome.Invalid(((BundleOutcome.Refused)BundleReader.Read(bundle)).Issues);
        }
        List<FhirIssue> issues = [];
        List<Draft> drafts = [];
        foreach (var entry in entries)
        {
            var path = $"Bundle.entry[{entry.Position}]";
            if (entry.Resource is null || (entry.Method is not null and not "POST") || (entry.Method is null && type != "collection"))
            {
                issues.Add(new FhirIssue(IssueSeverity.Error, "not-supported", path, "Each entry here must create one resource: give it a resource and the method POST."));
            }
            else if (entry.IfNoneExist is not null || entry.ConditionalReferences.Any())
            {
                issues.Add(new FhirIssue(IssueSeverity.Error, "not-supported", path, "Conditional creates and references are not taken yet; refer by fullUrl."));
            }
            else
            {
                drafts.Add(new Draft(entry.Resource, entry.FullUrl, NewId(), $"{path}.resource"));
            }
        }
        return issues.Count > 0 ? new WriteOutcome.Invalid(issues) : await CreateAsync(caller, drafts, AuditAction.Import, cancellation);
    }

    /// <summary>Stores resources given as JSON texts that refer to one another by <c>urn:uuid:</c> full URLs.</summary>
    internal async Task<WriteOutcome> CreateAsync(Caller caller, IReadOnlyList<(string FullUrl, byte[] Json)> resources, CancellationToken cancellation)
    {
        List<Draft> drafts = [];
        foreach (var (fullUrl, json) in resources)
        {
            if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
            {
                return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
            }
            drafts.Add(new Draft(resource, fullUrl, NewId()));
        }
        return await CreateAsync(caller, drafts, AuditAction.Create, cancellation);
    }

    /// <summary>Stores a new version of a resource the caller may both read and write.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="id">The logical id.</param>
    /// <param name="json">The whole resource.</param>
    /// <param name="expected">The version that the caller has seen (If-Match).</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<WriteOutcome> UpdateAsync(
        Caller caller, string type, string id, ReadOnlyMemory<byte> json, int? expected, CancellationToken cancellation)
    {
        if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
        }
        if (resource.ResourceType != type || resource.Id != id)
        {
            return new WriteOutcome.Invalid([new FhirIssue(IssueSeverity.Error, "invalid", $"{resource.ResourceType}.id",
                $"The body is {resource.ResourceType}/{resource.Id}, the address names {type}/{id}. They must be the same.")]);
        }
        var draft = new Draft(resource, null, id);
        var (set, issues) = DraftSet.Check([draft]);
        if (issues.Count > 0)
        {
            return new WriteOutcome.Invalid(issues);
        }
        if (!AccessRules.MayWrite(caller.Role, type))
        {
            return await ForbidAsync(caller, null, type, $"The role {caller.Role} may not write {type}.", cancellation);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // What the node itself wrote (models, data sets, consents, the audit trail) is nobody's to update.
        if (await SealedStore.FindAsync(connection, type, id, null, cancellation) is not { Kind: LeafKind.Record } newest)
        {
            return AccessRules.Directory.Contains(type) ? new WriteOutcome.NotFound()
                : await ForbidAsync(caller, null, $"{type}/{id}",
                    await consents.DecideAsync(caller, NobodysId, type, Purpose.Treatment, cancellation) is AccessDecision.Refused nobodys ? nobodys.Reason : "There is nothing here for you.", cancellation);
        }
        if (newest.Patient is { } patient
            && await consents.DecideAsync(caller, patient, type, Purpose.Treatment, cancellation) is AccessDecision.Refused refused)
        {
            return await ForbidAsync(caller, patient, $"{type}/{id}", refused.Reason, cancellation);
        }
        if (set.PatientOf(draft) != newest.Patient)
        {
            return new WriteOutcome.Invalid([new FhirIssue(IssueSeverity.Error, "business-rule", type, "A record cannot change the patient it is about. Write a new one for the other patient.")]);
        }
        if (expected is { } seen && seen != newest.Version)
        {
            return new WriteOutcome.Conflict(newest.Version);
        }
        if ((newest.Patient is { } held && !await RecordStore.HoldPatientAsync(connection, held, cancellation))
            || await vault.FindOwnerAsync(newest.Owner, cancellation) is not { } owner)
        {
            return new WriteOutcome.NotFound();
        }
        var now = SealedStore.Now(time);
        var version = newest.Version + 1;
        var bytes = ResourceRewriter.Rewrite(resource, id, version.ToString(), now);
        try
        {
            await SealedStore.AppendAsync(connection,
                [
                    new NewEntry(LeafKind.Record, type, id, version, owner, newest.Patient, now, bytes),
                    await audit.EntryAsync(new AuditFact(AuditAction.Update, true, caller.Account, AliasOf(newest.Patient, owner), $"{type}/{id}", null), cancellation),
                ], cancellation);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return new WriteOutcome.Conflict(version);
        }
        await RecordStore.RemoveIndexAsync(connection, type, id, cancellation);
        await RecordStore.IndexAsync(connection, index.ValuesOf([draft], set.Map), cancellation);
        await transaction.CommitAsync(cancellation);
        sequencer.Wake();
        return new WriteOutcome.Written([new StoredRecord(type, id, version, now, newest.Patient, bytes)]);
    }

    internal async Task<WriteOutcome> CreateAsync(Caller caller, IReadOnlyList<Draft> drafts, AuditAction action, CancellationToken cancellation, string? patientOverride = null)
    {
        var (set, issues) = DraftSet.Check(drafts);
        issues = [.. issues, .. set.Unresolved().Take(100)];
        if (issues.Count > 0)
        {
            return new WriteOutcome.Invalid(issues);
        }
        if (drafts.FirstOrDefault(draft => !AccessRules.MayWrite(caller.Role, draft.Type)) is { } forbidden)
        {
            return await ForbidAsync(caller, null, forbidden.Type, $"The role {caller.Role} may not write {forbidden.Type}.", cancellation);
        }
        var patients = set.Drafts.Select(draft => patientOverride ?? set.PatientOf(draft)).ToList();
        if (caller.Role == Role.Patient && patients.Any(patient => patient is null || patient != caller.Patient))
        {
            return await ForbidAsync(caller, null, null, "A patient may only add to their own record.", cancellation);
        }
        return await StoreAsync(caller, set, patients, LeafKind.Record, action, cancellation);
    }

    /// <summary>Stores what the node itself makes, such as a prediction, on behalf of a caller whose right was decided before.</summary>
    internal async Task<WriteOutcome> StoreOwnAsync(Caller caller, byte[] json, LeafKind kind, AuditAction action, CancellationToken cancellation)
    {
        if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
        }
        var (set, issues) = DraftSet.Check([new Draft(resource, null, NewId())]);
        return issues.Count > 0
            ? new WriteOutcome.Invalid(issues)
            : await StoreAsync(caller, set, [set.PatientOf(set.Drafts[0])], kind, action, cancellation);
    }

    async Task<WriteOutcome> StoreAsync(
        Caller caller, DraftSet set, List<string?> patients, LeafKind kind, AuditAction action, CancellationToken cancellation)
    {
        var now = SealedStore.Now(time);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var (owners, missing) = await OwnersAsync(connection, set, patients, now, cancellation);
        if (missing is not null)
        {
            return new WriteOutcome.Invalid([missing]);
        }
        List<NewEntry> entries = [];
        List<StoredRecord> stored = [];
        for (var i = 0; i < set.Drafts.Count; i++)
        {
            var draft = set.Drafts[i];
            var bytes = ResourceRewriter.Rewrite(draft.Resource, draft.Id, "1", now, set.Map);
            entries.Add(new NewEntry(kind, draft.Type, draft.Id, 1, owners[patients[i] ?? ""], patients[i], now, bytes, Blob: draft.Blob));
            stored.Add(new StoredRecord(draft.Type, draft.Id, 1, now, patients[i], bytes));
        }
        foreach (var patient in patients.Distinct())
        {
            var count = patients.Count(other => other == patient);
            var entity = count == 1 ? set.Drafts[patients.IndexOf(patient)].Name : $"{count} resources";
            entries.Add(await audit.EntryAsync(
                new AuditFact(action, true, caller.Account, AliasOf(patient, owners[patient ?? ""]), entity, null), cancellation));
        }
        await SealedStore.AppendAsync(connection, entries, cancellation);
        await RecordStore.IndexAsync(connection, index.ValuesOf(set.Drafts, set.Map), cancellation);
        await transaction.CommitAsync(cancellation);
        sequencer.Wake();
        return new WriteOutcome.Written(stored);
    }

    /// <summary>The key for each patient of a write, new patients' included; the hospital's own for what is about nobody.</summary>
    async Task<(Dictionary<string, OwnerKey> Owners, FhirIssue? Missing)> OwnersAsync(
        NpgsqlConnection connection, DraftSet set, List<string?> patients, DateTimeOffset now, CancellationToken cancellation)
    {
        var owners = new Dictionary<string, OwnerKey>();
        for (var i = 0; i < patients.Count; i++)
        {
            var patient = patients[i] ?? "";
            if (owners.ContainsKey(patient))
            {
                continue;
            }
            if (patient.Length == 0)
            {
                owners[patient] = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
            }
            else if (set.Drafts.Any(draft => draft.Type == "Patient" && draft.Id == patient))
            {
                var owner = owners[patient] = await vault.CreateOwnerAsync(connection, Guid.Parse(patient), OwnerKind.Patient, cancellation);
                await RecordStore.AddPatientAsync(connection, patient, owner.Id, AuditTrail.AliasOf(owner), now, cancellation);
            }
            else if (Guid.TryParse(patient, out var known) && await RecordStore.HoldPatientAsync(connection, patient, cancellation)
                && await vault.FindOwnerAsync(known, cancellation) is { } owner)
            {
                owners[patient] = owner;
            }
            else
            {
                return (owners, new FhirIssue(IssueSeverity.Error, "not-found", set.Drafts[i].Path.Length == 0 ? set.Drafts[i].Type : set.Drafts[i].Path,
                    $"There is no Patient/{patient} here. Create the patient first, or send it in the same bundle."));
            }
        }
        return (owners, null);
    }

    async Task<WriteOutcome> ForbidAsync(Caller caller, string? patient, string? entity, string reason, CancellationToken cancellation)
    {
        await RefusedAsync(caller, AuditAction.Create, patient, entity, reason, cancellation);
        return new WriteOutcome.Forbidden(reason);
    }

    async Task RefusedAsync(Caller caller, AuditAction action, string? patient, string? entity, string reason, CancellationToken cancellation)
    {
        var owner = Guid.TryParse(patient, out var id) ? await vault.FindOwnerAsync(id, cancellation) : null;
        await audit.RecordAsync(new AuditFact(action, false, caller.Account, owner is null ? null : AuditTrail.AliasOf(owner), entity, reason), cancellation);
        sequencer.Wake();
    }

    static string? AliasOf(string? patient, OwnerKey owner) => patient is null ? null : AuditTrail.AliasOf(owner);

    static string NewId() => Guid.CreateVersion7().ToString();
}
