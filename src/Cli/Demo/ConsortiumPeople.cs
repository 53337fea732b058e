using System.Net;
using Salus.Cli.Api;
using Salus.Cli.Node;

namespace Salus.Cli.Demo;

/// <summary>A doctor at each hospital, and a patient at the first.</summary>
sealed class ConsortiumPeople : IAsyncDisposable
{
    const int ChainSecondsMax = 60;
    static readonly string[] Categories = ["Conditions"];
    static readonly string[] Purposes = ["Treatment"];

    readonly List<NodeClient> doctors = [];
    NodeClient? patient;

    /// <summary>The doctors, in the order of their hospitals.</summary>
    public IReadOnlyList<NodeClient> Doctors => doctors;

    /// <summary>The patient, once there is a record.</summary>
    public NodeClient Patient => patient ?? throw new InvalidOperationException("The patient signs up with the record.");

    /// <summary>The record's id at the first hospital.</summary>
    public string Record { get; private set; } = "";

    /// <summary>The consent to the second.</summary>
    public string Consent { get; private set; } = "";

    /// <summary>Signs the doctors in.</summary>
    public static async Task<ConsortiumPeople> OpenAsync(Hospitals hospitals, CancellationToken cancellation)
    {
        var people = new ConsortiumPeople();
        foreach (var hospital in hospitals.All)
        {
            people.doctors.Add(await hospital.SignInAsync("Practitioner", cancellation));
        }
        var account = hospitals.All[0].Ready.Accounts!.First(one => one.Role == "Patient");
        people.patient = await NodeClient.SignInAsync(hospitals.All[0].Address, account.Email, account.Password, cancellation);
        return people;
    }

    /// <summary>A record at the first hospital, and the patient who owns it.</summary>
    public async Task RecordAsync(StepNotes notes, CancellationToken cancellation)
    {
        var written = await doctors[0].SendAsync<ConditionAnswer>(HttpMethod.Post, "/api/conditions", new
        {
            patientId = "D-1", newPatient = new { family = "Demo", given = "Dana", birthDate = "1980-02-03", sex = "female" },
            symptoms = "Cough for a week", assessment = "Normal", vitals = new { heartRate = 70 },
        }, cancellation);
        Record = written.Patient;
        var code = (await doctors[0].SendAsync<CodeAnswer>(HttpMethod.Post, $"/api/patients/{Record}/enrolment-code", null, cancellation)).Code;
        var redeemed = await Patient.AskAsync(HttpMethod.Post, "/api/account/redeem", new { code }, cancellation);
        StepNotes.Require(redeemed.IsSuccess, $"The enrolment code was refused: {redeemed.Reason}");
        notes.Say($"{written.Records.Count} records; the patient's account is linked to them");
        notes.Set("records", written.Records.Count);
    }

    /// <summary>Asks the first hospital from another.</summary>
    public async Task<Answer> AskAsync(int from, CancellationToken cancellation, params string[] types)
    {
        var holder = (await doctors[from].GetAsync<List<MemberAnswer>>("/api/members", cancellation)).First();
        return await doctors[from].AskAsync(HttpMethod.Post, "/api/exchange/records", new { member = holder.Id, patient = Record, types }, cancellation);
    }

    /// <summary>The consent to the second hospital.</summary>
    public async Task GrantAsync(StepNotes notes, CancellationToken cancellation)
    {
        Consent = await GrantAsync(1, cancellation);
        var granted = (await Patient.GetAsync<List<ConsentAnswer>>("/api/consents", cancellation)).First(one => one.Id == Consent);
        notes.Say($"in force since block {granted.GrantedBlock}; the chain saw a salted commitment alone");
        notes.Set("grantedBlock", granted.GrantedBlock);
    }

    /// <summary>Consent to the third hospital, and its expulsion.</summary>
    public async Task ExpelAsync(Hospitals hospitals, StepNotes notes, CancellationToken cancellation)
    {
        await GrantAsync(2, cancellation);
        StepNotes.Require((await AskAsync(2, cancellation)).IsSuccess, "C was refused though the patient consented.");
        notes.Say("C reads with the patient's consent");
        using var nobody = NodeClient.Anonymous(hospitals.All[2].Address);
        var itself = await nobody.GetAsync<StatementAnswer>("/api/consortium/self", cancellation);
        foreach (var voter in hospitals.All.Where((_, number) => number != 2).Take((hospitals.All.Count / 2) + 1))
        {
            await Hospitals.VoteAsync(voter, itself, admit: false, cancellation);
        }
        await DemoWorld.UntilAsync(async () => (await doctors[0].GetAsync<List<MemberAnswer>>("/api/members", cancellation)) is { } members
            && members.All(member => member.Account != itself.Account) ? members : null, ChainSecondsMax, "C is still a member", cancellation);
        await PeopleSteps.RequireAsync(AskAsync(2, cancellation), HttpStatusCode.Forbidden, "An expelled hospital was let in");
        notes.Say("expelled by the votes of the others, it is refused (403) though the consent stands");
    }

    /// <summary>What the patient sees.</summary>
    public async Task AccessesAsync(StepNotes notes, CancellationToken cancellation)
    {
        var lines = (await Patient.GetAsync<List<AccessAnswer>>($"/api/patients/{Record}/accesses", cancellation)).Where(line => line.Fact.Requester is not null).ToList();
        var (opened, closed) = (lines.Count(line => line.Fact.Succeeded), lines.Count(line => !line.Fact.Succeeded));
        StepNotes.Require(opened >= 1 && closed >= 3, $"Of the tries from elsewhere, the patient sees {opened} that opened and {closed} that were refused.");
        notes.Say($"{opened} reads and {closed} refused tries from elsewhere; the newest by {lines[0].Fact.Requester}");
        notes.Set("opened", opened);
        notes.Set("refused", closed);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        doctors.ForEach(doctor => doctor.Dispose());
        patient?.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task<string> GrantAsync(int to, CancellationToken cancellation)
    {
        var member = (await doctors[to].GetAsync<List<MemberAnswer>>("/api/members", cancellation)).First(one => one.IsSelf);
        var consent = await Patient.SendAsync<ConsentAnswer>(HttpMethod.Post, "/api/consents", new
        {
            grantee = $"member:{member.Id}", categories = Categories, purposes = Purposes, until = TimeProvider.System.GetUtcNow().AddDays(30),
        }, cancellation);
        await DemoWorld.UntilAsync(async () => (await Patient.GetAsync<List<ConsentAnswer>>("/api/consents", cancellation)).FirstOrDefault(one => one.Id == consent.Id && one.State == "Active"),
            ChainSecondsMax, "the consent is not on the chain", cancellation);
        return consent.Id;
    }
}
