using Microsoft.Playwright;
using Salus.SystemTests.Browsing;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Journeys;

/// <summary>A patient whose phone signs: in, and what is read of them.</summary>
[Collection(SharedNode.Journeys)]
public sealed class PasskeyJourneyTests(SharedNode shared, Chromium chromium)
{
    const string Email = "kai.key@example.org";
    const string Password = "nine silver kettles";
    const string Symptoms = "ringing in the left ear";

    [Fact]
    public async Task A_patient_signs_in_by_passkey_and_grants_and_revokes_with_another()
    {
        var node = await shared.StartedAsync();
        var record = await PatientAsync(node);
        await chromium.BrowseAsync(node, Look.Desktop, "passkey-doctor", async doctor =>
        {
            doctor.Expect(403);
            await doctor.SignInAsync("Practitioner");
            Assert.Equal(403, await doctor.GoAsync(record));
            await chromium.BrowseAsync(node, Look.Phone, "passkey-phone", async patient =>
            {
                var phone = await Authenticator.PhoneAsync(patient.Page);
                await SignInByPasskeyAsync(patient, phone);
                await EnrolAsync(patient, phone);
                await GrantAsync(patient, phone, node.Account("Practitioner").Email);

                Assert.Equal(200, await doctor.GoAsync(record));
                await doctor.SeesAsync(Symptoms);

                await RevokeAsync(patient);
                Assert.Equal(403, await doctor.GoAsync(record));
                await Assertions.Expect(doctor.Main).Not.ToContainTextAsync(Symptoms);
            });
        });
    }

    [Fact]
    public async Task Without_scripts_or_a_device_the_page_says_what_is_missing()
    {
        await chromium.BrowseAsync(await shared.StartedAsync(), Look.Phone, "passkey-none", async visitor =>
        {
            await visitor.Page.AddInitScriptAsync("delete window.PublicKeyCredential");
            await visitor.GoAsync("/sign-in");
            await visitor.SeesAsync("This browser has no passkeys");
            await Assertions.Expect(visitor.Button("Sign in with a passkey")).ToBeDisabledAsync();
            var plain = await visitor.Page.APIRequest.GetAsync("/sign-in");
            Assert.Contains("<noscript><p class=\"field-error\">Passkeys need JavaScript.", await plain.TextAsync(), StringComparison.Ordinal);
        });
    }

    /// <summary>A patient with an account and a record; the record's page.</summary>
    static async Task<string> PatientAsync(RunningNode node)
    {
        using var doctor = await ApiClient.SignInAsync(node, "Practitioner");
        var recorded = await doctor.PostAsync("/api/conditions", new
        {
            patientId = "J-300", newPatient = new { family = "Key", given = "Kai", birthDate = "1988-05-17", sex = "male" }, symptoms = Symptoms, assessment = "Normal",
        });
        var patient = recorded.GetProperty("patient").GetString();
        var code = (await doctor.PostAsync($"/api/patients/{patient}/enrolment-code", new { })).GetProperty("code").GetString();
        using var nobody = ApiClient.Anonymous(node);
        await nobody.PostAsync("/api/sign-up", new { email = Email, displayName = "Kai Key", password = Password, role = "Patient", enrolmentCode = code });
        return $"/patients/{patient}";
    }

    static async Task SignInByPasskeyAsync(Visitor patient, Authenticator phone)
    {
        await patient.SignInAsync(Email, Password);
        await patient.GoAsync("/account/passkeys");
        patient.Expect(403);
        await AddAsync(patient, "Kai's phone", "wrong silver kettles", "Add a passkey");
        await patient.SeesAsync("The present password is wrong.");
        await AddAsync(patient, "Kai's phone", Password, "Add a passkey");
        await patient.SeesAsync("The passkey is added.");
        await patient.SignOutAsync();

        await patient.GoAsync("/sign-in");
        await phone.VerifyAsync(false);
        await patient.PressAsync("Sign in with a passkey");
        await patient.SeesAsync("Nothing was signed. Try again");
        await phone.VerifyAsync(true);
        await patient.PressAsync("Sign in with a passkey");
        await Assertions.Expect(patient.Button("Sign out")).ToBeVisibleAsync();
    }

    static async Task EnrolAsync(Visitor patient, Authenticator phone)
    {
        await patient.GoAsync("/consents/passkeys");
        await patient.SeesAsync("the hospital's key signs for you");
        await AddAsync(patient, "Kai's phone", Password, "Add a consent passkey");
        await patient.SeesAsync("You have only one");
        await patient.SeesAsync("Signs your consents");
        Assert.Equal(2, await phone.CountAsync());

        await AddAsync(patient, "Again", Password, "Add a consent passkey");
        await patient.SeesAsync("This device has such a passkey already.");

        var key = await phone.SecurityKeyAsync();
        await phone.BeThereAsync(false);
        await AddAsync(patient, "Key in the drawer", Password, "Add a consent passkey");
        await patient.SeesAsync("You let the new passkey “Key in the drawer” sign your consents.");
        await key.BeThereAsync(false);
        await phone.BeThereAsync(true);
        await patient.PressAsync("Sign with your passkey");
        await patient.SeesHeadingAsync("Consent passkeys");
        await Assertions.Expect(patient.Main.GetByText("Signs your consents", new LocatorGetByTextOptions { Exact = true })).ToHaveCountAsync(2);
        Assert.Equal(1, await key.CountAsync());
        Assert.Empty(await Accessibility.ViolationsAsync(patient.Page));
        await patient.Page.SetViewportSizeAsync(Look.Phone.Width, Look.Phone.Height);
    }

    static async Task GrantAsync(Visitor patient, Authenticator phone, string doctor)
    {
        await patient.GoAsync("/consents/new");
        await patient.FillAsync("Their e-mail or account id", doctor);
        await patient.Page.GetByLabel("Diagnoses, visits and procedures").CheckAsync();
        await patient.Page.GetByLabel("Notes, letters and images").CheckAsync();
        await patient.PressAsync("Continue");
        await patient.SeesAsync("You give access to your record to: Dr Petra Practice, practitioner.");
        await patient.SeesAsync("They may read: Diagnoses, visits and procedures; Notes, letters and images.");
        await patient.SeesAsync("What for: To treat me.");
        await phone.VerifyAsync(false);
        await patient.PressAsync("Sign with your passkey");
        await patient.SeesAsync("Nothing was signed. Try again");
        await phone.VerifyAsync(true);
        await patient.PressAsync("Sign with your passkey");
        await patient.SeesAsync("Signed. It counts as soon as the chain has it.");
        await patient.SeesAsync("In force");
        await patient.SeesAsync("Signed with your passkey.");
        await patient.SeesAsync("your passkey signs, and the hospital cannot");
    }

    static async Task RevokeAsync(Visitor patient)
    {
        await patient.GoAsync("/consents");
        await patient.FollowAsync("Revoke");
        await patient.SeesHeadingAsync("Revoke the access of Dr Petra Practice?");
        await patient.SeesAsync("You take back the access of: Dr Petra Practice.");
        await patient.PressAsync("Revoke with your passkey");
        await patient.SeesAsync("This node enforces it from this moment");
    }

    static async Task AddAsync(Visitor patient, string name, string password, string button)
    {
        await patient.FillAsync("Name", name);
        await patient.FillAsync("Your password", password);
        await patient.PressAsync(button);
    }
}
