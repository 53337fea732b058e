using Npgsql;
using Salus.Fhir.Elements;
using Salus.Ledger.Proofs;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

// The writing half of the door: every write goes through here, one or many, all of them or none.
public sealed partial class RecordsDesk
{
    const string NothingForYou = "There is nothing here for you.";

    async Task<WriteOutcome> WriteAsync(Caller caller, IReadOnlyList<RecordWrite> writes, AuditAction creating, CancellationToken cancellation)
    {
        if (await CheckAsync(caller, writes, cancellation) is { } refused)
        {
            return refused;
        }
        var isConditional = writes.Any(IsConditional);
        if (isConditional)
        {
            await Conditional.WaitAsync(cancellation);
        }
        try
        {
            return await WriteCheckedAsync(caller, writes, isConditional, creating, cancellation);
        }
        finally
        {
            if (isConditional)
            {
                Conditional.Release();
            }
        }
    }

    /// <summary>What can be told before the database is asked: whether it is FHIR, and whether the role writes such things.</summary>
    async Task<WriteOutcome?> CheckAsync(Caller caller, IReadOnlyList<RecordWrite> writes, CancellationToken cancellation)
    {
        var issues = DraftSet.Validate(definitions.Refusals, writes.Where(write => write.Resource is not null).Select(write => (write.Resource!, write.Path)));
        if (issues.Count > 0)
        {
            return new WriteOutcome.Invalid(issues);
        }
        if (writes.FirstOrDefault(write => !AccessRules.MayWrite(caller.Role, write.Type)) is { } forbidden)
        {
            return await ForbidAsync(caller, null, forbidden.Type, $"The role {caller.Role} may not write {forbidden.Type}.", cancellation);
        }
        if (await ObjectionsAsync(writes, cancellation) is { Count: > 0 } objections)
        {
            return new WriteOutcome.Invalid(objections);
        }
        return caller.Role == Role.Patient && writes.Any(write => write.Verb == WriteVerb.Delete)
            ? await ForbidAsync(caller, null, null, "A patient may only add to their own record.", cancellation)
            : null;
    }

    /// <summary>What would stand against a write besides its content: the caller's role and rights, the record that is there. Nothing is written.</summary>
    internal async Task<WriteOutcome?> ObjectionAsync(Caller caller, WriteVerb verb, string type, string? id, CancellationToken cancellation)
    {
        var write = new RecordWrite(verb, type) { Id = id };
        if (await CheckAsync(caller, [write], cancellation) is { } refused)
        {
            return refused;
        }
        if (verb == WriteVerb.Create)
        {
            return null;
        }
        return (await FindNewestAsync(null, caller, write, cancellation)).Refusal;
    }

    async Task<WriteOutcome> WriteCheckedAsync(Caller caller, IReadOnlyList<RecordWrite> writes, bool isConditional, AuditAction creating, CancellationToken cancellation)
    {
        if (!isConditional && writes is [{ Verb: not WriteVerb.Patch, Type: not ("Patient" or "SearchParameter") } alone])
        {
            var (ready, refusal) = await ReadyAsync(null, caller, alone, cancellation);
            return refusal ?? await StoreAsync(null, caller, [ready], [], creating, cancellation);
        }
        return await WriteInTransactionAsync(caller, writes, isConditional, creating, cancellation);
    }

    async Task<WriteOutcome> WriteInTransactionAsync(Caller caller, IReadOnlyList<RecordWrite> writes, bool isConditional, AuditAction creating, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        Dictionary<string, string> names = [];
        if (isConditional)
        {
            (writes, names, var refusal) = await SettleAsync(connection, caller, writes, cancellation);
            if (refusal is not null)
            {
                return refusal;
            }
        }
        if (writes.Where(write => write.Id is not null).GroupBy(write => (write.Type, write.Id)).FirstOrDefault(group => group.Count() > 1 && group.Any(write => !write.IsIdle)) is { } twice)
        {
            return Invalid("duplicate", twice.Last().Path, $"{twice.Key.Type}/{twice.Key.Id} is written twice. Send it once.");
        }
        List<RecordWrite> ready = new(writes.Count);
        foreach (var write in writes)
        {
            var (found, refusal) = await ReadyAsync(connection, caller, write, cancellation);
            if (refusal is not null)
            {
                return refusal;
            }
            ready.Add(found);
        }
        if (await PatchedAsync(connection, caller, ready, names, cancellation) is { } unpatched)
        {
            return unpatched;
        }
        return await StoreAsync(connection, caller, ready, names, creating, cancellation);
    }

