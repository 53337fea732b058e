namespace Salus.Learning.Cohort;

/// <summary>Whether a symptom or finding is written down, and as what.</summary>
enum Mention
{
    Absent,
    Denied,
    Present,
}

/// <summary>One encounter drawn from the generating model, with the posterior that the model itself implies.</summary>
sealed record EncounterDraw(bool State, bool Assessed, int[] Steps, bool GlucoseKnown, Mention[] Symptoms, Mention[] Findings, double TrueProbability)
{
    // What is not there is denied in writing or left out, by a chance that is the same in every state.
    const double DeniedShare = 0.4;

    // A symptom that is there may still go unwritten.
    const double WrittenShare = 0.85;

    static readonly VitalTable[][] Tables =
        [.. ClinicalPicture.Normal.Concat(ClinicalPicture.Abnormal).Select(picture => picture.Vitals.Select((vital, i) => new VitalTable(vital, ClinicalPicture.Grids[i])).ToArray())];

    public static EncounterDraw Make(SeededGenerator generator, int risks, double assessmentError)
    {
        var prevalence = Prevalence(risks);
        var state = generator.NextDouble() < prevalence;
        var pictures = state ? ClinicalPicture.Abnormal : ClinicalPicture.Normal;
        var chosen = Choose(pictures, generator);
        var tables = Tables[chosen + (state ? ClinicalPicture.Normal.Length : 0)];
        var steps = Array.ConvertAll(tables, table => table.Draw(generator));
        var glucose = generator.NextDouble() < ClinicalPicture.GlucoseMeasured;
        var symptoms = Mentions(pictures[chosen].Symptoms, generator);
        var findings = Mentions(pictures[chosen].Findings, generator);
        var assessed = state != generator.NextDouble() < assessmentError;
        var normal = (1 - prevalence) * Likelihood(ClinicalPicture.Normal, 0, steps, glucose, symptoms, findings);
        var abnormal = prevalence * Likelihood(ClinicalPicture.Abnormal, ClinicalPicture.Normal.Length, steps, glucose, symptoms, findings);
        var posterior = abnormal / (normal + abnormal);
        return new EncounterDraw(state, assessed, steps, glucose, symptoms, findings, (posterior * (1 - assessmentError)) + ((1 - posterior) * assessmentError));
    }

    public SyntheticEncounter ToEncounter(DateOnly day, string history, SeededGenerator generator) => new()
    {
        Date = day,
        Symptoms = SymptomText(generator),
        History = history,
        Examination = FindingText(generator),
        Vitals = new SyntheticVitals((int)Value(0), (int)Value(1), (int)Value(2), Value(3), (int)Value(4), (int)Value(5), Value(6), GlucoseKnown ? Value(7) : null),
        AssessedAbnormal = Assessed,
        LatentAbnormal = State,
        TrueProbability = TrueProbability,
    };

    // Each risk factor adds to the log odds; about four encounters in ten are abnormal overall.
    static double Prevalence(int risks) => 1 / (1 + Math.Exp(0.85 - (0.35 * risks)));

    static int Choose(ClinicalPicture[] pictures, SeededGenerator generator)
    {
        var left = generator.NextDouble();
        for (var i = 0; i < pictures.Length - 1; i++)
        {
            left -= pictures[i].Share;
            if (left < 0)
                return i;
        }
        return pictures.Length - 1;
    }

    static Mention[] Mentions(double[] chances, SeededGenerator generator) => Array.ConvertAll(chances, chance =>
    {
        var present = generator.NextDouble() < chance;
        var written = generator.NextDouble() < (present ? WrittenShare : DeniedShare);
        return written ? present ? Mention.Present : Mention.Denied : Mention.Absent;
    });

    static double Likelihood(ClinicalPicture[] pictures, int offset, int[] steps, bool glucose, Mention[] symptoms, Mention[] findings)
    {
        var sum = 0.0;
        for (var i = 0; i < pictures.Length; i++)
        {
            var likelihood = pictures[i].Share * Likelihood(pictures[i].Symptoms, symptoms) * Likelihood(pictures[i].Findings, findings);
            for (var vital = 0; vital < steps.Length - (glucose ? 0 : 1); vital++)
                likelihood *= Tables[offset + i][vital].Probability(steps[vital]);
            sum += likelihood;
        }
        return sum;
    }

    static double Likelihood(double[] chances, Mention[] mentions)
    {
        var product = 1.0;
        for (var i = 0; i < chances.Length; i++)
        {
            product *= mentions[i] switch
            {
                Mention.Present => chances[i] * WrittenShare,
                Mention.Denied => (1 - chances[i]) * DeniedShare,
                _ => (chances[i] * (1 - WrittenShare)) + ((1 - chances[i]) * (1 - DeniedShare)),
            };
        }
        return product;
    }

    decimal Value(int vital)
    {
        var (low, _, step) = ClinicalPicture.Grids[vital];
        return (decimal)low + (Steps[vital] * (decimal)step);
    }

    string SymptomText(SeededGenerator generator)
    {
        var present = Phrases.Symptoms.Where((_, i) => Symptoms[i] == Mention.Present).Select(symptom => CohortGenerator.Pick(symptom.Present, generator)).ToArray();
        var denied = Phrases.Symptoms.Where((_, i) => Symptoms[i] == Mention.Denied).Select(symptom => symptom.Denied).ToArray();
        var text = present.Length == 0 ? "Presents for review." : $"Reports {string.Join(", ", present)}.";
        return denied.Length == 0 ? text : $"{text} Denies {string.Join(", ", denied)}.";
    }

    string FindingText(SeededGenerator generator)
    {
        var parts = new List<string>();
        for (var i = 0; i < Findings.Length; i++)
        {
            if (Findings[i] != Mention.Absent)
                parts.Add(CohortGenerator.Pick(Findings[i] == Mention.Present ? Phrases.Findings[i].Present : Phrases.Findings[i].Absent, generator));
        }
        return parts.Count == 0 ? "Examination as before." : $"On examination: {string.Join("; ", parts)}.";
    }

    /// <summary>A normal distribution cut to a grid, as probabilities of its steps.</summary>
    sealed class VitalTable
    {
        readonly double[] probabilities;

        public VitalTable((double Mean, double Spread) shape, (double Low, double High, double Step) grid)
        {
            var count = (int)Math.Round((grid.High - grid.Low) / grid.Step) + 1;
            probabilities = [.. Enumerable.Range(0, count).Select(i => Math.Exp(-Math.Pow((grid.Low + (i * grid.Step) - shape.Mean) / shape.Spread, 2) / 2))];
            var sum = probabilities.Sum();
            for (var i = 0; i < count; i++)
                probabilities[i] /= sum;
        }

        public double Probability(int step) => probabilities[step];

        public int Draw(SeededGenerator generator)
        {
            var left = generator.NextDouble();
            for (var i = 0; i < probabilities.Length - 1; i++)
            {
                left -= probabilities[i];
                if (left < 0)
                    return i;
            }
            return probabilities.Length - 1;
        }
    }
}
