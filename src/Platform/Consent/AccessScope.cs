namespace Salus.Platform.Consent;

/// <summary>What one caller may read of one patient for one purpose.</summary>
public sealed class AccessScope
{
    readonly IReadOnlyList<(string Consent, ConsentTerms Terms)> held;
    readonly Purpose purpose;
    readonly string refusal;
    readonly bool own;
    readonly DateTimeOffset? emergencyUntil;

    internal AccessScope(IReadOnlyList<(string, ConsentTerms)> held, Purpose purpose, string refusal, bool own = false, DateTimeOffset? emergencyUntil = null) =>
        (this.held, this.purpose, this.refusal, this.own, this.emergencyUntil) = (held, purpose, refusal, own, emergencyUntil);

    /// <summary>The patient's own record: everything.</summary>
    public static AccessScope Own { get; } = new([], Purpose.PatientRequest, "", own: true);

    /// <summary>Whether anything at all may be read.</summary>
    public bool IsEmpty => !own && held.Count == 0 && emergencyUntil is null;

    /// <summary>Nothing, for a reason.</summary>
    public static AccessScope None(string reason) => new([], Purpose.Treatment, reason);

    /// <summary>Decides on one resource type.</summary>
    public AccessDecision Decide(string resourceType, DateTimeOffset now)
    {
        if (own)
        {
            return new AccessDecision.Allowed(null);
        }
        foreach (var (consent, terms) in held)
        {
            if (terms.Cover(resourceType, purpose, now))
            {
                return new AccessDecision.Allowed(consent);
            }
        }
        return now <= emergencyUntil ? new AccessDecision.Allowed(null, InEmergency: true) : new AccessDecision.Refused(refusal);
    }
}
