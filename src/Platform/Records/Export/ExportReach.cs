using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Store;

namespace Salus.Platform.Records.Export;

/// <summary>What of whom may leave in bulk at one moment. An emergency opens a record to be looked at, not to be carried away.</summary>
/// <param name="scopes">What the caller may read, by patient.</param>
/// <param name="role">The caller's role.</param>
/// <param name="members">These patients alone; null for all.</param>
/// <param name="hasDirectory">Whether what is about nobody belongs to it.</param>
/// <param name="now">The moment.</param>
sealed class ExportReach(IReadOnlyDictionary<string, AccessScope> scopes, Role role, IReadOnlySet<string>? members, bool hasDirectory, DateTimeOffset now)
{
    /// <summary>The patients whose records of a type may leave, and whether those about nobody may.</summary>
    public IndexReach Of(string type) => new([.. scopes.Keys.Where(patient => Covers(patient, type))], SeesNobodys(type));

    /// <summary>Whether an entry, or the news that it was deleted, may leave.</summary>
    public bool Sees(SealedEntry entry) => entry.Patient is { } patient ? Covers(patient, entry.Type) : SeesNobodys(entry.Type);

    bool Covers(string patient, string type) => members?.Contains(patient) != false
        && scopes.TryGetValue(patient, out var scope) && scope.Decide(type, now) is AccessDecision.Allowed { InEmergency: false };

    bool SeesNobodys(string type) => hasDirectory && AccessRules.Directory.Contains(type) && AccessRules.MayReadDirectory(role);
}
