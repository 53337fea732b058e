using Npgsql;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records.Indexing;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Blobs;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

/// <summary>
/// The only door to records, for each caller: validation, the access decision, encryption, the index, the audit and the leaf happen here.
/// </summary>
public sealed partial class RecordsDesk(
    NpgsqlDataSource database, NodeMessages messages, KeyVault vault, ConsentDesk consents, AuditTrail audit, ProofDesk proofs, BlobStore blobs, Sequencer sequencer, TimeProvider time,
    RecordDefinitions definitions, IndexState indexing)
{
    readonly SealedStore store = new(vault);
    readonly EntryLookup entries = new(messages);
    readonly RecordWriter writer = new(messages);
    readonly PageLookup pages = new(messages);
    readonly RecordIndex index = new(definitions, indexing);
    readonly IndexFrequencies frequencies = new(time);

    /// <summary>Stores one resource under an id given here.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="json">The whole resource.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="ifNoneExist">A query: where it matches, nothing is stored.</param>
    /// <param name="type">The type that the address names; null for none.</param>
    public async Task<WriteOutcome> CreateAsync(Caller caller, ReadOnlyMemory<byte> json, CancellationToken cancellation, string? ifNoneExist = null, string? type = null) =>
        FhirJson.Read(json) switch
        {
            FhirReadOutcome.Ok { Resource: var other } when type is not null && other.ResourceType != type =>
                Invalid("invalid", other.ResourceType, $"The body is a {other.ResourceType}, the address names {type}. They must be the same."),
            FhirReadOutcome.Ok { Resource: var resource } => await WriteAsync(
                caller, [new RecordWrite(WriteVerb.Create, resource.ResourceType) { Resource = resource, Condition = ifNoneExist }], AuditAction.Create, cancellation),
            FhirReadOutcome.Refused refused => new WriteOutcome.Invalid(refused.Issues),
            _ => throw new InvalidOperationException("A reading is accepted or refused."),
        };

    /// <summary>Stores resources given as JSON texts that refer to one another by <c>urn:uuid:</c> full URLs.</summary>
    internal async Task<WriteOutcome> CreateAsync(Caller caller, IReadOnlyList<(string FullUrl, byte[] Json)> resources, CancellationToken cancellation)
    {
        List<RecordWrite> writes = [];
        foreach (var (fullUrl, json) in resources)
        {
            if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
            {
                return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
            }
            writes.Add(new RecordWrite(WriteVerb.Create, resource.ResourceType) { Resource = resource, FullUrl = fullUrl });
        }
        return await WriteAsync(caller, writes, AuditAction.Create, cancellation);
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
        return resource.ResourceType != type || resource.Id != id
            ? Invalid("invalid", $"{resource.ResourceType}.id", $"The body is {resource.ResourceType}/{resource.Id}, the address names {type}/{id}. They must be the same.")
            : await WriteAsync(caller, [new RecordWrite(WriteVerb.Update, type) { Resource = resource, Id = id, Expected = expected }], AuditAction.Create, cancellation);
    }

    /// <summary>Stores a new version of the one resource that a query means, or the first where there is none.</summary>
    public async Task<WriteOutcome> UpdateWhereAsync(Caller caller, string type, string condition, ReadOnlyMemory<byte> json, int? expected, CancellationToken cancellation)
    {
        if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
        }
        return resource.ResourceType != type
            ? Invalid("invalid", resource.ResourceType, $"The body is a {resource.ResourceType}, the address names {type}. They must be the same.")
            : await WriteAsync(caller, [new RecordWrite(WriteVerb.Update, type) { Resource = resource, Condition = condition, Expected = expected }], AuditAction.Create, cancellation);
    }

    /// <summary>Stores a version that says that a resource is gone; its earlier versions stay.</summary>
    public Task<WriteOutcome> DeleteAsync(Caller caller, string type, string id, int? expected, CancellationToken cancellation) =>
        WriteAsync(caller, [new RecordWrite(WriteVerb.Delete, type) { Id = id, Expected = expected }], AuditAction.Create, cancellation);

    /// <summary>Deletes the one resource that a query means; again is no error.</summary>
    public Task<WriteOutcome> DeleteWhereAsync(Caller caller, string type, string condition, CancellationToken cancellation) =>
        WriteAsync(caller, [new RecordWrite(WriteVerb.Delete, type) { Condition = condition }], AuditAction.Create, cancellation);

    /// <summary>Stores what the node itself makes, such as a prediction, on behalf of a caller whose right was decided before.</summary>
    internal async Task<WriteOutcome> StoreOwnAsync(Caller caller, byte[] json, LeafKind kind, AuditAction action, CancellationToken cancellation)
    {
        if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
        }
        return DraftSet.Validate(definitions.Refusals, [(resource, "")]) is { Count: > 0 } issues
            ? new WriteOutcome.Invalid(issues)
            : await WriteCheckedAsync(caller, [new RecordWrite(WriteVerb.Create, resource.ResourceType) { Resource = resource, Kind = kind }], isConditional: false, action, cancellation);
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

    static string NewId() => OrderedId.New().ToString();
}
