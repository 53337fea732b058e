using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Consortium;
using Salus.Platform.Identity;
using Salus.Platform.Records;

namespace Salus.Platform.Exchange;

/// <summary>A record that another member holds, with what was verified of it here.</summary>
/// <param name="Record">The record's bytes as its holder stored them.</param>
/// <param name="Proof">The state of its proof, checked here against the holder's log and this node's own view of the chain.</param>
/// <param name="Claims">What was checked, and what came of it; none until the log has the record.</param>
public sealed record ForeignRecord(StoredRecord Record, ProofState Proof, IReadOnlyList<Claim> Claims);

/// <summary>What became of asking another member.</summary>
public abstract record RecordAskOutcome
{
    RecordAskOutcome() { }

    /// <summary>What the holder gave.</summary>
    public sealed record Found(Member Holder, string Patient, IReadOnlyList<ForeignRecord> Records, IReadOnlyList<string> Altered, bool IsPartial) : RecordAskOutcome;

    /// <summary>A field is wrong; nobody was asked.</summary>
    public sealed record Invalid(string Field, string Reason) : RecordAskOutcome;

    /// <summary>The holder refuses, or the caller's role reads nothing.</summary>
    public sealed record Refused(string Reason) : RecordAskOutcome;

    /// <summary>The holder does not answer, or not as it should.</summary>
    public sealed record Away(string Reason) : RecordAskOutcome;
}

/// <summary>Asks other members' nodes for records on behalf of professionals here, and verifies what comes. Nothing of it is kept.</summary>
public sealed class RecordAsker(
    ChainLink link, NodeKeys keys, MemberDirectory directory, MemberWire wire, AccountDesk accounts, RecordsDesk records, ForeignProofs proofs, TimeProvider time)
{
    const int AnswerBytesMax = 64 << 20;

    readonly Eip712Domain domain = RecordRequest.Domain(link.ChainId, link.Contracts[ChainContract.Members]);

    /// <summary>Asks for a patient's record.</summary>
    /// <param name="caller">Who asks here.</param>
    /// <param name="holder">The id of the member that holds the record.</param>
    /// <param name="patient">The patient's id there; empty where the consent names the patient.</param>
    /// <param name="consent">The one consent to go by; empty for all.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="types">The resource types wanted; none for all that is covered.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<RecordAskOutcome> AskAsync(
        Caller caller, ulong holder, string patient, string consent, Purpose purpose, IReadOnlyList<string> types, CancellationToken cancellation)
    {
        if (caller.Role is not (Role.Practitioner or Role.Laboratory or Role.Pharmacy or Role.Insurer))
        {
            return new RecordAskOutcome.Refused($"The role {caller.Role} reads no records.");
        }
        if (directory.Find(holder) is not { IsSelf: false } member)
        {
            return new RecordAskOutcome.Invalid("member", "Name another hospital of the consortium by its id.");
        }
        if (directory.Self is not { } self)
        {
            return new RecordAskOutcome.Refused("This hospital is no member of the consortium.");
        }
        if (member.Endpoint is not { } endpoint)
        {
            return new RecordAskOutcome.Away($"{member.Shown} has not published where it is reached.");
        }
        var name = (await accounts.FindAsync(caller.Account, cancellation))?.DisplayName ?? "Someone";
        var request = new RecordRequest(
            self.Id, member.Account.ToString(), patient.Trim(), consent.Trim(), ConsentTerms.CodeOf(purpose), types, $"{name}, {caller.Role.ToString().ToLowerInvariant()}",
            caller.Account.ToString(), (ulong)time.GetUtcNow().ToUnixTimeMilliseconds(), Hex.Of(RandomNumberGenerator.GetBytes(32)));
        if (request.Fault() is { } fault)
        {
            return new RecordAskOutcome.Invalid("patient", fault);
        }
        var outcome = await SendAsync(member, endpoint, request.Sign(keys.Chain, domain), cancellation);
        await records.AskedElsewhereAsync(caller, holder, outcome is RecordAskOutcome.Found, outcome switch
        {
            RecordAskOutcome.Refused refused => refused.Reason,
            RecordAskOutcome.Away away => away.Reason,
            _ => ConsentTerms.CodeOf(purpose),
        }, cancellation);
        return outcome;
    }

    async Task<RecordAskOutcome> SendAsync(Member holder, Uri endpoint, SignedRequest request, CancellationToken cancellation)
    {
        try
        {
            var answer = await wire.PostAsync(endpoint, ExchangeFeature.Path, JsonSerializer.SerializeToUtf8Bytes(request, JsonSerializerOptions.Web), AnswerBytesMax, cancellation);
            return answer.Status switch
            {
                HttpStatusCode.OK when JsonSerializer.Deserialize<RecordAnswer>(answer.Body, JsonSerializerOptions.Web) is { Patient: not null, Records: not null, Altered: not null } given
                    && given.Records.All(record => record is { Type: not null, Id: not null }) =>
                    new RecordAskOutcome.Found(holder, given.Patient, await proofs.ReadAsync(holder, given.Records, cancellation), given.Altered, given.IsPartial),
                HttpStatusCode.Forbidden => new RecordAskOutcome.Refused(Detail(answer.Body)),
                _ => new RecordAskOutcome.Away($"{holder.Shown} answers with status {(int)answer.Status}."),
            };
        }
        catch (Exception away) when (away is HttpRequestException or IOException or JsonException || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new RecordAskOutcome.Away($"{holder.Shown} does not answer as it should.");
        }
    }

    static string Detail(byte[] body)
    {
        using var json = JsonDocument.Parse(body);
        return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("detail", out var detail) && detail.GetString() is { Length: > 0 and <= 500 } reason
            ? reason
            : "The hospital refuses.";
    }
}
