using System.Collections.Concurrent;
using System.Net;
using Salus.Cli.Api;

namespace Salus.Cli.Demo;

/// <summary>Hospital, doctor, patients, and who may read what.</summary>
static class PeopleSteps
{
    const int ChainSecondsMax = 60;
    static readonly string[] Categories = ["Conditions", "Results", "Medications", "Prevention", "Documents", "Predictions", "Billing"];
    static readonly string[] Purposes = ["Treatment", "Research"];

    /// <summary>The hospital's place on the chain.</summary>
    public static async Task ConsortiumAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var place = await world.Nobody.GetAsync<PlaceAnswer>("/api/log/place", cancellation);
        StepNotes.Require(place.Contracts.Count >= 3, $"Only {place.Contracts.Count} contracts are deployed: {string.Join(", ", place.Contracts.Keys)}.");
        foreach (var (contract, address) in place.Contracts)
        {
            notes.Say($"{contract} at {address}");
        }
        notes.Say($"log {place.LogId[..18]}… of {place.Origin} on chain {place.ChainId}");
        notes.Set("contracts", place.Contracts);
        notes.Set("logId", place.LogId);
        notes.Set("chainId", place.ChainId);
    }

    /// <summary>A doctor and a patient sign up, in and out.</summary>
    public static async Task SignUpAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var administrator = world.Accounts.First(account => account.Role == "Administrator");
        using var admin = await NodeClient.SignInAsync(world.Address, administrator.Email, administrator.Password, cancellation);
        var (email, password) = ("doctor.demo@salus.example", DemoWorld.NewPassword());
        notes.At("a doctor signs up");
        var created = await SignUpAsync(world, email, "Dr Dora Demo", password, "Practitioner", null, cancellation);
        StepNotes.Require(!created.Approved, "A doctor was let in without approval.");
        await RequireAsync(world.Nobody.AskAsync(HttpMethod.Post, "/api/token", new { email, password }, cancellation), HttpStatusCode.Forbidden, "A doctor who waits for approval could sign in");
        var approved = await admin.AskAsync(HttpMethod.Post, $"/api/accounts/{created.Account}/approve", (object?)null, cancellation);
        StepNotes.Require(approved.IsSuccess, $"The doctor could not be approved: {approved.Reason}");
        await RequireAsync(world.Nobody.AskAsync(HttpMethod.Post, "/api/token", new { email, password = password + "x" }, cancellation), HttpStatusCode.Unauthorized, "A wrong password was let in");
        world.Doctor = await NodeClient.SignInAsync(world.Address, email, password, cancellation);
        world.DoctorAccount = created.Account;
        notes.Say("doctor signed up, approved by the administrator, signed in; refused before approval and with a wrong password");

        notes.At("a patient signs up");
        var (patientEmail, patientPassword) = ("patient.demo.1@salus.example", DemoWorld.NewPassword());
        await SignUpAsync(world, patientEmail, "Demo patient 1", patientPassword, "Patient", null, cancellation);
        var session = await NodeClient.SignInAsync(world.Address, patientEmail, patientPassword, cancellation);
        StepNotes.Require((await session.AskAsync(HttpMethod.Delete, "/api/token", (object?)null, cancellation)).IsSuccess, "The patient could not sign out.");
        await RequireAsync(session.AskAsync(HttpMethod.Get, "/api/account", (object?)null, cancellation), HttpStatusCode.Unauthorized, "A revoked token still opened the account");
        session.Dispose();
        world.FirstPatient = await NodeClient.SignInAsync(world.Address, patientEmail, patientPassword, cancellation);
        notes.Say("patient signed up, signed in, signed out (the token opened nothing any more) and in again");
        await TellRegistrationAsync("doctor", world.Doctor, notes, cancellation);
        await TellRegistrationAsync("patient", world.FirstPatient, notes, cancellation);
    }

    /// <summary>Patients sign up for their records and let the doctor read them; before that, nothing opens.</summary>
    public static async Task ConsentAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        foreach (var patient in world.Patients)
        {
            await RequireAsync(world.Doctor.AskAsync(HttpMethod.Get, $"/api/patients/{patient.Id}/records", (object?)null, cancellation), HttpStatusCode.Forbidden,
                $"Without consent, the record of patient {patient.Id} opened");
        }
        notes.Say($"without consent: {world.Patients.Count} of {world.Patients.Count} records refused (403)");
        var done = 0;
        await InParallelAsync(world.Patients, async (patient, index) =>
        {
            await EnrolAsync(world, patient, index, cancellation);
            notes.At($"{Interlocked.Increment(ref done)} of {world.Patients.Count} patients have an account");
        }, cancellation);
        notes.Say($"{world.Patients.Count} patients linked their account to their record with an enrolment code");
        await InParallelAsync(world.Patients, async (patient, _) =>
        {
            var consent = await patient.Client!.SendAsync<ConsentAnswer>(HttpMethod.Post, "/api/consents", new
            {
                grantee = world.DoctorAccount.ToString(), categories = Categories, purposes = Purposes,
                until = TimeProvider.System.GetUtcNow().AddDays(30),
            }, cancellation);
            patient.Consent = consent.Id;
        }, cancellation);
        notes.At("consents go to the chain");
        var blocks = new ConcurrentBag<long>();
        await InParallelAsync(world.Patients, async (patient, _) => blocks.Add((await DemoWorld.UntilAsync(
            async () => (await patient.Client!.GetAsync<List<ConsentAnswer>>("/api/consents", cancellation)).FirstOrDefault(one => one.Id == patient.Consent && one.State == "Active"),
            ChainSecondsMax, $"the consent of patient {patient.Id} is not on the chain", cancellation)).GrantedBlock ?? 0), cancellation);
        notes.Say($"{blocks.Count} consents active, in blocks {blocks.Min()} to {blocks.Max()} of Consents.sol, which saw salted commitments only");
        notes.Remark("In this demonstration the node keeps the patients' signing keys for them.");
        notes.Set("refusedWithoutConsent", world.Patients.Count);
        notes.Set("consents", blocks.Count);
    }

    /// <summary>A patient takes consent back.</summary>
    public static async Task RevokeAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var patient = world.Patients[^1];
        var revoked = await patient.Client!.AskAsync(HttpMethod.Delete, $"/api/consents/{patient.Consent}", (object?)null, cancellation);
        StepNotes.Require(revoked.IsSuccess, $"The consent could not be revoked: {revoked.Reason}");
        await RequireAsync(world.Doctor.AskAsync(HttpMethod.Get, $"/api/patients/{patient.Id}/records", (object?)null, cancellation), HttpStatusCode.Forbidden,
            "The first read after the revocation was let through");
        notes.Say("the first read after the revocation was refused (403), before the chain had it");
        var onChain = await DemoWorld.UntilAsync(
            async () => (await patient.Client.GetAsync<List<ConsentAnswer>>("/api/consents", cancellation)).FirstOrDefault(one => one.Id == patient.Consent && one.RevokedBlock is not null),
            ChainSecondsMax, "the revocation is not on the chain", cancellation);
        notes.Say($"the revocation stands in block {onChain.RevokedBlock}");
        notes.Set("revokedBlock", onChain.RevokedBlock);
    }

    /// <summary>The patient sees who read, and who tried.</summary>
    public static async Task AccessesAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var patient = world.Patients[^1];
        var accesses = await patient.Client!.GetAsync<List<AccessAnswer>>($"/api/patients/{patient.Id}/accesses", cancellation);
        var reads = accesses.Count(line => line.Fact is { Action: "Read", Succeeded: true } && line.Fact.Account == world.DoctorAccount);
        var refusals = accesses.Count(line => line.Fact is { Action: "Read", Succeeded: false } && line.Fact.Account == world.DoctorAccount);
        StepNotes.Require(reads >= 1, "The doctor's read is missing from the patient's list of accesses.");
        StepNotes.Require(refusals >= 2, $"Of the doctor's two refused reads, {refusals} stand in the patient's list of accesses.");
        var counts = accesses.GroupBy(line => line.Fact.Action).Select(group => $"{group.Count()} {group.Key.ToLowerInvariant()}");
        notes.Say($"the patient sees {accesses.Count} accesses ({string.Join(", ", counts)}): {reads} by the doctor opened, {refusals} refused");
        notes.Set("accesses", accesses.Count);
        notes.Set("opened", reads);
        notes.Set("refused", refusals);
    }

    /// <summary>Does something for each, a few at a time.</summary>
    public static Task InParallelAsync<T>(IReadOnlyList<T> all, Func<T, int, Task> work, CancellationToken cancellation) =>
        Parallel.ForEachAsync(all.Select((one, index) => (one, index)), new ParallelOptions { MaxDegreeOfParallelism = DemoWorld.Parallel, CancellationToken = cancellation },
            async (pair, _) => await work(pair.one, pair.index));

    /// <summary>Requires one answer and no other.</summary>
    public static async Task RequireAsync(Task<Answer> asked, HttpStatusCode expected, string otherwise)
    {
        var answer = await asked;
        StepNotes.Require(answer.Status == expected, $"{otherwise} (answer {(int)answer.Status} instead of {(int)expected}).");
    }

    static async Task EnrolAsync(DemoWorld world, DemoPatient patient, int index, CancellationToken cancellation)
    {
        var code = (await world.Doctor.SendAsync<CodeAnswer>(HttpMethod.Post, $"/api/patients/{patient.Id}/enrolment-code", null, cancellation)).Code;
        if (index == 0)
        {
            var redeemed = await world.FirstPatient.AskAsync(HttpMethod.Post, "/api/account/redeem", new { code }, cancellation);
            StepNotes.Require(redeemed.IsSuccess, $"The enrolment code was refused: {redeemed.Reason}");
            patient.Client = world.FirstPatient;
            return;
        }
        var (email, password) = ($"patient.demo.{index + 1}@salus.example", DemoWorld.NewPassword());
        await SignUpAsync(world, email, $"Demo patient {index + 1}", password, "Patient", code, cancellation);
        patient.Client = await NodeClient.SignInAsync(world.Address, email, password, cancellation);
    }

    static Task<CreatedAnswer> SignUpAsync(DemoWorld world, string email, string displayName, string password, string role, string? enrolmentCode, CancellationToken cancellation) =>
        world.Nobody.SendAsync<CreatedAnswer>(HttpMethod.Post, "/api/sign-up", new { email, displayName, password, role, enrolmentCode }, cancellation);

    static async Task TellRegistrationAsync(string who, NodeClient client, StepNotes notes, CancellationToken cancellation)
    {
        notes.At($"the {who}'s registration goes to the chain");
        var registration = await DemoWorld.UntilAsync(
            async () => await client.GetAsync<RegistrationAnswer>("/api/account/registration", cancellation) is { BlockNumber: not null } mined ? mined : null,
            ChainSecondsMax, $"the {who}'s registration is not on the chain", cancellation);
        StepNotes.Require(registration.Refusal is null, $"The contract refused the {who}'s registration: {registration.Refusal}");
        notes.Say($"{who}'s registration: block {registration.BlockNumber}, transaction {registration.TransactionHash![..18]}…, block hash {registration.BlockHash![..18]}…, {registration.GasUsed:N0} gas, {registration.Mined:yyyy-MM-dd HH:mm:ss} UTC");
        notes.Set($"{who}Registration", registration);
    }
}
