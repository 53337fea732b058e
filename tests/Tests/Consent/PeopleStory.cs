using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Tests.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Consent;

/// <summary>A patient at the API, with a consent passkey in software.</summary>
sealed class Person : IDisposable
{
    readonly TestNode node;

    public Person(TestNode node, Caller caller, HttpClient client) => (this.node, Caller, Client) = (node, caller, client);

    public Caller Caller { get; }

    public HttpClient Client { get; private set; }

    public SoftwarePasskey Passkey { get; } = new();

    public string Name { get; init; } = "";

    public string AccountId => Caller.Account.ToString();

    /// <summary>A token anew: those from before a great leap of the clock are too old.</summary>
    public async Task RenewAsync(TestNode? on = null)
    {
        Client.Dispose();
        Client = await (on ?? node).ClientAsync(Caller);
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    public Task<JsonElement> GetAsync(string path) => Client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    public async Task<JsonElement> AskAsync(string path, object body)
    {
        using var response = await PostAsync(path, body);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    /// <summary>Asks what is to be signed and signs it; what came of it.</summary>
    public async Task<JsonElement> SignAsync(string ask, object body, string finish)
    {
        var question = await AskAsync(ask, body);
        using var response = await PostAsync(finish, PasskeyStory.Answer(question, Passkey.Sign(question)));
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{finish}: {response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    public async Task RequireFaultAsync(string fault, string finish, JsonElement question, object credential)
    {
        using var response = await PostAsync(finish, PasskeyStory.Answer(question, credential));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(fault, (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("fault").GetString());
    }

    public async Task RequireStatusAsync(HttpStatusCode status, string path, object body)
    {
        using var response = await PostAsync(path, body);
        Assert.Equal(status, response.StatusCode);
    }

    public void Dispose()
    {
        Client.Dispose();
        Passkey.Dispose();
    }
}

/// <summary>A node with a doctor and patients who have consent passkeys.</summary>
sealed class PeopleStory : IAsyncDisposable
{
    readonly List<Person> persons = [];

    PeopleStory(ConsentStory consents) => Consents = consents;

    public ConsentStory Consents { get; }

    public TestNode Node => Consents.Node;

    public Person Patient => persons[0];

    /// <summary>Begins with the patient whose record the doctor has written.</summary>
    public static async Task<PeopleStory> StartAsync(TestGround? ground = null)
    {
        var story = new PeopleStory(await ConsentStory.StartAsync(ground));
        await story.EnrolAsync(story.Consents.Account);
        return story;
    }

    /// <summary>Another patient with a passkey.</summary>
    public async Task<Person> AddAsync()
    {
        var (patient, _) = await Node.RecordAsync(Consents.Doctor);
        return await EnrolAsync(await Node.AddAsync(Role.Patient, patient));
    }

    public object Terms() => new
    {
        grantee = Consents.Doctor.Account.ToString(), categories = new[] { "Conditions" }, purposes = new[] { "Treatment" }, until = Node.Ground.Clock.GetUtcNow().AddDays(30),
    };

    /// <summary>The patient names a delegate, and the chain has it; the delegation's id.</summary>
    public async Task<string> AppointAsync(Person @delegate, TimeSpan? period = null)
    {
        await Patient.SignAsync("/api/delegates/prepare",
            new { account = @delegate.AccountId, relation = "Guardian", until = Node.Ground.Clock.GetUtcNow() + (period ?? TimeSpan.FromDays(30)) }, "/api/delegates/sign");
        await TestNode.UntilAsync(async () => (await Patient.GetAsync("/api/delegates"))[0].GetProperty("state").GetString() == "Active", "the chain has the delegate");
        return (await Patient.GetAsync("/api/delegates"))[0].GetProperty("id").GetString()!;
    }

    /// <summary>The patient names contacts.</summary>
    public Task SetRecoveryAsync(int threshold, params Person[] contacts) => Patient.SignAsync("/api/recovery/terms/prepare",
        new { contacts = contacts.Select(contact => contact.AccountId).ToArray(), threshold, delayDays = 1 }, "/api/recovery/sign");

    /// <summary>The patient, signed in by password, asks that a new passkey replace the lost one.</summary>
    public async Task AskForRecoveryAsync(SoftwarePasskey passkey)
    {
        var question = await Patient.AskAsync("/api/recovery/requests/prepare", new { password = PasskeyStory.Password });
        await Patient.RequireStatusAsync(HttpStatusCode.NoContent, "/api/recovery/requests",
            new { attempt = question.GetProperty("attempt").GetString(), name = "New phone", credential = passkey.Make(question) });
    }

    /// <summary>A contact sees the request and confirms it.</summary>
    public static async Task ConfirmAsync(Person contact)
    {
        var request = Assert.Single((await contact.GetAsync("/api/confirmations")).EnumerateArray());
        await contact.SignAsync($"/api/confirmations/{request.GetProperty("id").GetString()}/prepare", new { }, "/api/confirmations/sign");
    }

    public async Task<JsonElement> RequestAsync() => (await Patient.GetAsync("/api/recovery")).GetProperty("requests")[0];

    public Task StateAsync(string state) => TestNode.UntilAsync(async () => (await RequestAsync()).GetProperty("state").GetString() == state, $"the recovery is {state}");

    public async Task<byte[]> SubjectAsync() =>
        (await Node.Database.RowsAsync(row => row.GetFieldValue<byte[]>(0), "SELECT subject FROM consent_subject WHERE patient = $1", Patient.Caller.Patient!)).Single();

    public Task<SubjectsContract.RecoveryOfResult> RecoveryOfAsync(byte[] subject) =>
        SubjectsContract.RecoveryOfAsync(Node.Ground.Chain.Direct, Node.Chain.Contracts[ChainContract.Subjects], subject);

    /// <summary>Lets time pass for the chain and the node.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        await Node.Ground.Chain.CommandAsync("evm_increaseTime", (long)time.TotalSeconds);
        await Node.Ground.Chain.CommandAsync("evm_mine");
        Node.Ground.Clock.By += time;
        foreach (var person in persons)
        {
            await person.RenewAsync();
        }
    }

    async Task<Person> EnrolAsync(Caller caller)
    {
        var name = (await Node.Get<AccountDesk>().FindAsync(caller.Account, TestContext.Current.CancellationToken))!.DisplayName;
        var person = new Person(Node, caller, await Node.ClientAsync(caller)) { Name = name };
        persons.Add(person);
        var question = await person.AskAsync("/api/consents/passkeys/prepare", new { password = PasskeyStory.Password });
        await person.RequireStatusAsync(HttpStatusCode.NoContent, "/api/consents/passkeys",
            new { attempt = question.GetProperty("attempt").GetString(), name = "A phone", credential = person.Passkey.Make(question) });
        await TestNode.UntilAsync(async () => (await person.GetAsync("/api/consents/passkeys")).GetProperty("passkeys")[0].GetProperty("onChain").GetBoolean(), "the chain knows the passkey");
        return person;
    }

    public async ValueTask DisposeAsync()
    {
        persons.ForEach(person => person.Dispose());
        await Consents.DisposeAsync();
    }
}
