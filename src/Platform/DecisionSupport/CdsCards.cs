using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Recipes;
using Salus.Platform.Identity;
using Salus.Platform.Models;

namespace Salus.Platform.DecisionSupport;

/// <summary>A coded word.</summary>
public sealed record CdsCoding(string System, string Code, string Display);

/// <summary>Where a card comes from.</summary>
public sealed record CdsSource(string Label, string Url);

/// <summary>Where a card leads.</summary>
public sealed record CdsLink(string Label, string Url, string Type);

/// <summary>A card (CDS Hooks 2.0).</summary>
public sealed record CdsCard(
    Guid Uuid, string Summary, string Detail, string Indicator, CdsSource Source, IReadOnlyList<CdsCoding> OverrideReasons, IReadOnlyList<CdsLink> Links);

/// <summary>Writes cards. A card's name is random but for a keyed hash of who was given it about which model, so that feedback is known to be about a card of this node while nothing is kept of it.</summary>
sealed class CdsCards(OrganizationDesk organization, string origin)
{
    const string Purpose = "cds card";
    const string ReasonSystem = "https://salus.health/fhir/cds-override-reason";
    const int SummaryMax = 140;
    const int HalfBytes = 8;
    const int OthersMax = 5;
    const int LabelMax = 40;

    static readonly SearchValues<char> Markup = SearchValues.Create("\\`*_{}[]<>#|!~&");

    /// <summary>Why a card may be set aside.</summary>
    public static IReadOnlyList<CdsCoding> Reasons { get; } =
    [
        new(ReasonSystem, "already-known", "Already known"),
        new(ReasonSystem, "does-not-fit", "Does not fit this patient"),
        new(ReasonSystem, "rests-on-wrong-data", "What it rests on is incomplete or wrong"),
        new(ReasonSystem, "other", "Another reason"),
    ];

    /// <summary>The card of what a model says.</summary>
    /// <param name="asker">Whom it is for.</param>
    /// <param name="advice">What the model says.</param>
    /// <param name="notSent">What it was asked to judge without.</param>
    /// <param name="record">The path of the patient's page here, for who may see it; null for another system.</param>
    public CdsCard Of(Guid asker, ModelAdvice advice, IReadOnlyList<string> notSent, string? record)
    {
        var page = $"{origin}/models/{advice.Model.Id}";
        var summary = $"{Summary(advice)} (a model's estimate, not a diagnosis)";
        List<CdsLink> links = [new("The model's card: figures, limits, who released it", page, "absolute")];
        if (record is not null)
        {
            links.Add(new CdsLink("The patient's record", origin + record, "absolute"));
        }
        return new CdsCard(
            NameOf(asker, advice.Model.Id), summary.Length <= SummaryMax ? summary : summary[..SummaryMax], Detail(advice, notSent),
            !advice.Recipe.HasManyClasses && advice.Probability >= advice.Model.Card.Threshold ? "warning" : "info", new CdsSource($"Salus, {organization.Current.Name}", page), Reasons, links);
    }

    /// <summary>The model whose card was given to this asker under that name; null where none was.</summary>
    public string? ModelOf(Guid asker, Guid card, IEnumerable<string> models)
    {
        var name = card.ToByteArray(bigEndian: true);
        return models.FirstOrDefault(model => CryptographicOperations.FixedTimeEquals(name, Sealed(asker, model, name.AsSpan(0, HalfBytes))));
    }

    Guid NameOf(Guid asker, string model) => new(Sealed(asker, model, RandomNumberGenerator.GetBytes(HalfBytes)), bigEndian: true);

    /// <summary>A UUID of version 8 (RFC 9562 section 5.8): eight random bytes, eight of the hash.</summary>
    byte[] Sealed(Guid asker, string model, ReadOnlySpan<byte> random)
    {
        var name = new byte[2 * HalfBytes];
        random.CopyTo(name);
        name[6] = (byte)((name[6] & 0x0F) | 0x80);
        organization.Key.Authenticate(Purpose, [.. asker.ToByteArray(bigEndian: true), .. name.AsSpan(0, HalfBytes), .. Encoding.UTF8.GetBytes(model)]).AsSpan(0, HalfBytes).CopyTo(name.AsSpan(HalfBytes));
        name[8] = (byte)((name[8] & 0x3F) | 0x80);
        return name;
    }

