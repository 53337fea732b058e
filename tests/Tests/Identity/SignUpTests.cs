using System.Net;
using System.Text;
using Npgsql;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Tests.Engines;
using Salus.Vault.Keys;
using Xunit;

namespace Salus.Tests.Identity;

public sealed class SignUpTests
{
    static object Request(string email, string role, string? enrolmentCode = null, string? invitationCode = null, string password = IdentityNode.Password) =>
        new { email, displayName = "Zebedee Quillfeather", password, role, enrolmentCode, invitationCode };

    [Fact]
    public async Task A_patient_signs_up_and_enters_and_the_registration_waits_for_the_chain()
    {
        await using var node = await IdentityNode.StartAsync();
        Assert.Equal(HttpStatusCode.Created, (await node.Client().PostAsync("/api/sign-up", Request("p@example.org", "patient"))).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await node.Client().PostAsync("/api/sign-up", Request("P@Example.org", "patient"))).StatusCode);
        var client = await node.SignedInAsync("p@example.org");
        Assert.Equal("Queued", (await TestClient.ReadAsync(await client.GetAsync("/api/account/registration"))).GetProperty("state").GetString());
        Assert.Equal(1, await node.CountAsync("SELECT count(*) FROM chain_transaction WHERE purpose = 'register' AND contract = 'Members' AND length(data) = 36"));
    }

    [Fact]
    public async Task A_practitioner_sees_nothing_until_an_administrator_approves()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync("root@example.org", Role.Administrator);
        var administrator = await node.SignedInAsync("root@example.org");
        var created = await TestClient.ReadAsync(await node.Client().PostAsync("/api/sign-up", Request("doc@example.org", "Practitioner")));
        Assert.False(created.GetProperty("approved").GetBoolean());
        var credentials = new { email = "doc@example.org", password = IdentityNode.Password };
        Assert.Equal(HttpStatusCode.Forbidden, (await node.Client().PostAsync("/api/sign-in", credentials)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.Client().PostAsync("/api/token", credentials)).StatusCode);
        var approve = $"/api/accounts/{created.GetProperty("account").GetGuid()}/approve";
        Assert.Equal(HttpStatusCode.NoContent, (await administrator.PostAsync(approve)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await administrator.PostAsync(approve)).StatusCode);
        await node.SignedInAsync("doc@example.org");
    }

    [Fact]
    public async Task An_invitation_opens_its_role_once_and_no_other()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync("root@example.org", Role.Administrator);
        var administrator = await node.SignedInAsync("root@example.org");
        Assert.Equal(HttpStatusCode.Forbidden, (await node.Client().PostAsync("/api/sign-up", Request("x@example.org", "Auditor"))).StatusCode);
        var code = (await TestClient.ReadAsync(await administrator.PostAsync("/api/invitations", new { role = "Auditor" }))).GetProperty("code").GetString();
        async Task<HttpStatusCode> UseAsync(string email, string role) =>
            (await node.Client().PostAsync("/api/sign-up", Request(email, role, invitationCode: code))).StatusCode;
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await UseAsync("x@example.org", "Administrator"));
        Assert.Equal(HttpStatusCode.Created, await UseAsync("x@example.org", "Auditor"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await UseAsync("y@example.org", "Auditor"));
        await node.SignedInAsync("x@example.org");
        Assert.Equal(2, await node.CountAsync("SELECT count(*) FROM account"));
    }

    [Fact]
    public async Task An_enrolment_code_links_one_account_to_the_record_until_it_expires()
    {
        await using var node = await IdentityNode.StartAsync(("EnrolmentCodeDays", 7));
        var practitioner = await node.CreateAsync("doc@example.org", Role.Practitioner);
        async Task<string> CodeAsync() =>
            (await node.Accounts.CreateEnrolmentCodeAsync(practitioner, IdentityNode.KnownPatient, TestContext.Current.CancellationToken))!.Value.Code;
        await node.Client().PostAsync("/api/sign-up", Request("p@example.org", "Patient"));
        var expired = await CodeAsync();
        node.Clock.Advance(TimeSpan.FromDays(7));
        var client = await node.SignedInAsync("p@example.org");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsync("/api/account/redeem", new { code = expired })).StatusCode);
        var code = await CodeAsync();
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/api/account/redeem", new { code = code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal) })).StatusCode);
        Assert.Equal(IdentityNode.KnownPatient, (await TestClient.ReadAsync(await client.GetAsync("/api/account"))).GetProperty("patient").GetString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.Client().PostAsync("/api/sign-up", Request("q@example.org", "Patient", code))).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await node.Client().PostAsync("/api/sign-up", Request("q@example.org", "Patient", await CodeAsync()))).StatusCode);
        Assert.Equal(2, await node.CountAsync("SELECT count(*) FROM account"));
    }

    [Theory]
    [InlineData("nobody", "Patient", IdentityNode.Password, "email")]
    [InlineData("a@b@c.org", "Patient", IdentityNode.Password, "email")]
    [InlineData("a@b.org", "0", IdentityNode.Password, "role")]
    [InlineData("a@b.org", "Emperor", IdentityNode.Password, "role")]
    [InlineData("a@b.org", "Patient", "short", "password")]
    [InlineData("a@b.org", "Patient", "aaaaaaaaaaaaaaaa", "password")]
    [InlineData("a@b.org", "Patient", "password12345", "password")]
    [InlineData("a@b.org", "Patient", "quillfeather-the-great", "password")]
    public async Task A_bad_field_is_named(string email, string role, string password, string field)
    {
        await using var node = await IdentityNode.StartAsync();
        var refused = await node.Client().PostAsync("/api/sign-up", Request(email, role, password: password));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Equal(field, (await TestClient.ReadAsync(refused)).GetProperty("field").GetString());
    }

    [Fact]
    public async Task No_email_name_password_or_secret_stands_in_the_database_or_the_log()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.Client().PostAsync("/api/sign-up", Request("canary.bird@example.org", "Patient"));
        var client = await node.SignedInAsync("canary.bird@example.org");
        var begun = await TestClient.ReadAsync(await client.PostAsync("/api/account/second-factor", new { password = IdentityNode.Password }));
        var issued = await TestClient.ReadAsync(await client.PostAsync("/api/token", new { email = "canary.bird@example.org", password = IdentityNode.Password }));
        string[] secrets =
        [
            "canary.bird", "Quillfeather", "Canary General", IdentityNode.Password,
            begun.GetProperty("secret").GetString()!, issued.GetProperty("accessToken").GetString()!,
        ];
        await using (var plant = node.Database.CreateCommand("CREATE TABLE planted (value bytea); INSERT INTO planted VALUES ('xx canary.bird xx')"))
        {
            await plant.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(["planted.value holds canary.bird"], await FindAsync(node.Database, secrets));
        Assert.NotEmpty(node.Log.Lines);
        Assert.DoesNotContain(node.Log.Lines, line => secrets.Any(secret => line.Contains(secret, StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task A_session_outlives_a_restart_and_the_keys_behind_it_are_sealed()
    {
        var connectionString = await EngineFixture.NewNodeDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await Migrations.ApplyAsync(database, TestContext.Current.CancellationToken);
        var master = MasterKey.CreateTransient();
        var first = await IdentityNode.StartAsync(database, master);
        await first.CreateAsync("p@example.org", Role.Patient);
        var cookie = (await first.SignedInAsync("p@example.org")).Cookies.Single(one => one.Name == "salus").Value;
        Assert.Equal(0, await first.CountAsync("SELECT count(*) FROM data_protection_key WHERE position('masterKey'::bytea IN sealed) > 0"));
        Assert.Equal(1, await first.CountAsync("SELECT count(*) FROM data_protection_key"));
        await using var second = await IdentityNode.StartAsync(NpgsqlDataSource.Create(connectionString), master);
        var client = second.Client();
        client.SetCookie("salus", cookie);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/account")).StatusCode);
        await first.DisposeAsync();
    }

    static async Task<List<string>> FindAsync(NpgsqlDataSource database, string[] secrets)
    {
        List<(string Table, string Column)> columns = [];
        await using (var list = database.CreateCommand("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"))
        await using (var rows = await list.ExecuteReaderAsync(TestContext.Current.CancellationToken))
        {
            while (await rows.ReadAsync(TestContext.Current.CancellationToken))
            {
                columns.Add((rows.GetString(0), rows.GetString(1)));
            }
        }
        List<string> found = [];
        foreach (var (table, column) in columns)
        {
            await using var read = database.CreateCommand($"""SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL""");
            await using var rows = await read.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            while (await rows.ReadAsync(TestContext.Current.CancellationToken))
            {
                var text = rows.GetValue(0) is byte[] bytes ? Encoding.Latin1.GetString(bytes) : rows.GetValue(0).ToString()!;
                found.AddRange(secrets.Where(secret => text.Contains(secret, StringComparison.OrdinalIgnoreCase)).Select(secret => $"{table}.{column} holds {secret}"));
            }
        }
        return found;
    }
}