    /// <summary>A write under its id, on the version that stands.</summary>
    async Task<(RecordWrite Write, WriteOutcome? Refusal)> ReadyAsync(NpgsqlConnection? lent, Caller caller, RecordWrite write, CancellationToken cancellation) =>
        write.Verb == WriteVerb.Create && !write.IsIdle ? (write with { Id = write.Id ?? NewId() }, null)
        : write.Id is null ? (write, null)
        : await FindNewestAsync(lent, caller, write, cancellation);

    /// <summary>The version on which a change is to be put, for a caller who may both read and write it.</summary>
    async Task<(RecordWrite Write, WriteOutcome? Refusal)> FindNewestAsync(NpgsqlConnection? lent, Caller caller, RecordWrite write, CancellationToken cancellation)
    {
        var (type, id) = (write.Type, write.Id!);
        // What the node itself wrote (models, data sets, consents, the audit trail) is nobody's to update.
        if (await entries.FindAsync(type, id, null, lent, cancellation) is not { Kind: LeafKind.Record } newest)
        {
            if (AccessRules.Directory.Contains(type))
            {
                return write.Verb == WriteVerb.Delete ? (write with { IsIdle = true }, null) : (write, new WriteOutcome.NotFound { IsSought = write.Verb == WriteVerb.Patch });
            }
            var reason = await consents.DecideAsync(caller, NobodysId, type, Purpose.Treatment, cancellation, lent) is AccessDecision.Refused nobodys ? nobodys.Reason : NothingForYou;
            return (write, await ForbidAsync(caller, null, $"{type}/{id}", reason, cancellation));
        }
        if (write.IsIdle)
        {
            return (write with { Newest = newest }, null);
        }
        if (newest.Patient is { } patient && await consents.DecideAsync(caller, patient, type, Purpose.Treatment, cancellation, lent) is AccessDecision.Refused refused)
        {
            return (write, await ForbidAsync(caller, patient, $"{type}/{id}", refused.Reason, cancellation));
        }
        if (write.Expected is { } seen && seen != newest.Version)
        {
            return (write, new WriteOutcome.Conflict(newest.Version));
        }
        if (write.Verb == WriteVerb.Delete && newest.Deleted)
        {
            return (write with { Newest = newest, IsIdle = true }, null);
        }
        return write.Verb == WriteVerb.Delete && type == "Patient" && await HasRecordsAsync(lent, id, cancellation)
            ? (write, new WriteOutcome.InUse("There are records about this patient. Delete those first; an administrator erases a patient with everything."))
            : (write with { Newest = newest }, null);
    }

    async Task<bool> HasRecordsAsync(NpgsqlConnection? lent, string patient, CancellationToken cancellation)
    {
        await using var own = lent is null ? await database.OpenConnectionAsync(cancellation) : null;
        return (await RecordStore.NewestOfPatientAsync(lent ?? own!, patient, null, 2, cancellation)).Any(entry => entry.Type != "Patient");
    }