    static string Detail(ModelAdvice advice, IReadOnlyList<string> notSent)
    {
        var card = advice.Model.Card;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Sentence(advice)}\n\n");
        if (advice.IsLearned)
        {
            text.Append("**This says little:** the model may have learned from this very visit.\n\n");
        }
        else if (advice.Evidence is { } evidence)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Evidence(advice, evidence)} (95 % interval {Percent(evidence.Share.Low)} to {Percent(evidence.Share.High)}).\n\n");
        }
        if (advice.Classes.Count > 1)
        {
            text.Append(CultureInfo.InvariantCulture, $"Other categories: {string.Join(", ", advice.Classes.Skip(1).Take(OthersMax).Select(other => $"{Plain(other.Class)} {Percent(other.Probability)}"))}.\n\n");
        }
        text.Append("What spoke most:\n\n");
        foreach (var reason in advice.Reasons)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {Plain(reason.Description)}: {Share(advice.Scale, reason.Share)}\n");
        }
        text.Append(advice.Reasons.Count == 0 ? "- nothing moved the probability\n\n" : "\n");
        if (notSent.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"Judged without: {string.Join(", ", notSent)}.\n\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"{Plain(card.IntendedUse)} Figures: area under the ROC curve {card.Evaluation.Auc.Estimate:0.000}, Brier score {card.Evaluation.Brier.Estimate:0.000}, cross-validated on {advice.Model.RowsInWords}{(card.Calibration is null ? "" : "; probabilities calibrated")}.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Model {advice.Model.Id}, trained {card.CreatedAt.UtcDateTime:yyyy-MM-dd}, SHA-256 `{advice.Model.Hash[..16]}…`.");
        return text.ToString();
    }

    static string Summary(ModelAdvice advice) => advice.Recipe switch
    {
        { Encounters: true } => $"{Percent(advice.Probability)} probability of an abnormal assessment",
        { HasManyClasses: true } => $"Newest note without a category: “{Short(advice.Label)}”, {Percent(advice.Probability)} probable",
        _ => $"{Percent(advice.Probability)} probability of “{advice.Recipe.Outcome.Text}”",
    };

    static string Sentence(ModelAdvice advice)
    {
        var from = $"; the model says {(advice.Recipe.Encounters ? "so" : "at risk")} from {Percent(advice.Model.Card.Threshold)} on.";
        return advice.Recipe switch
        {
            { Encounters: true } => $"**{Percent(advice.Probability)}** probability that a doctor would assess this encounter as abnormal{from}",
            { HasManyClasses: true } => $"**{Percent(advice.Probability)}** probability that the newest note without a category{Of(advice.Day)} belongs to **{Plain(advice.Label)}**.",
            { Records.Per: RecordRow.Visit } => $"**{Percent(advice.Probability)}** probability of “{advice.Recipe.Outcome.Text}” after the stay that ends{Of(advice.Day)}{from}",
            _ => $"**{Percent(advice.Probability)}** probability of “{advice.Recipe.Outcome.Text}”, as of today{from}",
        };
    }

    static string Of(DateOnly? day) => day is { } known ? $" on {known:yyyy-MM-dd}" : "";

    static string Evidence(ModelAdvice advice, ObservedShare evidence) => advice.Recipe.HasManyClasses
        ? $"Of {evidence.Rows} notes that it put there without having seen them, {Percent(evidence.Share.Estimate)} belonged there"
        : $"Of {evidence.Rows} {(advice.Recipe.Encounters ? "visits" : advice.Model.Rows)} that it gave {Percent(evidence.From)[..^2]} to {Percent(evidence.To)} without having seen them, {Percent(evidence.Share.Estimate)} {(advice.Recipe.Encounters ? "were assessed abnormal" : $"came to have “{advice.Recipe.Outcome.Text}”")}";

    static string Short(string text) => text.Length <= LabelMax ? text : $"{text[..(LabelMax - 1)]}…";

    static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    static string Share(ExplanationScale scale, double share) => scale == ExplanationScale.Probability
        ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:+0.0;-0.0} points")
        : string.Create(CultureInfo.InvariantCulture, $"{share:+0.00;-0.00} of the log odds");

    /// <summary>Text that Markdown shows as it is.</summary>
    static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (Markup.Contains(letter))
            {
                plain.Append('\\');
            }
            plain.Append(char.IsControl(letter) ? ' ' : letter);
        }
        return plain.ToString();
    }
}
