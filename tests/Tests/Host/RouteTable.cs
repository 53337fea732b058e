using Salus.Platform.Identity;

namespace Salus.Tests.Host;

/// <summary>What a role meets at a route.</summary>
enum Answer
{
    /// <summary>Let in: anything but a refusal, a complaint about the empty request included.</summary>
    Yes,
    /// <summary>401: sign in first.</summary>
    SignIn,
    /// <summary>403, or 404 where even existence is not told.</summary>
    No,
    /// <summary>A page that sends whoever has not signed in to the sign-in.</summary>
    Redirect,
}

/// <summary>
/// The one table of who may go where. The caller of each row has no consent and asks for nothing of their own, so Yes is what the role alone gives.
/// A route that is missing here fails the test.
/// </summary>
static class RouteTable
{
    /// <summary>The hospital's identifier of the patient whose record the routes are asked for.</summary>
    public const string KnownIdentifier = "P-known";

    static readonly Role[] All = Enum.GetValues<Role>();

    /// <summary>By <c>METHOD /pattern</c>: what nobody in particular meets, and which roles are let in.</summary>
    public static readonly IReadOnlyDictionary<string, (Answer Anonymous, Role[] LetIn)> Rows = new Dictionary<string, (Answer, Role[])>
    {
        // Sign-up and sign-in
        ["POST /api/sign-up"] = (Answer.Yes, All),
        ["POST /api/sign-in"] = (Answer.Yes, All),
        ["POST /api/sign-in/second-factor"] = (Answer.Yes, All),
        ["POST /api/token"] = (Answer.Yes, All),
        ["GET /api/antiforgery"] = (Answer.Yes, All),
        ["POST /api/sign-out"] = (Answer.SignIn, All),
        ["DELETE /api/token"] = (Answer.SignIn, All),

        // One's own account
        ["GET /api/account"] = (Answer.SignIn, All),
        ["GET /api/account/registration"] = (Answer.SignIn, All),
        ["POST /api/account/password"] = (Answer.SignIn, All),
        ["POST /api/account/second-factor"] = (Answer.SignIn, All),
        ["POST /api/account/second-factor/confirm"] = (Answer.SignIn, All),
        ["DELETE /api/account/second-factor"] = (Answer.SignIn, All),
        ["POST /api/account/redeem"] = (Answer.SignIn, [Role.Patient]),

        // Accounts
        ["GET /api/accounts"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/accounts/{id:guid}/approve"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/accounts/{id:guid}/disable"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/invitations"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/patients/{id}/enrolment-code"] = (Answer.SignIn, [Role.Practitioner]),

        // FHIR: the body decides what is written, the consent what is read
        ["GET /fhir/metadata"] = (Answer.Yes, All),
        ["POST /fhir/"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /fhir/{type}"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory]),
        ["PUT /fhir/{type}/{id}"] = (Answer.SignIn, []),
        ["GET /fhir/{type}"] = (Answer.SignIn, [Role.Patient, Role.Practitioner, Role.Laboratory, Role.Pharmacy, Role.Insurer]),
        ["GET /fhir/{type}/{id}"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/_history/{version:int}"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/$proof"] = (Answer.SignIn, []),

        // Patients
        ["GET /api/patients/"] = (Answer.SignIn, All),
        ["POST /api/patients/find"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory, Role.Pharmacy, Role.Insurer]),
        ["GET /api/patients/{patient}/records"] = (Answer.SignIn, []),
        ["GET /api/patients/{patient}/accesses"] = (Answer.SignIn, [Role.Auditor]),
        ["POST /api/conditions"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /api/files"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory]),

        // Consents: one's own, of which a caller without a record has none
        ["GET /api/consents/"] = (Answer.SignIn, All),
        ["POST /api/consents/"] = (Answer.SignIn, []),
        ["DELETE /api/consents/{id}"] = (Answer.SignIn, []),

        // The trail, the log, the node
        ["GET /api/audit"] = (Answer.SignIn, [Role.Auditor]),
        ["GET /api/log/status"] = (Answer.Yes, All),
        ["GET /api/log/blocks"] = (Answer.Yes, All),
        ["GET /api/log/place"] = (Answer.Yes, All),
        ["GET /api/log/checkpoint"] = (Answer.Yes, All),
        ["GET /api/health"] = (Answer.Yes, All),
        ["GET /api/integrity/"] = (Answer.SignIn, [Role.Administrator, Role.Auditor]),
        ["POST /api/integrity/"] = (Answer.SignIn, [Role.Administrator, Role.Auditor]),
        ["GET /api/totals"] = (Answer.SignIn, All),
    };

    /// <summary>The body that lets a route get as far as its decision; the patient is somebody else's.</summary>
    public static object? BodyOf(string route, string patient, string observation) => route switch
    {
        "POST /fhir/" => new
        {
            resourceType = "Bundle", type = "transaction",
            entry = new[] { new { resource = new { resourceType = "Organization", name = "A clinic" }, request = new { method = "POST", url = "Organization" } } },
        },
        "POST /fhir/{type}" => Observation(patient, null),
        "PUT /fhir/{type}/{id}" => Observation(patient, observation),
        "POST /api/patients/find" => new { identifier = KnownIdentifier },
        "POST /api/conditions" => new
        {
            patientId = $"new-{Guid.NewGuid():n}", newPatient = new { family = "Row", given = "Tab", birthDate = "1990-01-01", sex = "other" },
            symptoms = "none", assessment = "Normal",
        },
        "POST /api/consents/" => new
        {
            grantee = "hospital", categories = new[] { "Results" }, purposes = new[] { "Treatment" }, until = DateTimeOffset.UnixEpoch.AddYears(80),
        },
        _ when route.StartsWith("GET ", StringComparison.Ordinal) => null,
        _ => new { },
    };

    static object Observation(string patient, string? id) => new
    {
        resourceType = "Observation", id, status = "final", code = new { text = "A result" }, subject = new { reference = $"Patient/{patient}" },
    };
}
