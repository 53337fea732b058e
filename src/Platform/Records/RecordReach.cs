using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>All that one caller may see for one purpose at one moment, decided before anything is looked for.</summary>
sealed class RecordReach(IReadOnlyDictionary<string, AccessScope> scopes, Role role, DateTimeOffset now)
{
    readonly Dictionary<string, IndexReach> byType = [];

    /// <summary>What may be seen of a type.</summary>
    public IndexReach Of(string type)
    {
        if (!byType.TryGetValue(type, out var reach))
        {
            byType[type] = reach = new IndexReach([.. scopes.Where(pair => pair.Value.Decide(type, now) is AccessDecision.Allowed).Select(pair => pair.Key)], SeesNobodys(type));
        }
        return reach;
    }

    /// <summary>Whether an entry may be seen, by the patient its own row names: the index is not trusted with that.</summary>
    public bool Sees(SealedEntry entry) => entry.Patient is { } patient
        ? scopes.TryGetValue(patient, out var scope) && scope.Decide(entry.Type, now) is AccessDecision.Allowed
        : SeesNobodys(entry.Type);

    /// <summary>The patients of whom anything of a type may be seen; of whom anything at all for no type.</summary>
    public string[] PatientsOf(string? type) => type is null ? [.. scopes.Keys] : Of(type).Patients;

    bool SeesNobodys(string type) => AccessRules.Directory.Contains(type) && AccessRules.MayReadDirectory(role);
}
