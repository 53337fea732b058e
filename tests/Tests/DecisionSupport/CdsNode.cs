using System.Text;
using Salus.Learning.Cohort;
using Salus.Platform.Consent;
using Salus.Platform.DecisionSupport;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;
using Salus.Tests.Models;
using Salus.Tests.Platform;

namespace Salus.Tests.DecisionSupport;

[CollectionDefinition(CdsNode.Name)]
public sealed class SharedCdsNode : ICollectionFixture<CdsNode>;

/// <summary>A node with a released model, served under a name of its own, and a system that is registered with it.</summary>
public sealed class CdsNode : IAsyncLifetime
{
    /// <summary>The collection of those who share it, one after the other.</summary>
    public const string Name = "decision support";

    /// <summary>Patients of whom a list of all holds no more; more than that share.</summary>
    public const int CohortMax = 12;

    internal TestNode Node { get; private set; } = null!;

    internal Caller Doctor { get; private set; } = null!;

    internal Caller Administrator { get; private set; } = null!;

    internal IReadOnlyList<string> Patients { get; private set; } = [];

    readonly List<string> wards = [];

    /// <summary>Patients with a stay and a note each; the first shares nothing.</summary>
    internal IReadOnlyList<string> Wards => wards;

    internal string Model { get; private set; } = "";

    internal string StayModel { get; private set; } = "";

    internal string NoteModel { get; private set; } = "";

    internal OtherSystem System { get; } = new("https://ehr.example.org");

    internal Guid SystemId { get; private set; }

    internal DateTimeOffset Now => Node.Ground.Clock.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        var ground = await TestGround.NewAsync();
        ground.Settings["Salus:Passkeys:Origin"] = OtherSystem.Origin;
        ground.Settings["Salus:Models:CohortMax"] = $"{CohortMax}";
        Node = await TestNode.StartAsync(ground, ownsGround: true);
        (Doctor, Administrator) = (await Node.AddAsync(Role.Practitioner), await Node.AddAsync(Role.Administrator));
        Patients = await CareNode.EnterAsync(Node.Records, Doctor, CohortGenerator.Make(new CohortOptions { Patients = 15, Draws = 100, Seed = 6 }).Patients);
        foreach (var bundle in WardCohort.Bundles(27))
        {
            wards.Add(Assert.IsType<WriteOutcome.Written>(await Node.Records.ImportAsync(Doctor, Encoding.UTF8.GetBytes(bundle), CancellationToken.None)).Records.First(record => record.Type == "Patient").Id);
        }
        // The last of those shares nothing, nor does the first of these.
        List<string> sharing = [.. Patients.SkipLast(1), .. wards.Skip(1)];
        foreach (var patient in sharing)
        {
            await Node.RequestAsync(CareNode.NewCaller(Role.Patient, patient), Doctor);
        }
        foreach (var patient in sharing)
        {
            var owner = CareNode.NewCaller(Role.Patient, patient);
            await TestNode.UntilAsync(async () => (await Node.Consents.ListAsync(owner, CancellationToken.None)).All(consent => consent.State == ConsentState.Active), "the consents are active");
        }
        (StayModel, NoteModel) = (await TrainAsync("readmission"), await TrainAsync("note-category"));
        Model = Assert.IsType<ModelTraining.Trained>(await Node.Get<ModelDesk>().TrainAsync(Doctor, new TrainingRequest(Trees: 40, Folds: 3, Repeats: 1), CancellationToken.None)).Model.Summary.Id;
        await ReleaseAsync();
        SystemId = (await RegisterAsync(System)).Id;
    }

    async Task<string> TrainAsync(string recipe)
    {
        var model = Assert.IsType<ModelTraining.Trained>(await Node.Get<ModelDesk>().TrainAsync(Doctor, new TrainingRequest(Trees: 30, Folds: 3, Repeats: 1, Recipe: recipe), CancellationToken.None)).Model.Summary.Id;
        Assert.IsType<ReleaseOutcome.Done>(await Node.Get<ModelDesk>().ReleaseAsync(Doctor, model, "Fit for this test's purposes.", CancellationToken.None));
        return model;
    }

    internal async Task ReleaseAsync() =>
        Assert.IsType<ReleaseOutcome.Done>(await Node.Get<ModelDesk>().ReleaseAsync(Doctor, Model, "Fit for this test's purposes.", CancellationToken.None));

    internal async Task<CdsClient> RegisterAsync(OtherSystem system, string? origins = null) => Assert.IsType<CdsClientOutcome.Done>(
        await Node.Get<CdsClientDesk>().RegisterAsync(Administrator, new CdsRegistration($"EHR of {system.Issuer}", system.Issuer, system.Jwks(), origins), CancellationToken.None)).Client;

    public async ValueTask DisposeAsync()
    {
        System.Dispose();
        await Node.DisposeAsync();
    }
}
