using Salus.Platform.Identity;

namespace Salus.Host.Ui.Layout;

/// <summary>A place in the navigation.</summary>
/// <param name="Path">Its page.</param>
/// <param name="Text">What it is called.</param>
/// <param name="Explanation">What is done there.</param>
public sealed record NavItem(string Path, string Text, string Explanation)
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
    static readonly NavItem Patients = new("/patients", "Patients", "The records that patients have opened to you.");
    static readonly NavItem Elsewhere = new("/elsewhere", "Records elsewhere", "What other hospitals hold of your patients, where consent covers it.");
    static readonly NavItem Members = new("/members", "Members", "The hospitals of this consortium, and votes on who joins.");
    static readonly NavItem OtherSystems = new("/other-systems", "Other systems", "Systems of others that ask the models for advice, and their keys.");
    static readonly NavItem Upload = new("/upload", "Upload", "Letters, images, films and files, sealed as they arrive.");
    static readonly NavItem Blocks = new("/blocks", "Block log", "Every block and transaction, and what each anchored.");
    static readonly NavItem Models = new("/predictions", "Models", "What the model says, and how good it honestly is.") { Also = "/models" };
    static readonly NavItem DataSets = new("/data-sets", "Data sets", "Load a table, look at it, add privacy noise, seal it.");
    static readonly NavItem Audit = new("/audit", "Audit trail", "Who did what, and what was refused. Patients stand there under aliases.");
    static readonly NavItem Emergencies = new("/emergencies", "Emergencies", "Records opened without consent, and why.");
    static readonly NavItem Erasures = new("/erasures", "Erasures", "What was erased for good, and by whose authority.");
    static readonly NavItem Health = new("/node", "Health of the node", "Database, chain, log and the last integrity check.");

    static readonly NavItem AddCondition = new("/conditions/new", "Add condition", "Symptoms, history, findings, vital signs, assessment.");
    static readonly NavItem Accounts = new("/accounts", "Accounts", "Approve, invite and disable.");
    static readonly NavItem MyRecord = new("/my-record", "My record", "Your visits, results and notes in plain words, each with its proof.");
    static readonly NavItem Consents = new("/consents", "Who may read", "Give access, see who has it, take it back.");
    static readonly NavItem WhoRead = new("/who-read", "Who has read", "Everyone who opened your record, and what for.");
    static readonly NavItem PatientBlocks = Blocks with { Explanation = "The public trace by which anybody can check that nothing was rewritten. It names nobody." };

    public static IReadOnlyList<NavItem> Of(Role role) => role switch
    {
        Role.Patient => [MyRecord, Consents, WhoRead, Upload, PatientBlocks],
        Role.Practitioner => [Patients, AddCondition, Elsewhere, Upload, Models, DataSets, Blocks],
        Role.Laboratory or Role.Pharmacy => [Patients, Elsewhere, Upload, Blocks],
        Role.Insurer => [Patients, Elsewhere, Blocks],
        Role.Researcher => [DataSets, Models, Blocks],
        Role.Auditor => [Audit, Emergencies, Erasures, Blocks, Health],
        Role.Administrator => [Accounts, Members, OtherSystems, Models, Erasures, Health, Blocks],
        _ => [],
    };
}
