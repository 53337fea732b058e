namespace Salus.Learning.Cohort;

/// <summary>
/// What one state of health looks like: how each vital sign is distributed and how likely each symptom and finding is
/// to be present. Given the state, everything is independent, so that the true posterior can be computed.
/// </summary>
sealed record ClinicalPicture(string Name, double Share, (double Mean, double Spread)[] Vitals, double[] Symptoms, double[] Findings)
{
    public static readonly ClinicalPicture[] Normal =
    [
        new("well", 0.6,
            [(74, 9), (122, 11), (77, 8), (36.7, 0.25), (14.5, 1.8), (97.8, 1.0), (25.5, 4.0), (5.3, 0.6)],
            [0.08, 0.06, 0.08, 0.05, 0.05, 0.22, 0.20, 0.04],
            [0.03, 0.03, 0.02, 0.03, 0.02, 0.08]),
        new("minor complaint", 0.4,
            [(81, 10), (127, 12), (79, 8), (36.9, 0.35), (15.5, 2.0), (97.3, 1.1), (26.0, 4.2), (5.5, 0.7)],
            [0.25, 0.10, 0.28, 0.08, 0.08, 0.35, 0.35, 0.06],
            [0.06, 0.04, 0.03, 0.05, 0.03, 0.12]),
    ];

    public static readonly ClinicalPicture[] Abnormal =
    [
        new("infection", 0.4,
            [(100, 12), (119, 13), (73, 9), (38.3, 0.55), (20.5, 3.0), (94.8, 1.8), (25.8, 4.2), (6.2, 1.0)],
            [0.85, 0.50, 0.80, 0.20, 0.08, 0.65, 0.35, 0.05],
            [0.65, 0.08, 0.10, 0.25, 0.06, 0.10]),
        new("heart", 0.35,
            [(97, 13), (151, 16), (91, 10), (36.8, 0.3), (20.0, 3.0), (94.6, 1.9), (28.5, 4.5), (6.2, 1.1)],
            [0.06, 0.78, 0.22, 0.65, 0.55, 0.55, 0.25, 0.08],
            [0.45, 0.60, 0.65, 0.08, 0.10, 0.12]),
        new("metabolic", 0.25,
            [(93, 12), (141, 14), (87, 9), (36.8, 0.3), (18.0, 2.6), (96.6, 1.3), (31.5, 4.8), (12.0, 2.8)],
            [0.06, 0.20, 0.08, 0.12, 0.25, 0.75, 0.30, 0.78],
            [0.06, 0.10, 0.22, 0.10, 0.55, 0.12]),
    ];

    /// <summary>The least value, the greatest value and the step in which each vital sign is recorded.</summary>
    public static readonly (double Low, double High, double Step)[] Grids =
    [
        (35, 190, 1), (75, 230, 1), (40, 140, 1), (34.5, 41.5, 0.1), (8, 45, 1), (78, 100, 1), (15, 55, 0.1), (2.5, 30, 0.1),
    ];

    /// <summary>How often glucose, the last vital sign, is measured, whatever the state.</summary>
    public const double GlucoseMeasured = 0.7;
}

/// <summary>How symptoms, history and findings are worded. Which wording is taken says nothing of the state.</summary>
static class Phrases
{
    /// <summary>For each symptom: wordings when it is present, and its name when it is denied.</summary>
    public static readonly (string[] Present, string Denied)[] Symptoms =
    [
        (["fever since two days", "feels feverish with chills", "fever at home"], "fever"),
        (["dyspnoea on exertion", "dyspnoea when lying flat", "increasing dyspnoea"], "dyspnoea"),
        (["productive cough", "persistent cough", "cough with sputum"], "cough"),
        (["chest pain on walking", "tightness and chest pain", "recurrent chest pain"], "chest pain"),
        (["palpitations at night", "palpitations with dizziness", "intermittent palpitations"], "palpitations"),
        (["fatigue for weeks", "marked fatigue", "tires easily with fatigue"], "fatigue"),
        (["mild headache", "tension headache", "occasional headache"], "headache"),
        (["thirst and polyuria", "polyuria at night", "polyuria with weight loss"], "polyuria"),
    ];

    /// <summary>For each examination finding: wordings when present, and when looked for and not found.</summary>
    public static readonly (string[] Present, string[] Absent)[] Findings =
    [
        (["crackles at the right base", "bilateral crackles", "coarse crackles on auscultation"], ["no crackles", "lungs clear"]),
        (["systolic murmur", "gallop and murmur", "irregular rhythm with murmur"], ["no murmur", "heart sounds regular"]),
        (["ankle oedema", "pitting oedema to the knee", "bilateral leg oedema"], ["no oedema", "legs slim"]),
        (["tender lymph nodes", "enlarged cervical lymph nodes", "inflamed pharynx and lymph nodes"], ["no enlarged lymph nodes", "pharynx pale"]),
        (["dry mucosa and reduced turgor", "reduced foot sensation, dry mucosa", "dry mucosa"], ["no dry mucosa", "mucosa moist"]),
        (["tense neck muscles", "muscle tenderness at the shoulder", "lumbar muscle tenderness"], ["no muscle tenderness", "back free"]),
    ];

    /// <summary>Chronic conditions in a history: each raises the chance of an abnormal state a little.</summary>
    public static readonly string[] RiskFactors =
        ["hypertension", "type 2 diabetes", "coronary artery disease", "asthma", "smoking, 20 pack-years"];

    /// <summary>History that says nothing of the state.</summary>
    public static readonly string[] Distractors =
        ["appendectomy in childhood", "seasonal pollen allergy", "father with migraine", "wrist fracture, healed", "wears glasses", "works in an office", "tonsillectomy"];

    public static readonly string[] FemaleNames =
        ["Ada", "Berta", "Clara", "Dora", "Edith", "Frida", "Greta", "Hedda", "Ida", "Jana", "Klara", "Lena", "Mira", "Nora", "Olga", "Paula"];

    public static readonly string[] MaleNames =
        ["Anton", "Bruno", "Carl", "David", "Emil", "Felix", "Georg", "Hugo", "Ivan", "Jakob", "Konrad", "Leo", "Max", "Nils", "Otto", "Paul"];

    public static readonly string[] FamilyNames =
        ["Synthalder", "Synthbach", "Synthdorn", "Syntheck", "Synthfeld", "Synthgard", "Synthhain", "Synthkamp", "Synthlund", "Synthmoor", "Synthried", "Synthstein", "Synthtal", "Synthwald"];
}
