using System.Security.Cryptography;
using System.Text.Json;
using Salus.Learning.Cohort;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;

namespace Salus.Host.Node;

/// <summary>An account to sign in with, as it is printed.</summary>
public sealed record DemonstrationAccount(string Role, string Email, string Password);

/// <summary>
/// The consortium an empty node begins with: one hospital, an account for each role, and synthetic patients with encounters.
/// The passwords are random and lie beside the master key, readable by the node's owner only.
/// </summary>
sealed class Demonstration(IServiceProvider services, NodeOptions options)
{
    const decimal GlucoseMilligramsPerMillimole = 18.016m;
    static readonly TimeSpan ConsentPeriod = TimeSpan.FromDays(365);

    static readonly (Role Role, string Name)[] People =
    [
        (Role.Administrator, "Ada Admin"), (Role.Practitioner, "Dr Petra Practice"), (Role.Patient, "Pat Patient"), (Role.Auditor, "Otto Auditor"),
        (Role.Researcher, "Rita Research"), (Role.Laboratory, "Leo Laboratory"), (Role.Pharmacy, "Fay Pharmacy"), (Role.Insurer, "Ines Insurer"),
    ];

    string File => Path.Combine(options.Keys, "demonstration-accounts.json");

    /// <summary>Makes the consortium on the first start; later starts only tell the accounts.</summary>
    public async Task<IReadOnlyList<DemonstrationAccount>> EnsureAsync(CancellationToken cancellation)
    {
        var desk = services.GetRequiredService<AccountDesk>();
        if ((await desk.ListAsync(0, 1, cancellation)).Count > 0)
        {
            return System.IO.File.Exists(File)
                ? JsonSerializer.Deserialize<List<DemonstrationAccount>>(await System.IO.File.ReadAllTextAsync(File, cancellation)) ?? []
                : [];
        }
        // A file that is there tells of accounts of a state that was removed
        System.IO.File.Delete(File);
        return await Progress.StepAsync("Creating the demonstration consortium", () => CreateAsync(desk, cancellation));
    }

    async Task<IReadOnlyList<DemonstrationAccount>> CreateAsync(AccountDesk desk, CancellationToken cancellation)
    {
        List<DemonstrationAccount> accounts = [];
        var doctor = await AddAsync(desk, accounts, Role.Practitioner, null, cancellation);
        var patients = await AddPatientsAsync(new Caller(doctor, Role.Practitioner, null), cancellation);
        foreach (var (role, _) in People.Where(person => person.Role != Role.Practitioner))
        {
            await AddAsync(desk, accounts, role, role == Role.Patient ? patients.FirstOrDefault() : null, cancellation);
        }
        await using var file = new FileStream(File, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await JsonSerializer.SerializeAsync(file, accounts, cancellationToken: cancellation);
        return accounts;
    }

    static async Task<Guid> AddAsync(AccountDesk desk, List<DemonstrationAccount> accounts, Role role, string? patient, CancellationToken cancellation)
    {
        var email = $"{role.ToString().ToLowerInvariant()}@salus.example";
        var password = $"{RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 4)}-{RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 4)}-{RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 4)}";
        var name = People.First(person => person.Role == role).Name;
        if (await desk.CreateAsync(email, name, password, role, patient, cancellation) is not SignUpOutcome.Created created)
        {
            throw new InvalidOperationException($"The demonstration account for the role {role} could not be made.");
        }
        accounts.Add(new DemonstrationAccount(role.ToString(), email, password));
        return created.Account;
    }

    /// <summary>Synthetic patients, their encounters entered by the doctor, their consent to the hospital signed by their node-held keys.</summary>
    async Task<List<string>> AddPatientsAsync(Caller doctor, CancellationToken cancellation)
    {
        if (options.DemonstrationPatients == 0)
        {
            return [];
        }
        var records = services.GetRequiredService<RecordsDesk>();
        var consents = services.GetRequiredService<ConsentDesk>();
        var time = services.GetRequiredService<TimeProvider>();
        var cohort = CohortGenerator.Make(new CohortOptions { Patients = options.DemonstrationPatients, Seed = (ulong)options.DemonstrationSeed });
        List<string> patients = [];
        foreach (var synthetic in cohort.Patients)
        {
            string? patient = null;
            foreach (var encounter in synthetic.Encounters)
            {
                var outcome = await records.RecordConditionAsync(doctor, Entry(synthetic, encounter), cancellation);
                patient = outcome is ConditionOutcome.Recorded recorded
                    ? recorded.Patient
                    : throw new InvalidOperationException($"A synthetic encounter was refused: {outcome}");
            }
            patients.Add(patient!);
            var now = time.GetUtcNow();
            await consents.GrantAsync(new Caller(Guid.Empty, Role.Patient, patient), new ConsentTerms(
                GranteeKind.Hospital, ConsentTerms.ThisHospital, Enum.GetValues<RecordCategory>(), [Purpose.Treatment, Purpose.Research], now, now + ConsentPeriod), cancellation);
        }
        return patients;
    }

    static ConditionEntry Entry(SyntheticPatient patient, SyntheticEncounter encounter)
    {
        var vitals = encounter.Vitals;
        return new ConditionEntry(
            patient.Id,
            new NewPatient(patient.FamilyName, patient.GivenName, patient.BirthDate, patient.Sex),
            encounter.Symptoms, encounter.History, encounter.Examination,
            new VitalSigns(
                vitals.HeartRate, vitals.SystolicPressure, vitals.DiastolicPressure, vitals.Temperature, vitals.RespiratoryRate, vitals.OxygenSaturation,
                vitals.BodyMassIndex, vitals.Glucose is { } glucose ? Math.Round(glucose * GlucoseMilligramsPerMillimole) : null),
            encounter.AssessedAbnormal ? Assessment.Abnormal : Assessment.Normal,
            new DateTimeOffset(encounter.Date.ToDateTime(new TimeOnly(9, 0)), TimeSpan.Zero));
    }
}
