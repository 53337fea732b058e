using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;

namespace Salus.Platform.Models;

/// <summary>What the model in use says of an encounter; nothing of it is stored.</summary>
/// <param name="Model">The model.</param>
/// <param name="Probability">Of an abnormal assessment, 0 to 1.</param>
/// <param name="Evidence">How often encounters of about this probability, which the model had not seen, came to be assessed abnormal.</param>
/// <param name="Scale">What the reasons add up to.</param>
/// <param name="Reasons">The words and values that spoke most, either way.</param>
/// <param name="IsLearned">Whether the model may have learned from this encounter: then its probability says little.</param>
sealed record ModelAdvice(ModelSummary Model, double Probability, ObservedShare? Evidence, ExplanationScale Scale, IReadOnlyList<PredictionReason> Reasons, bool IsLearned);

/// <summary>What became of asking for advice.</summary>
abstract record AdviceOutcome
{
    AdviceOutcome() { }

    /// <summary>Here it is.</summary>
    public sealed record Given(ModelAdvice Advice) : AdviceOutcome;

    /// <summary>No model is released for use.</summary>
    public sealed record NoModel : AdviceOutcome;

    /// <summary>The patient's consent does not cover the records that the model would read.</summary>
    public sealed record NoConsent(string Reason) : AdviceOutcome;

    /// <summary>There is no such encounter, or nothing was measured or written at it.</summary>
    public sealed record NothingToJudge : AdviceOutcome;
}

// Advice while a record is open: nothing of it is stored.
public sealed partial class ModelDesk
{
    /// <summary>Advises on a patient's record here, as far as the patient's consent covers it; what is read is audited.</summary>
    internal async Task<AdviceOutcome> AdviseAsync(Caller caller, string patient, string? encounter, CancellationToken cancellation) =>
        await records.RetrieveAsync(caller, patient, Purpose.Treatment, EncounterReader.Types, cancellation) switch
        {
            RetrievalOutcome.Found found => await AdviseAsync(Intact(found), encounter, ofThisNode: true, cancellation),
            RetrievalOutcome.Forbidden forbidden => new AdviceOutcome.NoConsent(forbidden.Reason),
            _ => throw new InvalidOperationException("A retrieval is found or forbidden."),
        };

    /// <summary>Advises on records that came from elsewhere, and on nothing else.</summary>
    internal Task<AdviceOutcome> AdviseAsync(IReadOnlyList<StoredRecord> sent, string? encounter, CancellationToken cancellation) => AdviseAsync(sent, encounter, ofThisNode: false, cancellation);

    /// <summary>The models of that name that were ever released.</summary>
    internal async Task<IReadOnlyList<string>> ReleasedModelsAsync(string name, CancellationToken cancellation)
    {
        List<string> released = [];
        foreach (var release in await shelf.ReleasesAsync(cancellation))
        {
            if ((await shelf.SummaryAsync(release.Model, cancellation))?.Card.Name == name)
            {
                released.Add(release.Model);
            }
        }
        return released;
    }

    async Task<AdviceOutcome> AdviseAsync(IReadOnlyList<StoredRecord> read, string? encounter, bool ofThisNode, CancellationToken cancellation)
    {
        if (await shelf.InUseAsync(cancellation) is not { } model)
        {
            return new AdviceOutcome.NoModel();
        }
        if (Choose(read, encounter).Chosen is not { } chosen)
        {
            return new AdviceOutcome.NothingToJudge();
        }
        var (said, _, evidence, reasons) = Judge(model, [chosen.Features])[0];
        return new AdviceOutcome.Given(new ModelAdvice(
            model.Summary, said.Probabilities[1], evidence, said.Scale, reasons, ofThisNode && MayHaveLearned(model.Summary, chosen)));
    }
}
