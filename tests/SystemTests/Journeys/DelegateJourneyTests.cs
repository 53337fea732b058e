using Microsoft.Playwright;
using Salus.SystemTests.Browsing;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Journeys;

/// <summary>Two patients who stand in for each other: one signs for the other, and confirms that it is them when their passkey is lost.</summary>
[Collection(SharedNode.Journeys)]
public sealed class DelegateJourneyTests(SharedNode shared, Chromium chromium)
{
    const string Password = "nine silver kettles";

    [Fact]
    public async Task A_mother_signs_for_her_son_and_confirms_his_new_passkey_which_he_cancels_with_the_old_one()
    {
        var node = await shared.StartedAsync();
        await PatientAsync(node, "J-401", "Mira", "female", "mira.key@example.org");
        await PatientAsync(node, "J-402", "Sven", "male", "sven.key@example.org");
        await chromium.BrowseAsync(node, Look.Phone, "delegate-mother", async mother =>
        {
            await Authenticator.PhoneAsync(mother.Page);
            await EnrolAsync(mother, "mira.key@example.org");
            await mother.GoAsync("/account");
            var account = await mother.Main.Locator("dd.mono").InnerTextAsync();
            await chromium.BrowseAsync(node, Look.Phone, "delegate-son", async son =>
            {
                var phone = await Authenticator.PhoneAsync(son.Page);
                await son.SignInAsync("sven.key@example.org", Password);
                await son.GoAsync("/consents/delegates");
                await son.SeesAsync("You cannot yet: you have no consent passkey");
                await EnrolAsync(son, null);
                await AppointAsync(son, account);
                await SignForAsync(mother, node.Account("Practitioner").Email);
                await son.GoAsync("/consents");
                await son.SeesAsync("Signed by your delegate Mira Key.");
                await RecoverAsync(son, phone, mother, account);
            });
        });
    }

    static async Task AppointAsync(Visitor son, string account)
    {
        await son.GoAsync("/consents/delegates");
        await son.FillAsync("Their account id", "mira.key@example.org");
        await son.PressAsync("Continue");
        await son.SeesAsync("No one with this account id has a record and a consent passkey here.");
        await son.FillAsync("Their account id", account);
        await son.Page.GetByLabel("My mother or father").CheckAsync();
        await son.PressAsync("Continue");
        await son.SeesAsync("You let Mira Key sign for you (my mother or father).");
        await RequireAccessibleAsync(son);
        await son.PressAsync("Sign with your passkey");
        await son.SeesAsync("They may sign as soon as the chain has it.");
        await son.SeesAsync("May sign");
        await RequireAccessibleAsync(son);
    }

    static async Task SignForAsync(Visitor mother, string doctor)
    {
        await mother.GoAsync("/consents/delegates");
        await mother.FollowAsync("See and change who may read");
        await mother.SeesHeadingAsync("Who may read the record of Sven Key");
        await mother.FollowAsync("Give access");
        await mother.FillAsync("Their e-mail or account id", doctor);
        await mother.Page.GetByLabel("Diagnoses, visits and procedures").CheckAsync();
        await mother.PressAsync("Continue");
        await mother.SeesAsync("You sign for Sven Key, as their delegate.");
        await mother.PressAsync("Sign with your passkey");
        await mother.SeesAsync("In force");
        await RequireAccessibleAsync(mother);
    }

    static async Task RecoverAsync(Visitor son, Authenticator phone, Visitor mother, string account)
    {
        await son.GoAsync("/consents/recovery");
        await son.FillAsync("Their account ids", account);
        await son.FillAsync("How many of them must confirm", "1");
        await son.PressAsync("Continue");
        await son.SeesAsync("this person can let a new passkey of yours take their place: Mira Key.");
        await son.PressAsync("Sign with your passkey");
        await son.SeesAsync("1 of them must confirm.");
        await RequireAccessibleAsync(son);

        await son.FollowAsync("I have lost my passkeys");
        await RequireAccessibleAsync(son);
        var key = await phone.SecurityKeyAsync();
        await phone.BeThereAsync(false);
        await son.FillAsync("Name", "New phone");
        await son.FillAsync("Your password", Password);
        await son.PressAsync("Make a new passkey and ask them");
        await son.SeesAsync("Your contacts are asked.");
        await son.SeesAsync("0 of 1 contacts have confirmed it.");

        await mother.GoAsync("/my-record");
        await mother.SeesAsync("Sven Key asks you to confirm that it is really them.");
        await mother.FollowAsync("See what they ask");
        await mother.SeesAsync("Call Sven Key at a number that you know");
        await RequireAccessibleAsync(mother);
        await mother.PressAsync("I have spoken with them: sign with my passkey");
        await mother.SeesAsync("You have confirmed that it is them.");
        await Assertions.Expect(mother.Main).Not.ToContainTextAsync("asks you to confirm");

        await son.GoAsync("/who-read");
        await son.ReloadUntilAsync(async () => (await son.Main.InnerTextAsync()).Contains("A new passkey is to replace yours on", StringComparison.Ordinal), "the chain has the request");
        await key.BeThereAsync(false);
        await phone.BeThereAsync(true);
        await son.FollowAsync("cancel it with a passkey that you still have");
        await RequireAccessibleAsync(son);
        await son.PressAsync("Cancel it with an old passkey");
        await son.SeesAsync("Cancelled. The chain is told.");
        await son.GoAsync("/who-read");
        await son.ReloadUntilAsync(async () => !(await son.Main.InnerTextAsync()).Contains("passkey", StringComparison.Ordinal), "the chain has the cancellation");
    }

    /// <summary>A patient with an account and a record.</summary>
    static async Task PatientAsync(RunningNode node, string number, string given, string sex, string email)
    {
        using var doctor = await ApiClient.SignInAsync(node, "Practitioner");
        var recorded = await doctor.PostAsync("/api/conditions", new
        {
            patientId = number, newPatient = new { family = "Key", given, birthDate = "1988-05-17", sex }, symptoms = "a cough", assessment = "Normal",
        });
        var code = (await doctor.PostAsync($"/api/patients/{recorded.GetProperty("patient").GetString()}/enrolment-code", new { })).GetProperty("code").GetString();
        using var nobody = ApiClient.Anonymous(node);
        await nobody.PostAsync("/api/sign-up", new { email, displayName = $"{given} Key", password = Password, role = "Patient", enrolmentCode = code });
    }

    static async Task EnrolAsync(Visitor patient, string? email)
    {
        if (email is not null)
        {
            await patient.SignInAsync(email, Password);
        }
        await patient.GoAsync("/consents/passkeys");
        await patient.FillAsync("Name", "Phone");
        await patient.FillAsync("Your password", Password);
        await patient.PressAsync("Add a consent passkey");
        await patient.SeesAsync("Signs your consents");
    }

    static async Task RequireAccessibleAsync(Visitor visitor)
    {
        Assert.Empty(await Accessibility.ViolationsAsync(visitor.Page));
        await visitor.Page.SetViewportSizeAsync(Look.Phone.Width, Look.Phone.Height);
    }
}
