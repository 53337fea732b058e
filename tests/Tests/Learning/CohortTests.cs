using Salus.Learning.Cohort;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class CohortTests
{
    static readonly ModelOrigin Origin = new("condition", "demonstration", new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), new byte[] { 1, 2, 3 });

    [Fact]
    public void The_same_seed_makes_the_same_cohort_and_another_seed_another()
    {
        var options = new CohortOptions { Patients = 10, Draws = 100, Seed = 7 };
        Assert.Equal(Told(CohortGenerator.Make(options)), Told(CohortGenerator.Make(options)));
        Assert.NotEqual(Told(CohortGenerator.Make(options)), Told(CohortGenerator.Make(options with { Seed = 8 })));
    }

    [Fact]
    public void The_best_attainable_accuracy_is_what_the_true_posterior_attains_on_many_encounters()
    {
        var cohort = CohortGenerator.Make(new CohortOptions { Patients = 8_000, Seed = 3 });
        var encounters = cohort.Patients.Sum(patient => patient.Encounters.Count);
        var spread = Math.Sqrt(cohort.BestAccuracy * (1 - cohort.BestAccuracy) / encounters);
        Assert.InRange(cohort.BestAccuracyHere, cohort.BestAccuracy - (4 * spread) - (4 * cohort.BestAccuracyError), cohort.BestAccuracy + (4 * spread) + (4 * cohort.BestAccuracyError));
        Assert.InRange(cohort.BestAccuracy, 0.90, 0.93);
        Assert.InRange(cohort.BestAccuracyError, 0, 0.002);
    }

    [Fact]
    public void The_true_probability_is_calibrated()
    {
        var encounters = CohortGenerator.Make(new CohortOptions { Patients = 8_000, Seed = 4 }).Patients.SelectMany(patient => patient.Encounters).ToArray();
        var bins = Metrics.Calibration([.. encounters.Select(encounter => encounter.TrueProbability)], [.. encounters.Select(encounter => encounter.AssessedAbnormal ? 1 : 0)]);
        Assert.All(bins.Where(bin => bin.Count > 200), bin =>
            Assert.InRange(bin.ShareObserved - bin.MeanPredicted, -4 * Math.Sqrt(0.25 / bin.Count), 4 * Math.Sqrt(0.25 / bin.Count)));
        Assert.InRange(encounters.Average(encounter => encounter.LatentAbnormal ? 1 : 0), 0.36, 0.44);
    }

    [Fact]
    public void A_forest_comes_near_the_best_attainable_accuracy_and_not_above_it()
    {
        var cohort = CohortGenerator.Make(new CohortOptions { Seed = 1 });
        var plan = new LearningPlan { Evaluation = new EvaluationOptions { Repeats = 2 } };
        var encounters = cohort.ToAssessedEncounters();
        var card = Assert.IsType<ConditionTraining.Trained>(
            ConditionModel.Train(encounters, Learners.Forest(200, encounters.Count), plan, Origin, cancellation: TestContext.Current.CancellationToken)).Model.Card;

        Assert.Equal(cohort.Patients.Count, card.Evaluation.Groups);
        Assert.Equal("010203", card.DataCommitment);
        Assert.InRange(card.Evaluation.Accuracy.Estimate, 0.84, cohort.BestAccuracy + 0.02);
        Assert.True(card.Evaluation.Accuracy.Low > card.Evaluation.Majority);
        Assert.Equal(encounters.Count, card.Evaluation.Subgroups.Where(part => part.Column == "sex").Sum(part => part.Rows));
        Assert.Contains(card.Attributions, feature => feature.Feature.StartsWith("word '", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_name_is_plainly_synthetic()
    {
        var cohort = CohortGenerator.Make(new CohortOptions { Draws = 100 });
        Assert.All(cohort.Patients, patient => Assert.StartsWith("Synth", patient.FamilyName, StringComparison.Ordinal));
        Assert.Equal(cohort.Patients.Count, cohort.Patients.Select(patient => patient.Id).Distinct().Count());
        Assert.Equal("P-1001", cohort.Patients[0].Id);
    }

    static string Told(SyntheticCohort cohort) =>
        string.Join('\n', cohort.Patients.Select(patient => $"{patient with { Encounters = [] }} {string.Join('|', patient.Encounters)}"));
}
