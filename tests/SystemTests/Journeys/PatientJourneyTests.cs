using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Salus.SystemTests.Browsing;

namespace Salus.SystemTests.Journeys;

/// <summary>A patient at a phone, and the doctor they let in and out again.</summary>
[Collection(SharedNode.Journeys)]
public sealed class PatientJourneyTests(SharedNode shared, Chromium chromium)
{
    const string Password = "seven quiet herons";
    const string Symptoms = "itching after the bath";

    [Fact]
    public async Task A_patient_signs_up_lets_the_doctor_read_takes_it_back_and_sees_who_read()
    {
        var node = await shared.StartedAsync();
        await chromium.BrowseAsync(node, Look.Desktop, "patient-doctor", async doctor =>
        {
            doctor.Expect(403);
            await doctor.SignInAsync("Practitioner");
            var record = await AddPatientAsync(doctor);
            Assert.Equal(403, await doctor.GoAsync(record));
            await doctor.PressAsync("Make an enrolment code");
            var code = await doctor.Main.Locator(".one-time-code code").InnerTextAsync();

            await chromium.BrowseAsync(node, Look.Phone, "patient-phone", async patient =>
            {
                await SignUpAsync(patient, code);
                await patient.GoAsync("/my-record");
                await patient.SeesAsync(Symptoms);
                await GrantAsync(patient, node.Account("Practitioner").Email);

                Assert.Equal(200, await doctor.GoAsync(record));
                await doctor.SeesHeadingAsync("Paula Pond");
                await doctor.SeesAsync(Symptoms);
                await Assertions.Expect(doctor.Main).Not.ToContainTextAsync("Heart rate");

                await RevokeAsync(patient);
                Assert.Equal(403, await doctor.GoAsync(record));
                await doctor.SeesHeadingAsync("You have no access to this record");
                await doctor.SeesAsync("Ask the patient to grant you access");
                await Assertions.Expect(doctor.Main).Not.ToContainTextAsync(Symptoms);

                await patient.GoAsync("/who-read");
                var lines = patient.Main.Locator("tbody tr", new LocatorLocatorOptions { HasText = "Dr Petra Practice" });
                await Assertions.Expect(lines.Filter(new LocatorFilterOptions { HasTextRegex = new Regex("read .*, to treat") })).Not.ToHaveCountAsync(0);
                await Assertions.Expect(lines.Filter(new LocatorFilterOptions { HasText = "Refused" })).Not.ToHaveCountAsync(0);
                await patient.SignOutAsync();
            });
        });
    }

    static async Task<string> AddPatientAsync(Visitor doctor)
    {
        await doctor.GoAsync("/conditions/new");
        await doctor.Page.GetByText("The patient is new here").ClickAsync();
        await doctor.FillAsync("Patient id", "J-200");
        await doctor.FillAsync("Given name", "Paula");
        await doctor.FillAsync("Family name", "Pond");
        await doctor.FillAsync("Birth date", "1992-11-30");
        await doctor.Main.GetByLabel("Sex").SelectOptionAsync("female");
        await doctor.FillAsync("Symptoms", Symptoms);
        await doctor.FillAsync("Heart rate", "71");
        await doctor.Page.GetByRole(AriaRole.Radio, new PageGetByRoleOptions { Name = "Normal", Exact = true }).CheckAsync();
        await doctor.PressAsync("Record");
        await doctor.SeesHeadingAsync("Recorded");
        return (await doctor.Main.GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "To the patient" }).GetAttributeAsync("href"))!;
    }

    static async Task SignUpAsync(Visitor patient, string code)
    {
        await patient.GoAsync("/sign-up");
        await patient.FillAsync("Your name", "Paula Pond");
        await patient.FillAsync("E-mail", "paula.pond@example.org");
        await patient.FillAsync("Password", Password);
        await patient.FillAsync("Enrolment code", code);
        await patient.PressAsync("Sign up");
        await patient.SeesHeadingAsync("You are registered");
        // The page renews this part by itself.
        var log = patient.Page.Locator("#chain-log");
        await Assertions.Expect(log).ToContainTextAsync("On the chain");
        await Assertions.Expect(log).ToContainTextAsync(new Regex(@"Block number\s*\d+"));
        await Assertions.Expect(log).ToContainTextAsync(new Regex(@"Transaction hash\s*0x[0-9a-f]{6}"));
        await Assertions.Expect(log).ToContainTextAsync(new Regex(@"Gas used\s*\d+"));
    }

    static async Task GrantAsync(Visitor patient, string doctor)
    {
        await patient.GoAsync("/consents/new");
        await patient.FillAsync("Their e-mail or account id", doctor);
        await patient.Page.GetByLabel("Diagnoses, visits and procedures").CheckAsync();
        await patient.Page.GetByLabel("Notes, letters and images").CheckAsync();
        await Assertions.Expect(patient.Page.GetByLabel("To treat me")).ToBeCheckedAsync();
        await patient.FillAsync("Until the end of", TimeProvider.System.GetUtcNow().AddDays(30).ToString("yyyy-MM-dd"));
        await patient.PressAsync("Sign and give access");
        await patient.SeesAsync("Signed. It counts as soon as the chain has it.");
        await patient.SeesAsync("In force");
    }

    static async Task RevokeAsync(Visitor patient)
    {
        await patient.GoAsync("/consents");
        await patient.FollowAsync("Revoke");
        await patient.SeesHeadingAsync("Revoke the access of Dr Petra Practice?");
        await patient.PressAsync("Revoke");
        await patient.SeesAsync("This node enforces it from this moment");
    }
}
