using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Consortium;
using Salus.Platform.Records;
using Salus.Platform.Schema;

namespace Salus.Platform.Exchange;

/// <summary>What became of another member's request.</summary>
public abstract record GiveOutcome
{
    GiveOutcome() { }

    /// <summary>What the patient's consent covers.</summary>
    public sealed record Given(RecordAnswer Answer) : GiveOutcome;

    /// <summary>It is no such request.</summary>
    public sealed record Malformed(string Reason) : GiveOutcome;

    /// <summary>It is not taken, or the patient has not consented.</summary>
    public sealed record Refused(string Reason) : GiveOutcome;

    /// <summary>The chain does not answer: who is a member, and what is consented to, cannot be told.</summary>
    public sealed record Away : GiveOutcome;
}

/// <summary>
/// Answers requests of other members: signature, address, membership at this block, time, a number that was not taken before, and then the
/// records' own door with the patient's consent. Every try that names a patient is in that patient's trail.
/// </summary>
public sealed partial class RecordGiver(
    NpgsqlDataSource database, ChainLink link, NodeKeys keys, MemberDirectory directory, RecordsDesk records, TimeProvider time, ILogger<RecordGiver> logger)
{
    /// <summary>How far a request's time may be from the clock here.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(60);

    static readonly TimeSpan NonceKept = TimeSpan.FromDays(1);
    const string Stranger = "Someone whom no member of the consortium vouches for";

    readonly Eip712Domain domain = RecordRequest.Domain(link.ChainId, link.Contracts[ChainContract.Members]);

    /// <summary>Decides on a request, and gives what may be given.</summary>
    public async Task<GiveOutcome> GiveAsync(SignedRequest message, CancellationToken cancellation)
    {
        if (message is not { Request: { } request, Signature: not null })
        {
            return new GiveOutcome.Malformed("Send a request and its signature.");
        }
        if (request.Fault() is { } fault)
        {
            return new GiveOutcome.Malformed(fault);
        }
        try
        {
            return await DecideAsync(message, request, cancellation);
        }
        catch (Exception away) when (away is HttpRequestException or EvmRpcException or FormatException
            || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            LogAway(logger, away.GetType().Name);
            return new GiveOutcome.Away();
        }
    }

    async Task<GiveOutcome> DecideAsync(SignedRequest message, RecordRequest request, CancellationToken cancellation)
    {
        if (message.Signer(domain) is not { } signer || await directory.MemberNowAsync(signer, cancellation) is not { } id || id != request.Member)
        {
            return await RefuseStrangerAsync(request, cancellation);
        }
        var requester = $"{request.Person} (account {request.Account}) of {directory.Find(id)?.Shown ?? "a new member"}, member {id}";
        var patient = await records.ResolveDistantAsync(request.Patient, request.Consent, byIdentifier: true, cancellation);
        if (await FaultAsync(request, id, cancellation) is { } reason)
        {
            await records.RefuseDistantAsync(requester, patient, reason, cancellation);
            return new GiveOutcome.Refused(reason);
        }
        return await records.HandOutAsync(
            new DistantCaller(id, requester), patient, request.Consent.Length == 0 ? null : request.Consent,
            Enum.GetValues<Purpose>().First(purpose => ConsentTerms.CodeOf(purpose) == request.Purpose), request.Types, cancellation) switch
        {
            HandoutOutcome.Given given => new GiveOutcome.Given(new RecordAnswer(given.Patient,
                [.. given.Records.Select(record => new GivenRecord(record.Type, record.Id, record.Version, record.Proof?.ToBytes(), record.Proof is null ? record.Bytes : null))],
                given.Altered, given.IsPartial)),
            HandoutOutcome.Forbidden forbidden => new GiveOutcome.Refused(forbidden.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };
    }

    /// <summary>Why a member's request is not taken, or null: then it is taken, and never again.</summary>
    async Task<string?> FaultAsync(RecordRequest request, ulong member, CancellationToken cancellation)
    {
        if (Address.Parse(request.Holder) != keys.Chain.Address)
        {
            return "The request is meant for another hospital.";
        }
        var now = time.GetUtcNow();
        if ((now - request.Time).Duration() > AgeMax)
        {
            return $"The request's time is more than {AgeMax.TotalSeconds:0} seconds from the clock here.";
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var isNew = await connection.ExecuteAsync(cancellation,
            "INSERT INTO exchange_nonce (nonce, member, taken) VALUES ($1, $2, $3) ON CONFLICT (nonce) DO NOTHING", Hex.Data(request.Nonce, 32), (long)member, now) == 1;
        await connection.ExecuteAsync(cancellation, "DELETE FROM exchange_nonce WHERE taken < $1", now - NonceKept);
        return isNew ? null : "The request was taken before; each counts once.";
    }

    /// <summary>Nothing that the request says of its sender can be believed; a record is only told of it where it was named by its random id.</summary>
    async Task<GiveOutcome> RefuseStrangerAsync(RecordRequest request, CancellationToken cancellation)
    {
        const string reason = "No member of the consortium has signed this request as it stands.";
        if (await records.ResolveDistantAsync(request.Patient, request.Consent, byIdentifier: false, cancellation) is { } patient)
        {
            await records.RefuseDistantAsync(Stranger, patient, reason, cancellation);
        }
        return new GiveOutcome.Refused(reason);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A member's request could not be decided: the chain does not answer ({Kind})")]
    static partial void LogAway(ILogger logger, string kind);
}
