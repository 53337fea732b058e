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

    /// <summary>Makes the consortium on the first start, or what a start that was cut off has left to make; later starts only tell the accounts.</summary>
    public async Task<IReadOnlyList<DemonstrationAccount>> EnsureAsync(CancellationToken cancellation)
    {
        var desk = services.GetRequiredService<AccountDesk>();
        List<DemonstrationAccount> accounts;
        if ((await desk.ListAsync(0, 1, cancellation)).Count == 0)
        {
            accounts = [.. People.Select(person => new DemonstrationAccount(person.Role.ToString(), $"{person.Role.ToString().ToLowerInvariant()}@salus.example", NewPassword()))];
            await WriteAsync(accounts, cancellation);
        }
        else
        {
            accounts = await ReadAsync(cancellation);
            if (await DoctorAsync(desk, accounts, cancellation) is null)
            {
                // The state is another's than the one the file tells of
                return [];
            }
        }
        return await IsCompleteAsync(desk, accounts, cancellation)
            ? accounts
            : await Progress.StepAsync("Creating the demonstration consortium", () => CreateAsync(desk, accounts, cancellation));
    }

    /// <summary>The passwords are kept before the first account is made: whoever is cut off then can still sign in.</summary>
    async Task WriteAsync(List<DemonstrationAccount> accounts, CancellationToken cancellation)
    {
        // What is there tells of accounts of a state that was removed
        System.IO.File.Delete(File);
        await using var file = new FileStream(File, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await JsonSerializer.SerializeAsync(file, accounts, cancellationToken: cancellation);
        file.Flush(flushToDisk: true);
    }

    async Task<List<DemonstrationAccount>> ReadAsync(CancellationToken cancellation) =>
        System.IO.File.Exists(File) ? JsonSerializer.Deserialize<List<DemonstrationAccount>>(await System.IO.File.ReadAllTextAsync(File, cancellation)) ?? [] : [];

    static async Task<Account?> DoctorAsync(AccountDesk desk, List<DemonstrationAccount> accounts, CancellationToken cancellation) =>
        await desk.FindByEmailAsync(accounts.Find(account => account.Role == nameof(Role.Practitioner))?.Email, cancellation);

    static async Task<bool> IsCompleteAsync(AccountDesk desk, List<DemonstrationAccount> accounts, CancellationToken cancellation) =>
        // The last that is made
        await desk.FindByEmailAsync(accounts[^1].Email, cancellation) is not null;

    async Task<IReadOnlyList<DemonstrationAccount>> CreateAsync(AccountDesk desk, List<DemonstrationAccount> accounts, CancellationToken cancellation)
    {
        var isResumed = await DoctorAsync(desk, accounts, cancellation) is not null;
        var doctor = await EnsureAsync(desk, accounts, Role.Practitioner, null, cancellation);
        var patients = await AddPatientsAsync(new Caller(doctor, Role.Practitioner, null), isResumed, cancellation);
        foreach (var (role, _) in People.Where(person => person.Role != Role.Practitioner))
        {
            await EnsureAsync(desk, accounts, role, role == Role.Patient ? patients.FirstOrDefault() : null, cancellation);
        }
        return accounts;
    }

    static async Task<Guid> EnsureAsync(AccountDesk desk, List<DemonstrationAccount> accounts, Role role, string? patient, CancellationToken cancellation)
    {
        var (_, email, password) = accounts.First(account => account.Role == role.ToString());
        if (await desk.FindByEmailAsync(email, cancellation) is { } there)
        {
            return there.Id;
        }
        return await desk.CreateAsync(email, People.First(person => person.Role == role).Name, password, role, patient, cancellation) is SignUpOutcome.Created created
            ? created.Account
            : throw new InvalidOperationException($"The demonstration account for the role {role} could not be made.");
    }

    static string NewPassword() => string.Join('-', Enumerable.Range(0, 3).Select(_ => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 4)));

    /// <summary>Synthetic patients, their encounters entered by the doctor, their consent to the hospital signed by their node-held keys.</summary>
    async Task<List<string>> AddPatientsAsync(Caller doctor, bool isResumed, CancellationToken cancellation)
    {
        if (options.DemonstrationPatients == 0)
        {
            return [];
        }
        var records = services.GetRequiredService<RecordsDesk>();
        var cohort = CohortGenerator.Make(new CohortOptions { Patients = options.DemonstrationPatients, Seed = (ulong)options.DemonstrationSeed });
        List<string> patients = [];
        foreach (var synthetic in cohort.Patients)
        {
            var patient = isResumed ? await records.FindPatientAsync(doctor, synthetic.Id, cancellation) : null;
            if (patient is null)
            {
                foreach (var encounter in synthetic.Encounters)
                {
                    var outcome = await records.RecordConditionAsync(doctor, Entry(synthetic, encounter), cancellation);
                    patient = outcome is ConditionOutcome.Recorded recorded
                        ? recorded.Patient
                        : throw new InvalidOperationException($"A synthetic encounter was refused: {outcome}");
                }
            }
            patients.Add(patient!);
            await EnsureConsentAsync(patient!, cancellation);
        }
        return patients;
    }

    async Task EnsureConsentAsync(string patient, CancellationToken cancellation)
    {
        var consents = services.GetRequiredService<ConsentDesk>();
        var caller = new Caller(Guid.Empty, Role.Patient, patient);
        if (await consents.ListAsync(caller, cancellation) is not [])
        {
            return;
        }
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        await consents.GrantAsync(caller, new ConsentTerms(
            GranteeKind.Hospital, ConsentTerms.ThisHospital, Enum.GetValues<RecordCategory>(), [Purpose.Treatment, Purpose.Research], now, now + ConsentPeriod), cancellation);
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
