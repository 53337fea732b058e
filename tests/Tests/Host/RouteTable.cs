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
    /// <summary>A fault of the node's; nobody should meet it.</summary>
    Failed,
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

    static readonly Role[] Professionals = [Role.Practitioner, Role.Laboratory, Role.Pharmacy, Role.Insurer];
    static readonly Role[] Readers = [Role.Patient, .. Professionals];
    static readonly Role[] DataSetKeepers = [Role.Researcher, Role.Practitioner, Role.Patient];

    /// <summary>By <c>METHOD /pattern</c>: what nobody in particular meets, and which roles are let in.</summary>
    public static readonly IReadOnlyDictionary<string, (Answer Anonymous, Role[] LetIn)> Rows = new Dictionary<string, (Answer, Role[])>
    {
        // Sign-up and sign-in
        ["POST /api/sign-up"] = (Answer.Yes, All),
        ["POST /api/sign-in"] = (Answer.Yes, All),
        ["POST /api/sign-in/second-factor"] = (Answer.Yes, All),
        ["POST /api/sign-in/passkey/prepare"] = (Answer.Yes, All),
        ["POST /api/sign-in/passkey"] = (Answer.Yes, All),
        ["POST /api/token"] = (Answer.Yes, All),
        ["GET /api/antiforgery"] = (Answer.Yes, All),
        ["POST /api/sign-out"] = (Answer.SignIn, All),
        ["POST /api/sign-out/everywhere"] = (Answer.SignIn, All),
        ["DELETE /api/token"] = (Answer.SignIn, All),

        // One's own account
        ["GET /api/account"] = (Answer.SignIn, All),
        ["GET /api/account/registration"] = (Answer.SignIn, All),
        ["POST /api/account/password"] = (Answer.SignIn, All),
        ["POST /api/account/second-factor"] = (Answer.SignIn, All),
        ["POST /api/account/second-factor/confirm"] = (Answer.SignIn, All),
        ["DELETE /api/account/second-factor"] = (Answer.SignIn, All),
        ["POST /api/account/second-factor/acknowledge"] = (Answer.SignIn, All),
        ["GET /api/account/passkeys"] = (Answer.SignIn, All),
        ["POST /api/account/passkeys/prepare"] = (Answer.SignIn, All),
        ["POST /api/account/passkeys"] = (Answer.SignIn, All),
        ["PUT /api/account/passkeys/{id:guid}"] = (Answer.SignIn, All),
        ["DELETE /api/account/passkeys/{id:guid}"] = (Answer.SignIn, []),
        ["POST /api/account/redeem"] = (Answer.SignIn, [Role.Patient]),

        // Accounts
        ["GET /api/accounts"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/accounts/{id:guid}/approve"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/accounts/{id:guid}/disable"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/accounts/{id:guid}/reset-second-factor"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/invitations"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/patients/{id}/enrolment-code"] = (Answer.SignIn, [Role.Practitioner]),

        // FHIR: the body decides what is written, the consent what is read
        ["GET /fhir/metadata"] = (Answer.Yes, All),
        ["POST /fhir"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /fhir/{type}"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory]),
        ["PUT /fhir/{type}"] = (Answer.SignIn, [Role.Patient, Role.Practitioner, Role.Laboratory]),
        ["PATCH /fhir/{type}"] = (Answer.SignIn, [Role.Patient, Role.Practitioner, Role.Laboratory]),
        ["DELETE /fhir/{type}"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory]),
        ["PUT /fhir/{type}/{id}"] = (Answer.SignIn, []),
        ["PATCH /fhir/{type}/{id}"] = (Answer.SignIn, []),
        ["DELETE /fhir/{type}/{id}"] = (Answer.SignIn, []),
        ["POST /fhir/{type}/$validate"] = (Answer.SignIn, All),
        ["POST /fhir/{type}/{id}/$validate"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/$validate"] = (Answer.SignIn, []),
        // A request that names no value set is told so, whoever sends it
        ["GET /fhir/ValueSet/$expand"] = (Answer.SignIn, All),
        ["POST /fhir/ValueSet/$expand"] = (Answer.SignIn, All),
        ["GET /fhir/ValueSet/$validate-code"] = (Answer.SignIn, All),
        ["POST /fhir/ValueSet/$validate-code"] = (Answer.SignIn, All),
        ["GET /fhir/ValueSet/{id}/$expand"] = (Answer.SignIn, []),
        ["POST /fhir/ValueSet/{id}/$expand"] = (Answer.SignIn, []),
        ["GET /fhir/ValueSet/{id}/$validate-code"] = (Answer.SignIn, []),
        ["POST /fhir/ValueSet/{id}/$validate-code"] = (Answer.SignIn, []),
        ["GET /fhir/CodeSystem/{id}/$validate-code"] = (Answer.SignIn, []),
        ["POST /fhir/CodeSystem/{id}/$validate-code"] = (Answer.SignIn, []),
        ["GET /fhir/CodeSystem/$lookup"] = (Answer.SignIn, All),
        ["POST /fhir/CodeSystem/$lookup"] = (Answer.SignIn, All),
        ["GET /fhir/CodeSystem/$validate-code"] = (Answer.SignIn, All),
        ["POST /fhir/CodeSystem/$validate-code"] = (Answer.SignIn, All),
        ["GET /fhir/{type}"] = (Answer.SignIn, Readers),
        ["POST /fhir/{type}/_search"] = (Answer.SignIn, Readers),
        ["GET /fhir/_history"] = (Answer.SignIn, Readers),
        ["GET /fhir/{type}/_history"] = (Answer.SignIn, Readers),
        ["GET /fhir/{type}/{id}"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/_history"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/$meta"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/_history/{version:int}/$meta"] = (Answer.SignIn, []),
        ["GET /fhir/Patient/{id}/$everything"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/_history/{version:int}"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/$proof"] = (Answer.SignIn, []),
        ["GET /fhir/{type}/{id}/_history/{version:int}/$proof"] = (Answer.SignIn, []),

        // The search index
        ["GET /api/search-index"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/search-index/keys"] = (Answer.SignIn, [Role.Administrator]),

        // Exports: who reads nothing exports nothing; one's own alone, of which a caller has none
        ["GET /fhir/$export"] = (Answer.SignIn, Readers),
        ["POST /fhir/$export"] = (Answer.SignIn, Readers),
        ["GET /fhir/Patient/$export"] = (Answer.SignIn, Readers),
        ["POST /fhir/Patient/$export"] = (Answer.SignIn, Readers),
        ["GET /fhir/Group/{id}/$export"] = (Answer.SignIn, []),
        ["POST /fhir/Group/{id}/$export"] = (Answer.SignIn, []),
        ["GET /fhir/$export/{id:guid}"] = (Answer.SignIn, []),
        ["DELETE /fhir/$export/{id:guid}"] = (Answer.SignIn, []),
        ["GET /fhir/$export/{id:guid}/{number:int}"] = (Answer.SignIn, []),
        ["GET /fhir/$export/{id:guid}/deleted"] = (Answer.SignIn, []),

        // Patients
        ["GET /api/patients"] = (Answer.SignIn, All),
        ["POST /api/patients/find"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory, Role.Pharmacy, Role.Insurer]),
        ["GET /api/patients/{patient}/records"] = (Answer.SignIn, []),
        ["GET /api/patients/{patient}/accesses"] = (Answer.SignIn, [Role.Auditor]),
        ["POST /api/conditions"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /api/files"] = (Answer.SignIn, [Role.Practitioner, Role.Laboratory]),

        // Consents: one's own, of which a caller without a record has none
        ["GET /api/consents"] = (Answer.SignIn, All),
        ["POST /api/consents"] = (Answer.SignIn, []),
        ["DELETE /api/consents/{id}"] = (Answer.SignIn, []),
        ["POST /api/consents/prepare"] = (Answer.SignIn, []),
        ["POST /api/consents/{id}/prepare-revocation"] = (Answer.SignIn, []),
        ["POST /api/consents/sign"] = (Answer.SignIn, []),
        ["GET /api/consents/passkeys"] = (Answer.SignIn, All),
        ["POST /api/consents/passkeys/prepare"] = (Answer.SignIn, []),
        ["POST /api/consents/passkeys"] = (Answer.SignIn, []),
        ["POST /api/consents/passkeys/{id}/prepare-removal"] = (Answer.SignIn, []),

        // Openings in an emergency: whoever opened, the patient, the auditor
        ["GET /api/emergencies"] = (Answer.SignIn, [Role.Patient, Role.Practitioner, Role.Auditor]),
        ["POST /api/emergencies"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /api/emergencies/{id}/end"] = (Answer.SignIn, []),
        ["POST /api/emergencies/seen"] = (Answer.SignIn, [Role.Patient, Role.Auditor]),
        ["GET /emergencies"] = (Answer.Redirect, [Role.Patient, Role.Practitioner, Role.Auditor]),
        ["GET /patients/{Id}/emergency"] = (Answer.Redirect, [Role.Practitioner]),

        // Delegates and recovery: one's own, and those of others only for whom they have named
        ["GET /api/delegates"] = (Answer.SignIn, All),
        ["POST /api/delegates/prepare"] = (Answer.SignIn, []),
        ["POST /api/delegates/{id:guid}/prepare-withdrawal"] = (Answer.SignIn, []),
        ["POST /api/delegates/sign"] = (Answer.SignIn, []),
        ["GET /api/signing-for"] = (Answer.SignIn, All),
        ["GET /api/signing-for/{id:guid}/consents"] = (Answer.SignIn, []),
        ["POST /api/signing-for/{id:guid}/consents/prepare"] = (Answer.SignIn, []),
        ["POST /api/signing-for/{id:guid}/consents/{consent}/prepare-revocation"] = (Answer.SignIn, []),
        ["POST /api/signing-for/sign"] = (Answer.SignIn, []),
        ["GET /api/recovery"] = (Answer.SignIn, All),
        ["POST /api/recovery/terms/prepare"] = (Answer.SignIn, []),
        ["POST /api/recovery/requests/prepare"] = (Answer.SignIn, []),
        ["POST /api/recovery/requests"] = (Answer.SignIn, []),
        ["DELETE /api/recovery/requests"] = (Answer.SignIn, []),
        ["POST /api/recovery/requests/prepare-cancellation"] = (Answer.SignIn, []),
        ["POST /api/recovery/sign"] = (Answer.SignIn, []),
        ["GET /api/confirmations"] = (Answer.SignIn, All),
        ["POST /api/confirmations/{id:guid}/prepare"] = (Answer.SignIn, []),
        ["POST /api/confirmations/sign"] = (Answer.SignIn, []),

        // The consortium, and what hospitals ask of each other: a member's signature decides, which nobody here bears
        ["GET /api/consortium/self"] = (Answer.Yes, All),
        ["GET /api/members"] = (Answer.SignIn, All),
        ["POST /api/members/votes"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/exchange/records"] = (Answer.SignIn, Professionals),
        ["POST /exchange/records"] = (Answer.Yes, All),

        // Models and predictions
        ["GET /api/models"] = (Answer.SignIn, [Role.Practitioner, Role.Researcher, Role.Auditor, Role.Administrator]),
        ["GET /api/models/recipes"] = (Answer.SignIn, [Role.Practitioner, Role.Researcher, Role.Auditor, Role.Administrator]),
        ["GET /api/models/{model}"] = (Answer.SignIn, [Role.Practitioner, Role.Researcher, Role.Auditor, Role.Administrator]),
        ["POST /api/models/train"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /api/models/{model}/release"] = (Answer.SignIn, [Role.Practitioner, Role.Administrator]),
        ["POST /api/models/{model}/prepare-release"] = (Answer.SignIn, [Role.Practitioner, Role.Administrator]),
        ["POST /api/models/{model}/prepare-withdrawal"] = (Answer.SignIn, [Role.Practitioner, Role.Administrator]),
        ["POST /api/models/sign"] = (Answer.SignIn, [Role.Practitioner, Role.Administrator]),
        ["POST /api/models/{model}/withdraw"] = (Answer.SignIn, [Role.Practitioner, Role.Administrator]),
        ["POST /api/models/{model}/watch"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /api/models/{model}/what-if"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /api/models/{model}/cohort"] = (Answer.SignIn, [Role.Practitioner]),
        ["GET /api/patients/{patient}/predictions"] = (Answer.SignIn, []),
        ["POST /api/patients/{patient}/predictions"] = (Answer.SignIn, [Role.Practitioner]),

        // Advice at the point of care: practitioners, and other systems by their own tokens, which nobody here bears
        ["GET /cds-services"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /cds-services/{service}"] = (Answer.SignIn, [Role.Practitioner]),
        ["POST /cds-services/{service}/feedback"] = (Answer.SignIn, [Role.Practitioner]),
        ["GET /api/other-systems"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/other-systems"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/other-systems/{id:guid}/withdraw"] = (Answer.SignIn, [Role.Administrator]),
        ["GET /other-systems"] = (Answer.Redirect, [Role.Administrator]),
        ["GET /other-systems/{Id:guid}/withdraw"] = (Answer.Redirect, [Role.Administrator]),

        // Data sets: one's own, of which a new caller has none
        ["GET /api/data-sets"] = (Answer.SignIn, All),
        ["POST /api/data-sets"] = (Answer.SignIn, DataSetKeepers),
        ["GET /api/data-sets/{id:guid}"] = (Answer.SignIn, []),
        ["DELETE /api/data-sets/{id:guid}"] = (Answer.SignIn, []),
        ["GET /api/data-sets/{id:guid}/rows"] = (Answer.SignIn, []),
        ["GET /api/data-sets/{id:guid}/charts"] = (Answer.SignIn, []),
        ["POST /api/data-sets/{id:guid}/process"] = (Answer.SignIn, []),
        ["POST /api/data-sets/{id:guid}/noise"] = (Answer.SignIn, []),
        ["POST /api/data-sets/{id:guid}/seal"] = (Answer.SignIn, []),
        ["GET /api/data-sets/{id:guid}/file"] = (Answer.SignIn, []),

        // Pages: a role gets the page; what stands on it is decided as above
        ["GET /"] = (Answer.Yes, All),
        ["GET /sign-in"] = (Answer.Yes, All),
        ["GET /sign-out"] = (Answer.Yes, All),
        ["GET /refused"] = (Answer.Yes, All),
        ["GET /problem"] = (Answer.Yes, All),
        ["GET /patients"] = (Answer.Redirect, Professionals),
        ["GET /elsewhere"] = (Answer.Redirect, Professionals),
        ["GET /patients/{Id}"] = (Answer.Redirect, []),
        ["GET /patients/{Id}/predictions"] = (Answer.Redirect, []),
        ["GET /conditions/new"] = (Answer.Redirect, [Role.Practitioner]),
        ["GET /conditions/recorded"] = (Answer.Redirect, [Role.Practitioner]),
        ["GET /upload"] = (Answer.Redirect, [Role.Practitioner, Role.Laboratory, Role.Pharmacy, Role.Patient]),
        ["GET /models/compare"] = (Answer.Redirect, [Role.Practitioner, Role.Researcher, Role.Auditor, Role.Administrator]),
        ["GET /models/{Id}"] = (Answer.Redirect, [Role.Practitioner, Role.Researcher, Role.Auditor, Role.Administrator]),
        ["GET /models/{Id}/what-if"] = (Answer.Redirect, [Role.Practitioner]),
        ["GET /models/{Id}/cohort"] = (Answer.Redirect, [Role.Practitioner]),
        ["GET /predictions"] = (Answer.Redirect, [Role.Practitioner, Role.Researcher, Role.Auditor, Role.Administrator]),
        ["GET /data-sets"] = (Answer.Redirect, DataSetKeepers),
        ["GET /data-sets/{Id:guid}"] = (Answer.Redirect, []),

        ["GET /_framework/opaque-redirect"] = (Answer.Redirect, All),
        ["GET /sign-up"] = (Answer.Yes, All),
        ["GET /registered/{Account:guid}"] = (Answer.Yes, All),
        ["GET /blocks"] = (Answer.Yes, All),
        ["GET /account"] = (Answer.Redirect, All),
        ["GET /account/password"] = (Answer.Redirect, All),
        ["GET /account/passkeys"] = (Answer.Redirect, All),
        ["GET /account/passkeys/{Id:guid}"] = (Answer.Redirect, []),
        ["GET /account/second-factor"] = (Answer.Redirect, All),
        ["GET /my-record"] = (Answer.Redirect, [Role.Patient]),
        ["GET /who-read"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents/new"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents/passkeys"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents/passkeys/{Id}/remove"] = (Answer.Redirect, []),
        ["GET /consents/{Id:guid}/revoke"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents/delegates"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents/delegates/{Id:guid}/withdraw"] = (Answer.Redirect, []),
        ["GET /consents/for/{Id:guid}"] = (Answer.Redirect, []),
        ["GET /consents/for/{For:guid}/new"] = (Answer.Redirect, []),
        ["GET /consents/for/{For:guid}/{Id:guid}/revoke"] = (Answer.Redirect, []),
        ["GET /consents/recovery"] = (Answer.Redirect, [Role.Patient]),
        ["GET /consents/recovery/ask"] = (Answer.Redirect, []),
        ["GET /consents/confirm/{Id:guid}"] = (Answer.Redirect, []),
        ["GET /members"] = (Answer.Redirect, [Role.Administrator]),
        ["GET /accounts"] = (Answer.Redirect, [Role.Administrator]),
        ["GET /accounts/{Id:guid}/{Deed:regex(^(approve|disable|reset)$)}"] = (Answer.Redirect, [Role.Administrator]),
        ["GET /audit"] = (Answer.Redirect, [Role.Auditor]),
        ["GET /node"] = (Answer.Redirect, [Role.Administrator, Role.Auditor]),
        ["POST /upload/file"] = (Answer.Redirect, [Role.Practitioner, Role.Laboratory, Role.Pharmacy, Role.Patient]),
        ["POST /upload/bundle"] = (Answer.Redirect, [Role.Practitioner]),
        ["POST /data-sets/load"] = (Answer.Redirect, DataSetKeepers),

        // Erasure: decided by administrators, seen by auditors
        ["GET /api/erasures"] = (Answer.SignIn, [Role.Administrator, Role.Auditor]),
        ["POST /api/erasures/preview"] = (Answer.SignIn, [Role.Administrator]),
        ["POST /api/erasures"] = (Answer.SignIn, [Role.Administrator]),
        ["GET /erasures"] = (Answer.Redirect, [Role.Administrator, Role.Auditor]),
        ["GET /erasures/new"] = (Answer.Redirect, [Role.Administrator]),

        // The trail, the log, the node
        ["GET /api/audit"] = (Answer.SignIn, [Role.Auditor]),
        ["GET /api/log/status"] = (Answer.Yes, All),
        ["GET /api/log/blocks"] = (Answer.Yes, All),
        ["GET /api/log/place"] = (Answer.Yes, All),
        ["GET /log/checkpoint"] = (Answer.Yes, All),
        ["GET /log/tile/{level:int}/{**path}"] = (Answer.Yes, All),
        ["GET /log/proof/{position:long}"] = (Answer.Yes, All),
        ["GET /log/consistency/{from:long}/{to:long}"] = (Answer.Yes, All),
        ["GET /log/{**rest}"] = (Answer.Yes, All),
        ["POST /witness/add-checkpoint"] = (Answer.Yes, All),
        ["GET /log/policy"] = (Answer.Yes, All),
        ["GET /api/health"] = (Answer.Yes, All),
        ["GET /api/integrity"] = (Answer.SignIn, [Role.Administrator, Role.Auditor]),
        ["POST /api/integrity"] = (Answer.SignIn, [Role.Administrator, Role.Auditor]),
        ["GET /api/totals"] = (Answer.SignIn, All),
    };

    /// <summary>The body that lets a route get as far as its decision; the patient is somebody else's.</summary>
    public static object? BodyOf(string route, string patient, string observation) => route switch
    {
        "POST /fhir" => new
        {
            resourceType = "Bundle", type = "transaction",
            entry = new[] { new { resource = new { resourceType = "Organization", name = "A clinic" }, request = new { method = "POST", url = "Organization" } } },
        },
        "POST /fhir/{type}" or "PUT /fhir/{type}" => Observation(patient, null),
        "PUT /fhir/{type}/{id}" or "POST /fhir/{type}/{id}/$validate" => Observation(patient, observation),
        "PATCH /fhir/{type}" or "PATCH /fhir/{type}/{id}" => new { resourceType = "Parameters" },
        "POST /fhir/$export" or "POST /fhir/Patient/$export" or "POST /fhir/Group/{id}/$export" => new { resourceType = "Parameters" },
        "POST /api/patients/find" => new { identifier = KnownIdentifier },
        "POST /api/conditions" => new
        {
            patientId = $"new-{Guid.NewGuid():n}", newPatient = new { family = "Row", given = "Tab", birthDate = "1990-01-01", sex = "other" },
            symptoms = "none", assessment = "Normal",
        },
        "POST /api/consents" or "POST /api/consents/prepare" => new
        {
            grantee = "hospital", categories = new[] { "Results" }, purposes = new[] { "Treatment" }, until = DateTimeOffset.UnixEpoch.AddYears(80),
        },
        "POST /api/signing-for/{id:guid}/consents/prepare" => new
        {
            grantee = "hospital", categories = new[] { "Results" }, purposes = new[] { "Treatment" }, until = DateTimeOffset.UnixEpoch.AddYears(80),
        },
        "POST /api/delegates/prepare" => new { account = Guid.NewGuid(), relation = "Parent", until = DateTimeOffset.UnixEpoch.AddYears(80) },
        _ when route.StartsWith("GET ", StringComparison.Ordinal) => null,
        _ => new { },
    };

    static object Observation(string patient, string? id) => new
    {
        resourceType = "Observation", id, status = "final", code = new { text = "A result" }, subject = new { reference = $"Patient/{patient}" },
    };
}
