using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Learning.Recipes;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Platform.DecisionSupport;

/// <summary>A service as discovery lists it (CDS Hooks 2.0).</summary>
public sealed record CdsService(string Id, string Hook, string Title, string Description, string UsageRequirements, IReadOnlyDictionary<string, string> Prefetch);

/// <summary>The cards that answer a call.</summary>
public sealed record CdsAnswer(IReadOnlyList<CdsCard> Cards);

/// <summary>Who asks: another system, or a practitioner of this hospital.</summary>
abstract record CdsAsker(Guid Id)
{
    /// <summary>Another system: it is answered from what it sends, and from nothing else.</summary>
    public sealed record Other(CdsClient Client) : CdsAsker(Client.Id);

    /// <summary>A practitioner here: answered from the patient's record, as far as the patient's consent covers it.</summary>
    public sealed record Own(Caller Caller) : CdsAsker(Caller.Account);
}

/// <summary>
/// Lets the models in use, each by a service of its own, advise at the point of care (CDS Hooks 2.0). Of a call nothing is kept but the fact that it was made, without health data.
/// </summary>
public sealed class CdsDesk(
    NpgsqlDataSource database, ModelDesk models, RecordDefinitions definitions, OrganizationDesk organization, AuditTrail audit, IOptions<PasskeyOptions> pages, TimeProvider time)
{
    /// <summary>Where services are.</summary>
    public const string Path = "/cds-services";

    const int NotFound = 404;
    const int Forbidden = 403;
    const int FeedbackMax = 100;

    readonly CdsStore store = new(new RowBinding(organization));
    readonly CdsCards cards = new(organization, pages.Value.Origin.TrimEnd('/'));

    /// <summary>An address below this node's as tokens must name it, whatever name it was called by.</summary>
    internal string AddressOf(string path) => pages.Value.Origin.TrimEnd('/') + path;

    /// <summary>The services there are: one for each recipe of which a model is released.</summary>
    internal async Task<IReadOnlyList<CdsService>> ListAsync(CancellationToken cancellation) =>
    [
        .. (await models.InUseByRecipeAsync(cancellation)).Select(used => new CdsService(
            used.Recipe.Name, CdsRequest.NameOf(used.Recipe.Hook), used.Recipe.Title, $"{used.Recipe.Use} Model {used.Model.Id} of {used.Model.Card.CreatedAt.UtcDateTime:yyyy-MM-dd}.",
            $"{Words(used.Recipe, isNeeded: true)} are needed{(Words(used.Recipe, isNeeded: false) is { Length: > 0 } more ? $"; {more} are read where they are sent" : "")}. Nothing is fetched.",
            CdsPrefetch.Of(used.Recipe).ToDictionary(template => template.Key, template => template.Query))),
    ];

    static string Words(Recipe recipe, bool isNeeded) => string.Join(", ", CdsPrefetch.Of(recipe).Where(template => template.IsNeeded == isNeeded).Select(template => template.Key));

    /// <summary>Answers a call.</summary>
    internal async Task<(CdsAnswer? Answer, CdsFault? Fault)> AskAsync(CdsAsker asker, string service, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if ((await models.InUseByRecipeAsync(cancellation)).FirstOrDefault(used => used.Recipe.Name == service).Recipe is not { } recipe)
        {
            return (null, NoService());
        }
        var (json, broken) = CdsRequest.Parse(body);
        if (json is null)
        {
            return (null, broken);
        }
        using (json)
        {
            var (request, fault) = CdsRequest.Read(json.RootElement, recipe.Hook);
            return request is null ? (null, fault) : await AnswerAsync(asker, recipe, request, cancellation);
        }
    }

    async Task<(CdsAnswer? Answer, CdsFault? Fault)> AnswerAsync(CdsAsker asker, Recipe recipe, CdsRequest request, CancellationToken cancellation)
    {
        IReadOnlyList<string> notSent = [];
        string? page = null;
        AdviceOutcome advised;
        if (asker is CdsAsker.Own own)
        {
            page = $"/patients/{request.Patient}";
            advised = await models.AdviseAsync(own.Caller, recipe, request.Patient, request.Encounter, cancellation);
        }
        else
        {
            if (CdsPrefetch.Missing(recipe, request) is { } missing)
            {
                return (null, missing);
            }
            var (records, bent) = CdsPrefetch.Read(recipe, request, definitions.Refusals, time.GetUtcNow());
            if (bent is not null)
            {
                return (null, bent);
            }
            notSent = CdsPrefetch.NotSent(recipe, request);
            advised = await models.AdviseAsync(recipe, records, request.Patient, request.Encounter, cancellation);
        }
        var outcome = advised switch
        {
            AdviceOutcome.Given given => (Answer: new CdsAnswer([cards.Of(asker.Id, given.Advice, notSent, page)]), Fault: (CdsFault?)null, Detail: "1 card"),
            AdviceOutcome.NothingToJudge => (new CdsAnswer([]), null, "no card"),
            AdviceOutcome.NoConsent refused => (null, new CdsFault(Forbidden, "context.patientId", refused.Reason), "no consent"),
            _ => (null, NoService(), "no model"),
        };
        await RecordAsync(asker, AuditAction.Predict, outcome.Answer is not null, recipe.Name, $"{outcome.Detail}, call {request.HookInstance}", request.User, cancellation);
        return (outcome.Answer, outcome.Fault);
    }

    /// <summary>Keeps what became of cards: all of them, or none.</summary>
    internal async Task<CdsFault?> TakeFeedbackAsync(CdsAsker asker, string service, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var (json, broken) = CdsRequest.Parse(body);
        if (json is null)
        {
            return broken;
        }
        using (json)
        {
            if (!json.RootElement.TryGetProperty("feedback", out var items) || items.ValueKind != JsonValueKind.Array || items.GetArrayLength() is 0 or > FeedbackMax)
            {
                return CdsFault.Bent("feedback", $"Give a list of 1 to {FeedbackMax} cards.");
            }
            var known = await models.ReleasedModelsAsync(service, cancellation);
            if (known.Count == 0)
            {
                return NoService();
            }
            List<CdsFeedback> kept = [];
            foreach (var (number, item) in items.EnumerateArray().Index())
            {
                var (feedback, fault) = Read(asker, item, $"feedback[{number}]", known);
                if (feedback is null)
                {
                    return fault;
                }
                kept.Add(feedback);
            }
            await KeepAsync(asker, service, kept, cancellation);
            return null;
        }
    }

    /// <summary>The words of a reason's code.</summary>
    public static string ReasonOf(string code) => CdsCards.Reasons.FirstOrDefault(reason => reason.Code == code)?.Display ?? code;

    /// <summary>What came of a model's cards, for its page.</summary>
    public async Task<IReadOnlyList<CdsFeedbackCount>> FeedbackOfAsync(string model, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await store.CountAsync(connection, model, cancellation);
    }

    (CdsFeedback? Feedback, CdsFault? Fault) Read(CdsAsker asker, JsonElement item, string place, IReadOnlyList<string> known)
    {
        var said = item.ValueKind == JsonValueKind.Object ? Deserialize(item) : null;
        if (said?.Card is not { } card || cards.ModelOf(asker.Id, card, known) is not { } model)
        {
            return (null, CdsFault.Bent($"{place}.card", "Give the uuid of a card that this service has given you."));
        }
        CdsOutcome? outcome = said.Outcome switch { "accepted" => CdsOutcome.Accepted, "overridden" => CdsOutcome.Overridden, _ => null };
        if (outcome is null)
        {
            return (null, CdsFault.Bent($"{place}.outcome", "Give accepted or overridden."));
        }
        if (said.OutcomeTimestamp is null)
        {
            return (null, CdsFault.Bent($"{place}.outcomeTimestamp", "Give when it was done, with its offset, such as 2026-01-31T09:30:00Z."));
        }
        if (said.AcceptedSuggestions is { Count: > 0 })
        {
            return (null, CdsFault.Bent($"{place}.acceptedSuggestions", "The cards of this service suggest nothing; leave it out, or empty."));
        }
        // A reason that was not offered may be words of anybody's about anybody.
        var reason = outcome == CdsOutcome.Accepted ? null
            : said.OverrideReason is null ? null
            : CdsCards.Reasons.FirstOrDefault(offered => offered.Code == said.OverrideReason.Reason?.Code)?.Code ?? "other";
        return (new CdsFeedback(asker.Id, card, model, outcome.Value, reason, time.GetUtcNow()), null);
    }

    async Task KeepAsync(CdsAsker asker, string service, List<CdsFeedback> kept, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var feedback in kept)
        {
            await store.KeepAsync(connection, feedback, cancellation);
        }
        var detail = $"{kept.Count(one => one.Outcome == CdsOutcome.Accepted)} accepted, {kept.Count(one => one.Outcome == CdsOutcome.Overridden)} overridden";
        await audit.RecordAsync(connection, FactOf(asker, AuditAction.Feedback, true, service, detail, null), cancellation);
        await transaction.CommitAsync(cancellation);
    }

    Task RecordAsync(CdsAsker asker, AuditAction action, bool succeeded, string service, string detail, string user, CancellationToken cancellation) =>
        audit.RecordAsync(FactOf(asker, action, succeeded, service, detail, user), cancellation);

    static AuditFact FactOf(CdsAsker asker, AuditAction action, bool succeeded, string service, string detail, string? user) => asker switch
    {
        CdsAsker.Own own => new AuditFact(action, succeeded, own.Caller.Account, null, $"cds-services/{service}", detail),
        CdsAsker.Other other => new AuditFact(action, succeeded, null, null, $"cds-services/{service}", detail)
        {
            Requester = user is null ? other.Client.Name : $"{user} of {other.Client.Name}",
        },
        _ => throw new InvalidOperationException("Every asker has its fact."),
    };

    static CdsFault NoService() => new(NotFound, "", $"There is no such service. GET {Path} lists those that there are.");

    static FeedbackItem? Deserialize(JsonElement item)
    {
        try
        {
            return item.Deserialize<FeedbackItem>(FeedbackJson);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static readonly JsonSerializerOptions FeedbackJson = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.Strict };

    sealed record FeedbackItem(Guid? Card, string? Outcome, DateTimeOffset? OutcomeTimestamp, IReadOnlyList<JsonElement>? AcceptedSuggestions, FeedbackReason? OverrideReason);

    sealed record FeedbackReason(FeedbackCode? Reason);

    sealed record FeedbackCode(string? Code);
}