    async Task<WriteOutcome> StoreAsync(
        NpgsqlConnection? connection, Caller caller, List<RecordWrite> writes, Dictionary<string, string> names, AuditAction creating, CancellationToken cancellation)
    {
        var set = new DraftSet([.. writes.Where(write => write.Resource is not null && !write.IsIdle).Select(write => new Draft(write.Resource!, write.FullUrl, write.Id!, write.Path, write.Blob))], names);
        if (set.Unresolved().Take(100).ToList() is { Count: > 0 } unresolved)
        {
            return new WriteOutcome.Invalid(unresolved);
        }
        List<string?> patients = [.. writes.Where(write => write.Resource is not null && !write.IsIdle).Zip(set.Drafts, (write, draft) => write.Patient ?? set.PatientOf(draft))];
        if (caller.Role == Role.Patient && patients.Any(patient => patient is null || patient != caller.Patient))
        {
            return await ForbidAsync(caller, null, null, "A patient may only add to their own record.", cancellation);
        }
        List<RowWrite> rows = [];
        List<StoredRecord?> answers = [];
        var now = SealedStore.Now(time);
        var next = 0;
        foreach (var write in writes)
        {
            if (write.IsIdle)
            {
                answers.Add(await IdleAsync(connection, caller, write, cancellation));
                continue;
            }
            var draft = write.Resource is null ? null : set.Drafts[next++];
            var patient = draft is null ? write.Newest!.Patient : patients[next - 1];
            if (write.Newest is { } newest && patient != newest.Patient)
            {
                return Invalid("business-rule", write.Path.Length == 0 ? write.Type : write.Path, "A record cannot change the patient it is about. Write a new one for the other patient.");
            }
            var version = (write.Newest?.Version ?? 0) + 1;
            var bytes = draft is null ? [] : ResourceRewriter.Rewrite(draft.Resource, draft.Id, version.ToString(), now, set.Map);
            var done = write.Verb == WriteVerb.Delete ? WriteDone.Deleted : version == 1 || write.Newest!.Deleted ? WriteDone.Created : WriteDone.Updated;
            rows.Add(new RowWrite(write, draft, patient, version, bytes, done));
            answers.Add(new StoredRecord(write.Type, write.Id!, version, now, patient, bytes) { Done = done });
        }
        return await CommitAsync(connection, caller, set, rows, creating, now, cancellation) is { } refusal
            ? refusal
            : new WriteOutcome.Written([.. answers.Select(answer => answer!)]);
    }

    /// <summary>What is answered where nothing is written: the record that is there, its content only for who may read it.</summary>
    async Task<StoredRecord> IdleAsync(NpgsqlConnection? lent, Caller caller, RecordWrite write, CancellationToken cancellation)
    {
        if (write.Newest is not { Deleted: false } newest)
        {
            return new StoredRecord(write.Type, write.Id ?? "", 0, default, null, []) { Done = WriteDone.Nothing };
        }
        var isSeen = await DecideAsync(lent, caller, newest, Purpose.Treatment, cancellation) is AccessDecision.Allowed;
        return new StoredRecord(write.Type, write.Id!, newest.Version, newest.Written, newest.Patient, isSeen ? await store.OpenAsync(newest, cancellation) ?? [] : []) { Done = WriteDone.Matched };
    }

    /// <summary>One version on its way into the database.</summary>
    sealed record RowWrite(RecordWrite Write, Draft? Draft, string? Patient, int Version, byte[] Bytes, WriteDone Done);

    async Task<WriteOutcome?> CommitAsync(
        NpgsqlConnection? connection, Caller caller, DraftSet set, List<RowWrite> rows, AuditAction creating, DateTimeOffset now,
        CancellationToken cancellation)
    {
        if (rows.Count == 0)
        {
            return null;
        }
        var (owners, missing) = await OwnersAsync(connection, set, rows, now, cancellation);
        if (missing is not null)
        {
            return missing;
        }
        List<NewEntry> versions = [];
        foreach (var row in rows)
        {
            versions.Add(new NewEntry(row.Write.Kind, row.Write.Type, row.Write.Id!, row.Version, owners[row.Patient ?? ""], row.Patient, now, row.Bytes, row.Draft is null, row.Draft?.Blob));
        }
        foreach (var group in rows.GroupBy(row => (row.Patient, row.Write.Verb)))
        {
            var action = group.Key.Verb switch
            {
                WriteVerb.Delete => AuditAction.Delete,
                WriteVerb.Update or WriteVerb.Patch => AuditAction.Update,
                _ => creating,
            };
            var entity = group.Count() == 1 ? $"{group.First().Write.Type}/{group.First().Write.Id}" : $"{group.Count()} resources";
            versions.Add(await audit.EntryAsync(new AuditFact(action, true, caller.Account, AliasOf(group.Key.Patient, owners[group.Key.Patient ?? ""]), entity, null), cancellation));
        }
        if (connection is null)
        {
            return await CommitAloneAsync(rows[0], set, [.. versions.Select(SealedRow.Of)], now, cancellation);
        }
        try
        {
            await indexing.RefreshAsync(cancellation, connection);
            await using var batch = new NpgsqlBatch(connection);
            var kept = rows.Where(row => row.Draft is not null).ToList();
            var isMuch = kept.Count >= SealedStore.StreamedMin;
            List<IndexRow> Found() => index.RowsOf([.. kept.Select(row => row.Draft!)], [.. kept.Select(row => row.Patient)], now, set.Map);
            // While the database takes the versions
            var found = isMuch ? Task.Run(Found, cancellation) : null;
            await SealedStore.AppendAsync(batch, versions, cancellation);
            IndexStore.Remove(batch, [.. rows.Where(row => row.Version > 1).Select(row => (row.Write.Type, row.Write.Id!))]);
            if (isMuch)
            {
                // What is streamed does not wait for the batch
                await batch.RunAsync(cancellation);
                batch.BatchCommands.Clear();
            }
            await IndexStore.AddAsync(batch, found is null ? Found() : await found, cancellation);
            await NoteParametersAsync(connection, rows, now, cancellation);
            // With the last rows rather than after them, which saves a message; where one of them is refused it is not reached
            batch.Add("COMMIT");
            await batch.RunAsync(cancellation);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return Taken(rows);
        }
        if (rows.Any(row => row.Write.Type == "SearchParameter"))
        {
            indexing.Expire();
        }
        sequencer.Wake();
        return null;
    }

