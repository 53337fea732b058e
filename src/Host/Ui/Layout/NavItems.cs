using Salus.Platform.Identity;

namespace Salus.Host.Ui.Layout;

/// <summary>A place in the navigation.</summary>
public sealed record NavItem(string Path, string Text)
{
    /// <summary>Where else its pages stand.</summary>
    public string? Also { get; init; }

    /// <summary>Whether a page belongs to it.</summary>
    public bool Holds(string page) => IsUnder(Path, page) || (Also is not null && IsUnder(Also, page));

    /// <summary>Whether a page is this one or lies under it.</summary>
    public static bool IsUnder(string path, string page) => page == path || page.StartsWith(path + "/", StringComparison.Ordinal);
}

/// <summary>What each role finds in the navigation: the pages its work needs.</summary>
static class NavItems
{
    static readonly NavItem Patients = new("/patients", "Patients");
    static readonly NavItem Elsewhere = new("/elsewhere", "Records elsewhere");
    static readonly NavItem Members = new("/members", "Members");
    static readonly NavItem OtherSystems = new("/other-systems", "Other systems");
    static readonly NavItem Upload = new("/upload", "Upload");
    static readonly NavItem Blocks = new("/blocks", "Block log");
    static readonly NavItem Models = new("/predictions", "Models") { Also = "/models" };
    static readonly NavItem DataSets = new("/data-sets", "Data sets");
    static readonly NavItem Audit = new("/audit", "Audit trail");
    static readonly NavItem Emergencies = new("/emergencies", "Emergencies");
    static readonly NavItem Erasures = new("/erasures", "Erasures");
    static readonly NavItem Health = new("/node", "Health of the node");

    public static IReadOnlyList<NavItem> Of(Role role) => role switch
    {
        Role.Patient => [new("/my-record", "My record"), new("/consents", "Who may read"), new("/who-read", "Who has read"), Upload, Blocks],
        Role.Practitioner => [Patients, new("/conditions/new", "Add condition"), Elsewhere, Upload, Models, DataSets, Blocks],
        Role.Laboratory or Role.Pharmacy => [Patients, Elsewhere, Upload, Blocks],
        Role.Insurer => [Patients, Elsewhere, Blocks],
        Role.Researcher => [DataSets, Models, Blocks],
        Role.Auditor => [Audit, Emergencies, Erasures, Blocks, Health],
        Role.Administrator => [new("/accounts", "Accounts"), Members, OtherSystems, Models, Erasures, Health, Blocks],
        _ => [],
    };
}
