using System.Net;
using System.Security.Cryptography;
using System.Text;
using Salus.Platform.Identity;
using Salus.Platform.Monitoring;
using Salus.Tests.Platform;
using Salus.Vault.Keys;
using Xunit;

namespace Salus.Tests.Identity;

/// <summary>Somebody writes to the database who has no key.</summary>
public sealed class AlteredRowTests
{
    const string Email = "mallory@example.org";
    const string Victim = "root@example.org";

    [Theory]
    [InlineData("patient = 'p-known'")]
    [InlineData("role = 6")]
    [InlineData("approved = approved - interval '1 day'")]
    [InlineData("disabled = now()")]
    [InlineData("password_hash = (SELECT password_hash FROM account WHERE role = 6)")]
    [InlineData("security_stamp = (SELECT security_stamp FROM account WHERE role = 6)")]
    [InlineData("second_factor = '\\x00', second_factor_on = true")]
    [InlineData("second_factor_version = 7")]
    [InlineData("second_factor_reset = now()")]
    [InlineData("profile_version = 2")]
    [InlineData("profile = (SELECT profile FROM account WHERE role = 6)")]
    [InlineData("sign_in = '\\x0102'")]
    [InlineData("binding = (SELECT binding FROM account WHERE role = 6)")]
    [InlineData("role = 6, binding = (SELECT binding FROM account WHERE role = 6)")]
    public async Task An_account_that_was_altered_opens_nothing_and_is_reported_once(string change)
    {
        await using var node = await IdentityNode.StartAsync();
        var account = await node.CreateAsync(Email, Role.Patient);
        await node.CreateAsync(Victim, Role.Administrator);
        var (session, bearer) = (await node.SignedInAsync(Email), await node.BearerAsync(Email));
        Assert.Equal(HttpStatusCode.OK, (await session.GetAsync("/api/account")).StatusCode);
        await node.AttackAsync($"UPDATE account SET {change} WHERE id = $1", account);
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await session.GetAsync("/api/account")).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await bearer.GetAsync("/api/account")).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password })).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().PostAsync("/api/token", new { email = Email, password = IdentityNode.Password })).StatusCode);
        }
        Assert.Equal(1, node.Events.Count(happened => happened.Kind == SecurityEventKind.RowAltered && happened.Account == account));
        Assert.Contains(await node.Get<IdentityTables>().FindAlteredAsync(default), row => row is { Table: "account" } && row.Account == account);
        var root = await node.SignedInAsync(Victim);
        var listed = (await TestClient.ReadAsync(await root.GetAsync("/api/accounts"))).EnumerateArray().Single(one => one.GetProperty("id").GetGuid() == account);
        Assert.False(listed.GetProperty("intact").GetBoolean());
    }

    [Fact]
    public async Task An_account_is_neither_approved_nor_opened_again_by_who_writes_to_the_database()
    {
        await using var node = await IdentityNode.StartAsync();
        var administrator = await node.CreateAsync(Victim, Role.Administrator);
        var disabled = await node.CreateAsync(Email, Role.Practitioner);
        await node.Accounts.DisableAsync(administrator, disabled, default);
        await node.Client().PostAsync("/api/sign-up", new { email = "waits@example.org", displayName = "Zebedee Quillfeather", password = IdentityNode.Password, role = "Practitioner" });
        await node.AttackAsync("UPDATE account SET disabled = NULL WHERE disabled IS NOT NULL");
        await node.AttackAsync("UPDATE account SET approved = now() WHERE approved IS NULL");
        foreach (var email in (string[])[Email, "waits@example.org"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().PostAsync("/api/sign-in", new { email, password = IdentityNode.Password })).StatusCode);
        }
    }

    [Fact]
    public async Task The_password_of_one_account_does_not_open_another_into_which_its_hash_was_pasted()
    {
        await using var node = await IdentityNode.StartAsync();
        var account = await node.CreateAsync(Email, Role.Patient);
        await node.CreateAsync(Victim, Role.Administrator);
        await node.AttackAsync("UPDATE account SET password_hash = (SELECT password_hash FROM account WHERE id = $1) WHERE id <> $1", account);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().PostAsync("/api/sign-in", new { email = Victim, password = IdentityNode.Password })).StatusCode);
        await node.SignedInAsync(Email);
    }

    [Fact]
    public async Task A_token_that_was_made_moved_prolonged_or_kept_over_a_new_password_opens_nothing()
    {
        await using var node = await IdentityNode.StartAsync(("TokenHours", 8));
        await node.CreateAsync(Email, Role.Patient);
        var administrator = await node.CreateAsync(Victim, Role.Administrator);
        var (made, moved, prolonged, kept) = (node.Client(), await node.BearerAsync(Email), await node.BearerAsync(Email), await node.BearerAsync(Victim));

        await node.AttackAsync("INSERT INTO access_token SELECT $1, kind, account, created, expires, binding FROM access_token WHERE account = $2",
            SHA256.HashData(Encoding.UTF8.GetBytes("salus_made")), administrator);
        made.SetHeader("Authorization", "Bearer salus_made");
        Assert.Equal(HttpStatusCode.Unauthorized, (await made.GetAsync("/api/account")).StatusCode);

        await node.AttackAsync("CREATE TABLE kept AS SELECT * FROM access_token WHERE hash <> $1", SHA256.HashData(Encoding.UTF8.GetBytes("salus_made")));
        await node.AttackAsync("UPDATE access_token SET account = $1", administrator);
        Assert.Equal(HttpStatusCode.Unauthorized, (await moved.GetAsync("/api/account")).StatusCode);
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.RowAltered && happened.Account == administrator);

        await node.AttackAsync("DELETE FROM access_token");
        await node.AttackAsync("INSERT INTO access_token SELECT * FROM kept");
        Assert.Equal(HttpStatusCode.OK, (await kept.GetAsync("/api/account")).StatusCode);
        await node.AttackAsync("UPDATE access_token SET expires = expires + interval '1 day' WHERE account <> $1", administrator);
        Assert.Equal(HttpStatusCode.Unauthorized, (await prolonged.GetAsync("/api/account")).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent,
            (await kept.PostAsync("/api/account/password", new { password = IdentityNode.Password, newPassword = "meadow lantern copper" })).StatusCode);
        await node.AttackAsync("INSERT INTO access_token SELECT * FROM kept WHERE account = $1", administrator);
        Assert.Equal(HttpStatusCode.Unauthorized, (await kept.GetAsync("/api/account")).StatusCode);
    }

    [Fact]
    public async Task A_code_stands_for_nothing_but_what_it_was_made_for()
    {
        await using var node = await IdentityNode.StartAsync();
        var administrator = await node.CreateAsync(Victim, Role.Administrator);
        var (invitation, _) = await node.Accounts.InviteAsync(administrator, Role.Practitioner, default);
        await node.AttackAsync("UPDATE invitation SET role = 6");
        Task<HttpResponseMessage> SignUpAsync(string role, string? invitationCode, string? enrolmentCode) => node.Client().PostAsync("/api/sign-up",
            new { email = Email, displayName = "Zebedee Quillfeather", password = IdentityNode.Password, role, invitationCode, enrolmentCode });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SignUpAsync("Administrator", invitation, null)).StatusCode);
        var (enrolment, _) = (await node.Accounts.CreateEnrolmentCodeAsync(administrator, IdentityNode.KnownPatient, default))!.Value;
        await node.AttackAsync("UPDATE enrolment_code SET patient = 'p-other'");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SignUpAsync("Patient", null, enrolment)).StatusCode);
        Assert.Equal(2, node.Events.Count(happened => happened.Kind == SecurityEventKind.RowAltered));
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM account WHERE role = 1 OR patient IS NOT NULL"));
        Assert.Equal(["enrolment_code", "invitation"], (await node.Get<IdentityTables>().FindAlteredAsync(default)).Select(row => row.Table));

        await node.AttackAsync("UPDATE invitation SET role = 2");
        Assert.Equal(HttpStatusCode.Created, (await SignUpAsync("Practitioner", invitation, null)).StatusCode);
    }

    [Fact]
    public async Task A_recovery_code_opens_neither_another_account_nor_a_second_factor_set_up_later()
    {
        await using var node = await IdentityNode.StartAsync();
        var account = await node.CreateAsync(Email, Role.Patient);
        var administrator = await node.CreateAsync(Victim, Role.Administrator);
        var (mine, theirs) = (await node.SignedInAsync(Email), await node.SignedInAsync(Victim));
        var (code, recovery) = await node.EnableSecondFactorAsync(mine);
        await node.EnableSecondFactorAsync(theirs);
        await node.AttackAsync("CREATE TABLE kept AS SELECT * FROM recovery_code WHERE account = $1", account);
        await node.AttackAsync("INSERT INTO recovery_code SELECT $1, code FROM kept", administrator);
        async Task<HttpStatusCode> SignInAsync(string email, string code) =>
            (await node.Client().PostAsync("/api/sign-in", new { email, password = IdentityNode.Password, code })).StatusCode;
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(Victim, recovery[0]));

        node.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.NoContent, (await mine.DeleteAsync("/api/account/second-factor", new { code = code() })).StatusCode);
        await node.EnableSecondFactorAsync(mine);
        await node.AttackAsync("INSERT INTO recovery_code SELECT * FROM kept");
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(Email, recovery[0]));
    }

    [Fact]
    public async Task A_key_for_cookies_that_was_put_into_the_database_in_the_clear_is_not_used()
    {
        var master = MasterKey.CreateTransient();
        var database = Npgsql.NpgsqlDataSource.Create(await TestDatabase.NewAsync());
        await Salus.Platform.Schema.Migrations.ApplyAsync(database, TestContext.Current.CancellationToken);
        await using var node = await IdentityNode.StartAsync(database, master);
        await node.CreateAsync(Email, Role.Patient);
        await node.AttackAsync("INSERT INTO data_protection_key (name, sealed, created) VALUES ('key-planted', $1, now())", Encoding.UTF8.GetBytes(
            """
            <key id="3f1b9d53-6c0f-4d4e-9a0e-3a1f6c1d2e11" version="1"><creationDate>2020-01-01T00:00:00Z</creationDate><activationDate>2020-01-01T00:00:00Z</activationDate>
            <expirationDate>2099-01-01T00:00:00Z</expirationDate><descriptor deserializerType="Planted" /></key>
            """));
        await using var again = await IdentityNode.StartAsync(Npgsql.NpgsqlDataSource.Create(database.ConnectionString), master);
        await again.SignedInAsync(Email);
        Assert.Contains(again.Log.Lines, line => line.Contains("key-planted", StringComparison.Ordinal) && line.Contains("altered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_check_of_the_node_names_an_account_that_was_altered()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        Assert.True((await node.Get<IntegrityWatch>().CheckAsync(default)).Holds);
        await node.Database.ExecuteAsync("UPDATE account SET role = 6 WHERE id = $1", doctor.Account);
        var report = await node.Get<IntegrityWatch>().CheckAsync(default);
        Assert.False(report.Holds);
        Assert.Contains(report.Findings, finding => finding.Kind == FindingKind.Changed && finding.Record == $"Account/{doctor.Account}");
    }
}