    /// <summary>Stores one version together with what others write in the same moment.</summary>
    async Task<WriteOutcome?> CommitAloneAsync(RowWrite row, DraftSet set, IReadOnlyList<SealedRow> versions, DateTimeOffset now, CancellationToken cancellation)
    {
        await indexing.RefreshAsync(cancellation);
        var replaced = row.Version > 1 ? (row.Write.Type, row.Write.Id!) : ((string, string)?)null;
        var found = row.Draft is { } draft ? index.RowsOf([draft], [row.Patient], now, set.Map).SingleOrDefault() : null;
        var end = await writer.WriteAsync(new ReadyWrite(versions, row.Patient, replaced, found), cancellation);
        sequencer.Wake();
        return end switch
        {
            WriteEnd.Stored => null,
            WriteEnd.NoPatient => Unknown(row),
            _ => Taken([row]),
        };
    }

    static WriteOutcome.Conflict Taken(IReadOnlyList<RowWrite> rows) =>
        new(rows.Max(row => row.Version)) { IsRace = rows.All(row => row.Write.Expected is null) };

    static WriteOutcome Unknown(RowWrite row) => row.Version > 1
        ? new WriteOutcome.NotFound()
        : Invalid("not-found", row.Write.Path.Length == 0 ? row.Write.Type : row.Write.Path,
            $"There is no Patient/{row.Patient} here. Create the patient first, or send it in the same bundle.");

    /// <summary>The key for each patient of a write, new patients' included; the hospital's own for what is about nobody.</summary>
    async Task<(Dictionary<string, OwnerKey> Owners, WriteOutcome? Missing)> OwnersAsync(
        NpgsqlConnection? connection, DraftSet set, List<RowWrite> rows, DateTimeOffset now, CancellationToken cancellation)
    {
        var owners = new Dictionary<string, OwnerKey>();
        foreach (var row in rows)
        {
            var patient = row.Patient ?? "";
            if (owners.ContainsKey(patient))
            {
                continue;
            }
            if (patient.Length == 0)
            {
                owners[patient] = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
            }
            else if (connection is not null && rows.Any(other => other is { Version: 1, Write.Type: "Patient" } && other.Write.Id == patient))
            {
                var owner = owners[patient] = await vault.CreateOwnerAsync(connection, Guid.Parse(patient), OwnerKind.Patient, cancellation);
                await RecordStore.AddPatientAsync(connection, patient, owner.Id, AuditTrail.AliasOf(owner), now, cancellation);
            }
            else if (Guid.TryParse(patient, out var known) && (connection is null || await RecordStore.HoldPatientAsync(connection, patient, cancellation))
                && await vault.FindOwnerAsync(known, cancellation) is { } owner)
            {
                owners[patient] = owner;
            }
            else
            {
                return (owners, Unknown(row));
            }
        }
        return (owners, null);
    }
}
