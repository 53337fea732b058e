using System.Globalization;

namespace Salus.Learning.Cohort;

/// <summary>What a cohort is made to be.</summary>
public sealed record CohortOptions
{
    /// <summary>The number of patients.</summary>
    public int Patients { get; init; } = 120;

    /// <summary>Each patient has 1 to this many encounters.</summary>
    public int EncountersMax { get; init; } = 4;

    /// <summary>The chance that an assessment says the opposite of the state.</summary>
    public double AssessmentError { get; init; } = 0.07;

    /// <summary>The day after the last encounter.</summary>
    public DateOnly Until { get; init; } = new(2025, 1, 1);

    /// <summary>Fresh encounters drawn for the best attainable accuracy.</summary>
    public int Draws { get; init; } = 20_000;

    /// <summary>The same seed gives the same cohort.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Patients: < 1 or > 1_000_000 } => $"Patients is {Patients}; give 1 to 1000000",
        { EncountersMax: < 1 or > 100 } => $"EncountersMax is {EncountersMax}; give 1 to 100",
        { AssessmentError: not (>= 0 and < 0.5) } => $"AssessmentError is {AssessmentError}; give 0 to below 0.5",
        { Draws: < 100 or > 10_000_000 } => $"Draws is {Draws}; give 100 to 10000000",
        _ => null,
    };
}

/// <summary>
/// Makes a demonstration cohort: risk factors give the chance of an abnormal latent state, vitals and notes follow from
/// the state with noise, and the assessment is the state but for a stated chance of error.
/// </summary>
public static class CohortGenerator
{
    /// <summary>Makes the cohort of the options' seed.</summary>
    public static SyntheticCohort Make(CohortOptions options)
    {
        if (options.Objection() is { } objection)
            throw new ArgumentException(objection);
        var patients = new SyntheticPatient[options.Patients];
        for (var i = 0; i < patients.Length; i++)
            patients[i] = MakePatient(i, options, SeededGenerator.For(options.Seed, (ulong)i));
        var encounters = patients.SelectMany(patient => patient.Encounters).ToArray();
        var here = (double)encounters.Count(encounter => encounter.TrueProbability >= 0.5 == encounter.AssessedAbnormal) / encounters.Length;
        var (rate, error) = BestAccuracy(options);
        return new SyntheticCohort(patients, options.Seed, rate, error, here);
    }

    // Averaging the likelier side's probability has the same mean as counting hits, with less spread.
    static (double Rate, double Error) BestAccuracy(CohortOptions options)
    {
        var generator = new SeededGenerator(SeededGenerator.Derive(options.Seed, ulong.MaxValue));
        double sum = 0, squares = 0;
        for (var draw = 0; draw < options.Draws; draw++)
        {
            var probability = EncounterDraw.Make(generator, DrawRisks(generator).Count(risk => risk), options.AssessmentError).TrueProbability;
            var hit = Math.Max(probability, 1 - probability);
            sum += hit;
            squares += hit * hit;
        }
        var mean = sum / options.Draws;
        return (mean, Math.Sqrt(((squares / options.Draws) - (mean * mean)) / options.Draws));
    }

    static SyntheticPatient MakePatient(int index, CohortOptions options, SeededGenerator generator)
    {
        var female = generator.NextInt(2) == 0;
        var born = options.Until.AddDays(-(20 * 365) - generator.NextInt(65 * 365));
        var risks = DrawRisks(generator);
        var history = HistoryText(risks, generator);
        var encounters = new SyntheticEncounter[1 + generator.NextInt(options.EncountersMax)];
        var days = Enumerable.Range(0, encounters.Length).Select(_ => options.Until.AddDays(-1 - generator.NextInt(2 * 365))).Order().ToArray();
        for (var i = 0; i < encounters.Length; i++)
            encounters[i] = EncounterDraw.Make(generator, risks.Count(risk => risk), options.AssessmentError).ToEncounter(days[i], history, generator);
        return new SyntheticPatient
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"P-{1001 + index}"),
            GivenName = Pick(female ? Phrases.FemaleNames : Phrases.MaleNames, generator),
            FamilyName = Pick(Phrases.FamilyNames, generator),
            Sex = female ? "female" : "male",
            BirthDate = born,
            Encounters = encounters,
        };
    }

    static bool[] DrawRisks(SeededGenerator generator) =>
        [.. Phrases.RiskFactors.Select(_ => generator.NextDouble() < 0.25)];

    static string HistoryText(bool[] risks, SeededGenerator generator)
    {
        var parts = Phrases.RiskFactors.Where((_, i) => risks[i]).ToList();
        parts.AddRange(Phrases.Distractors.Where(_ => generator.NextDouble() < 0.2));
        return parts.Count == 0 ? "No relevant history." : $"History of {string.Join("; ", parts)}.";
    }

    internal static string Pick(string[] from, SeededGenerator generator) => from[generator.NextInt(from.Length)];
}
