using System.Buffers;
using System.Text.Json;

namespace Salus.Platform.Audit;

/// <summary>What was done.</summary>
public enum AuditAction
{
    /// <summary>A record was read.</summary>
    Read,
    /// <summary>Records were looked for.</summary>
    Search,
    /// <summary>A record was written.</summary>
    Create,
    /// <summary>A new version was written.</summary>
    Update,
    /// <summary>A record was deleted.</summary>
    Delete,
    /// <summary>A file of records was brought in.</summary>
    Import,
    /// <summary>A patient granted access.</summary>
    Grant,
    /// <summary>A patient revoked access.</summary>
    Revoke,
    /// <summary>A model judged a patient's records.</summary>
    Predict,
    /// <summary>Someone signed in, or tried to.</summary>
    SignIn,
    /// <summary>Something changed on an account.</summary>
    Account,
    /// <summary>A patient's record was erased.</summary>
    Erase,
    /// <summary>This hospital voted on a member of the consortium.</summary>
    Vote,
    /// <summary>A record was opened without consent because life or health was at stake, or such an opening was ended.</summary>
    Emergency,
    /// <summary>A model was released for use, or withdrawn.</summary>
    Release,
    /// <summary>Records left in bulk, or were asked for so.</summary>
    Export,
    /// <summary>Another system was registered or withdrawn, or one that is known was turned away.</summary>
    Systems,
    /// <summary>Someone told what became of a model's advice.</summary>
    Feedback,
}

/// <summary>One fact of the audit trail.</summary>
/// <param name="Action">What was done.</param>
/// <param name="Succeeded">Whether it was allowed and done.</param>
/// <param name="Account">By whom; null before sign-in.</param>
/// <param name="PatientAlias">About whom: an alias that dies with the patient's key.</param>
/// <param name="Entity">To what: a resource type, or type and id.</param>
/// <param name="Detail">In a few words that hold no health data: a purpose, a reason for refusal, a count.</param>
public sealed record AuditFact(AuditAction Action, bool Succeeded, Guid? Account, string? PatientAlias, string? Entity, string? Detail)
{
    /// <summary>The aliases of all patients of a deed that is about several at once, such as a listing; then <see cref="PatientAlias"/> is null.</summary>
    public IReadOnlyList<string> PatientAliases { get; init; } = [];

    /// <summary>Who asked from another member of the consortium, or from another system: the person, as it names them, and the member or system; null for what happens here.</summary>
    public string? Requester { get; init; }
}

/// <summary>A fact with its time and its leaf's name.</summary>
public sealed record AuditLine(string Id, DateTimeOffset Time, AuditFact Fact);

/// <summary>AuditEvent (FHIR R4) of a fact, and back.</summary>
static class AuditEventJson
{
    const string AliasSystem = "https://salus.health/fhir/patient-alias";
    const string AccountSystem = "https://salus.health/fhir/account";
    const string ActionSystem = "https://salus.health/fhir/audit-action";

    public static byte[] Write(string id, DateTimeOffset time, AuditFact fact, string node)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "AuditEvent"u8);
            json.WriteString("id"u8, id);
            json.WriteStartObject("type"u8);
            json.WriteString("system"u8, "http://terminology.hl7.org/CodeSystem/audit-event-type"u8);
            json.WriteString("code"u8, "rest"u8);
            json.WriteEndObject();
            json.WriteStartArray("subtype"u8);
            json.WriteStartObject();
            json.WriteString("system"u8, ActionSystem);
            json.WriteString("code"u8, fact.Action.ToString());
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("action"u8, ActionCode(fact.Action));
            json.WriteString("recorded"u8, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"));
            json.WriteString("outcome"u8, fact.Succeeded ? "0"u8 : "8"u8);
            if (fact.Detail is not null)
            {
                json.WriteString("outcomeDesc"u8, fact.Detail);
            }
            WriteAgent(json, fact.Account, fact.Requester);
            json.WriteStartObject("source"u8);
            json.WriteStartObject("observer"u8);
            json.WriteString("display"u8, node);
            json.WriteEndObject();
            json.WriteEndObject();
            WriteEntities(json, fact);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static AuditLine Read(ReadOnlyMemory<byte> bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        var root = document.RootElement;
        string? entity = null;
        List<string> aliases = [];
        if (root.TryGetProperty("entity", out var entities))
        {
            foreach (var item in entities.EnumerateArray())
            {
                if (item.GetProperty("what").TryGetProperty("identifier", out var identifier))
                {
                    aliases.Add(identifier.GetProperty("value").GetString()!);
                }
                else
                {
                    entity = item.GetProperty("what").GetProperty("display").GetString();
                }
            }
        }
        var agent = root.GetProperty("agent")[0].GetProperty("who");
        return new AuditLine(
            root.GetProperty("id").GetString()!,
            root.GetProperty("recorded").GetDateTimeOffset(),
            new AuditFact(
                Enum.Parse<AuditAction>(root.GetProperty("subtype")[0].GetProperty("code").GetString()!),
                root.GetProperty("outcome").GetString() == "0",
                agent.TryGetProperty("identifier", out var account) ? account.GetProperty("value").GetGuid() : null,
                aliases is [var only] ? only : null,
                entity,
                root.TryGetProperty("outcomeDesc", out var detail) ? detail.GetString() : null)
            {
                PatientAliases = aliases.Count > 1 ? aliases : [],
                Requester = agent.TryGetProperty("type", out var kind) && kind.GetString() == "Organization" ? agent.GetProperty("display").GetString() : null,
            });
    }

    static void WriteAgent(Utf8JsonWriter json, Guid? account, string? requester)
    {
        json.WriteStartArray("agent"u8);
        json.WriteStartObject();
        json.WriteStartObject("who"u8);
        if (account is { } known)
        {
            WriteIdentifier(json, AccountSystem, known.ToString());
        }
        else if (requester is not null)
        {
            json.WriteString("type"u8, "Organization"u8);
            json.WriteString("display"u8, requester);
        }
        else
        {
            json.WriteString("display"u8, "not signed in"u8);
        }
        json.WriteEndObject();
        json.WriteBoolean("requestor"u8, true);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    static void WriteEntities(Utf8JsonWriter json, AuditFact fact)
    {
        IReadOnlyList<string> aliases = fact.PatientAlias is { } only ? [only] : fact.PatientAliases;
        if (aliases.Count == 0 && fact.Entity is null)
        {
            return;
        }
        json.WriteStartArray("entity"u8);
        foreach (var alias in aliases)
        {
            json.WriteStartObject();
            json.WriteStartObject("what"u8);
            WriteIdentifier(json, AliasSystem, alias);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        if (fact.Entity is not null)
        {
            json.WriteStartObject();
            json.WriteStartObject("what"u8);
            json.WriteString("display"u8, fact.Entity);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteIdentifier(Utf8JsonWriter json, string system, string value)
    {
        json.WriteStartObject("identifier"u8);
        json.WriteString("system"u8, system);
        json.WriteString("value"u8, value);
        json.WriteEndObject();
    }

    static string ActionCode(AuditAction action) => action switch
    {
        AuditAction.Create or AuditAction.Import or AuditAction.Grant => "C",
        AuditAction.Read or AuditAction.Search or AuditAction.Export => "R",
        AuditAction.Update or AuditAction.Revoke or AuditAction.Account => "U",
        AuditAction.Delete or AuditAction.Erase => "D",
        _ => "E",
    };
}
