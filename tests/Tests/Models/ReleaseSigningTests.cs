using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Tests.DecisionSupport;
using Salus.Tests.Identity;

namespace Salus.Tests.Models;

[Collection(CdsNode.Name)]
public sealed class ReleaseSigningTests(CdsNode shared)
{
    const string Password = "harbour violet tractor";
    const string Statement = "Its figures are those of our own patients.";
    static readonly Bend Honest = new() { Origin = OtherSystem.Origin };

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_release_and_a_withdrawal_are_signed_with_a_passkey_of_the_persons_own()
    {
        var desk = shared.Node.Get<ModelDesk>();
        var doctor = await shared.Node.AddAsync(Role.Practitioner);
        using var client = await shared.Node.ClientAsync(doctor);
        using var passkey = new SoftwarePasskey();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(client, $"{shared.Model}/prepare-release", new { statement = Statement })).Status);
        await AddAsync(client, passkey);

        var question = (await PostAsync(client, $"{shared.Model}/prepare-release", new { statement = Statement })).Json;
        var answer = new { attempt = question.GetProperty("attempt").GetString(), credential = passkey.Sign(question, Honest) };
        var (status, done) = await PostAsync(client, "sign", answer);
        Assert.True(status == HttpStatusCode.OK, done.ToString());
        var release = await ReleaseAsync();
        Assert.Equal((doctor.Account, Statement, true, false), (release.By, release.Statement, release.SignatureHolds, release.IsWithdrawal));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(client, "sign", answer)).Status);

        // What is signed names the bytes of the model: under another statement the signature is none
        var signed = JsonElement.Parse(release.Signature!.Statement);
        Assert.Equal(release.Hash, signed.GetProperty("hash").GetString());
        var notice = ModelNotices.ReadRelease(ModelNotices.Write(release), release.Id);
        Assert.Equal(release.Signature.Signature, notice.Signature!.Signature);
        Assert.True(ReleaseStatement.Read(notice.Signature.Statement).Says(notice));
        foreach (var bent in new[] { notice with { Hash = new string('0', 64) }, notice with { IsWithdrawal = true }, notice with { By = Guid.NewGuid() }, notice with { Statement = Statement + "!" }, notice with { Model = "another" } })
        {
            Assert.False(ReleaseStatement.Read(bent.Signature!.Statement).Says(bent));
        }

        question = (await PostAsync(client, $"{shared.Model}/prepare-withdrawal", new { statement = "It is to be looked at once more." })).Json;
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(client, "sign", new { attempt = question.GetProperty("attempt").GetString(), credential = passkey.Sign(question, Honest) })).Status);
        release = await ReleaseAsync();
        Assert.Equal((true, true), (release.IsWithdrawal, release.SignatureHolds));
        await shared.ReleaseAsync();
        Assert.Null((await ReleaseAsync()).SignatureHolds);

        async Task<ModelRelease> ReleaseAsync() => (await desk.FindAsync(doctor, shared.Model, Cancellation))!.Release!;
    }

    [Fact]
    public async Task Nobody_signs_for_another_or_with_a_key_or_a_page_that_is_not_theirs()
    {
        var (doctor, other) = (await shared.Node.AddAsync(Role.Practitioner), await shared.Node.AddAsync(Role.Practitioner));
        using var client = await shared.Node.ClientAsync(doctor);
        using var otherClient = await shared.Node.ClientAsync(other);
        using var passkey = new SoftwarePasskey();
        using var othersPasskey = new SoftwarePasskey();
        using var forged = new SoftwarePasskey { Id = passkey.Id };
        await AddAsync(client, passkey);
        await AddAsync(otherClient, othersPasskey);
        var before = (await shared.Node.Get<ModelDesk>().FindAsync(doctor, shared.Model, Cancellation))!.Release!.Id;

        await RefuseAsync("Expired", otherClient, question => othersPasskey.Sign(question, Honest));
        await RefuseAsync("UnknownPasskey", client, question => othersPasskey.Sign(question, Honest));
        await RefuseAsync("BadSignature", client, question => forged.Sign(question, Honest));
        await RefuseAsync("OtherOrigin", client, question => passkey.Sign(question, Honest with { Origin = "https://elsewhere.example" }));
        await RefuseAsync("UserNotVerified", client, question => passkey.Sign(question, Honest with { Flags = 0x01 }));
        await RefuseAsync("OtherChallenge", client, question => passkey.Sign(question, Honest with { Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }));
        using var auditor = await shared.Node.ClientAsync(await shared.Node.AddAsync(Role.Auditor));
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(auditor, $"{shared.Model}/prepare-release", new { statement = Statement })).Status);
        Assert.Equal(before, (await shared.Node.Get<ModelDesk>().FindAsync(doctor, shared.Model, Cancellation))!.Release!.Id);

        // The question is the doctor's; who answers it is told by the client
        async Task RefuseAsync(string fault, HttpClient answering, Func<JsonElement, object> sign)
        {
            var question = (await PostAsync(client, $"{shared.Model}/prepare-release", new { statement = Statement })).Json;
            var (status, refused) = await PostAsync(answering, "sign", new { attempt = question.GetProperty("attempt").GetString(), credential = sign(question) });
            Assert.Equal((HttpStatusCode.UnprocessableEntity, fault), (status, refused.GetProperty("fault").GetString()));
        }
    }

    static async Task AddAsync(HttpClient client, SoftwarePasskey passkey)
    {
        using var asked = await client.PostAsJsonAsync("/api/account/passkeys/prepare", new { password = Password }, Cancellation);
        var question = JsonElement.Parse(await asked.Content.ReadAsStringAsync(Cancellation));
        using var added = await client.PostAsJsonAsync("/api/account/passkeys",
            new { attempt = question.GetProperty("attempt").GetString(), name = "A phone", credential = passkey.Make(question, Honest) }, Cancellation);
        Assert.True(added.StatusCode == HttpStatusCode.NoContent, await added.Content.ReadAsStringAsync(Cancellation));
    }

    static async Task<(HttpStatusCode Status, JsonElement Json)> PostAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync($"/api/models/{path}", body, Cancellation);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation)));
    }
}
