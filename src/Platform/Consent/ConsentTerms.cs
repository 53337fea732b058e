using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace Salus.Platform.Consent;

/// <summary>What a record may be opened for (HL7 v3 PurposeOfUse).</summary>
public enum Purpose
{
    /// <summary>TREAT</summary>
    Treatment,
    /// <summary>HPAYMT</summary>
    Payment,
    /// <summary>HRESCH</summary>
    Research,
    /// <summary>PATRQT: the patient's own request.</summary>
    PatientRequest,
}

/// <summary>A group of resource types that a patient grants together.</summary>
public enum RecordCategory
{
    /// <summary>Diagnoses, visits, procedures, devices, plans.</summary>
    Conditions,
    /// <summary>Measurements and laboratory results.</summary>
    Results,
    /// <summary>Prescriptions and what was given.</summary>
    Medications,
    /// <summary>Vaccinations and allergies.</summary>
    Prevention,
    /// <summary>Letters, notes, images.</summary>
    Documents,
    /// <summary>What a model has said.</summary>
    Predictions,
    /// <summary>Claims and coverage.</summary>
    Billing,
}

/// <summary>Which resource types a category holds.</summary>
public static class RecordCategories
{
    static readonly Dictionary<string, RecordCategory> ByType = new()
    {
        ["Condition"] = RecordCategory.Conditions,
        ["Encounter"] = RecordCategory.Conditions,
        ["ClinicalImpression"] = RecordCategory.Conditions,
        ["Procedure"] = RecordCategory.Conditions,
        ["CarePlan"] = RecordCategory.Conditions,
        ["CareTeam"] = RecordCategory.Conditions,
        ["Goal"] = RecordCategory.Conditions,
        ["FamilyMemberHistory"] = RecordCategory.Conditions,
        ["EpisodeOfCare"] = RecordCategory.Conditions,
        ["Group"] = RecordCategory.Conditions,
        ["Flag"] = RecordCategory.Conditions,
        ["AdverseEvent"] = RecordCategory.Conditions,
        ["BodyStructure"] = RecordCategory.Conditions,
        ["Appointment"] = RecordCategory.Conditions,
        ["AppointmentResponse"] = RecordCategory.Conditions,
        ["RequestGroup"] = RecordCategory.Conditions,
        ["NutritionOrder"] = RecordCategory.Conditions,
        ["DeviceRequest"] = RecordCategory.Conditions,
        ["DeviceUseStatement"] = RecordCategory.Conditions,
        ["Observation"] = RecordCategory.Results,
        ["DiagnosticReport"] = RecordCategory.Results,
        ["Specimen"] = RecordCategory.Results,
        ["ServiceRequest"] = RecordCategory.Results,
        ["MolecularSequence"] = RecordCategory.Results,
        ["MedicationRequest"] = RecordCategory.Medications,
        ["MedicationAdministration"] = RecordCategory.Medications,
        ["MedicationDispense"] = RecordCategory.Medications,
        ["MedicationStatement"] = RecordCategory.Medications,
        ["DetectedIssue"] = RecordCategory.Medications,
        ["VisionPrescription"] = RecordCategory.Medications,
        ["SupplyRequest"] = RecordCategory.Medications,
        ["SupplyDelivery"] = RecordCategory.Medications,
        ["Immunization"] = RecordCategory.Prevention,
        ["AllergyIntolerance"] = RecordCategory.Prevention,
        ["ImmunizationEvaluation"] = RecordCategory.Prevention,
        ["ImmunizationRecommendation"] = RecordCategory.Prevention,
        ["DocumentReference"] = RecordCategory.Documents,
        ["Binary"] = RecordCategory.Documents,
        ["ImagingStudy"] = RecordCategory.Documents,
        ["Media"] = RecordCategory.Documents,
        ["Composition"] = RecordCategory.Documents,
        ["DocumentManifest"] = RecordCategory.Documents,
        ["RiskAssessment"] = RecordCategory.Predictions,
        ["Claim"] = RecordCategory.Billing,
        ["ClaimResponse"] = RecordCategory.Billing,
        ["Coverage"] = RecordCategory.Billing,
        ["ExplanationOfBenefit"] = RecordCategory.Billing,
        ["Account"] = RecordCategory.Billing,
        ["ChargeItem"] = RecordCategory.Billing,
        ["Invoice"] = RecordCategory.Billing,
        ["CoverageEligibilityRequest"] = RecordCategory.Billing,
        ["CoverageEligibilityResponse"] = RecordCategory.Billing,
        ["EnrollmentRequest"] = RecordCategory.Billing,
    };

    /// <summary>Types that may hold what any category does: whoever may read all of them may read these.</summary>
    static readonly FrozenSet<string> Mixed = ["List", "QuestionnaireResponse", "Communication", "CommunicationRequest", "Basic"];

    static readonly RecordCategory[] All = Enum.GetValues<RecordCategory>();

    /// <summary>Whether a consent to some categories covers a type. The Patient itself goes with any; what is in no category goes with none.</summary>
    public static bool Cover(IReadOnlyList<RecordCategory> categories, string resourceType) =>
        resourceType == "Patient"
        || (ByType.TryGetValue(resourceType, out var category) ? categories.Contains(category) : Mixed.Contains(resourceType) && All.All(categories.Contains));
}

/// <summary>To whom access is given.</summary>
public enum GranteeKind
{
    /// <summary>One account.</summary>
    Account,
    /// <summary>Every professional of this hospital.</summary>
    Hospital,
    /// <summary>Every professional of another member of the consortium.</summary>
    Member,
}

/// <summary>What a patient agrees to.</summary>
/// <param name="Kind">Whether one account, the hospital, or another member of the consortium.</param>
/// <param name="Grantee">The account's id, <see cref="ConsentTerms.ThisHospital"/>, or what <see cref="ConsentTerms.MemberGrantee"/> makes of a member's id.</param>
/// <param name="Categories">What may be read.</param>
/// <param name="Purposes">For what.</param>
/// <param name="From">First moment.</param>
/// <param name="Until">Last moment.</param>
public sealed record ConsentTerms(
    GranteeKind Kind, string Grantee, IReadOnlyList<RecordCategory> Categories, IReadOnlyList<Purpose> Purposes, DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>The grantee that stands for every professional of the hospital that holds the record.</summary>
    public const string ThisHospital = "hospital";

    const string MemberPrefix = "member:";
    const string CategorySystem = "https://salus.health/fhir/record-category";
    const string PurposeSystem = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

    /// <summary>Whether these terms cover a read.</summary>
    public bool Cover(string resourceType, Purpose purpose, DateTimeOffset now) =>
        now >= From && now <= Until && Purposes.Contains(purpose) && RecordCategories.Cover(Categories, resourceType);

    /// <summary>The grantee that stands for every professional of another member. Ids of members are never used again, so that a consent does not come back with a later admission.</summary>
    public static string MemberGrantee(ulong member) => string.Create(CultureInfo.InvariantCulture, $"{MemberPrefix}{member}");

    /// <summary>The id of the member that a grantee stands for; null for other grantees.</summary>
    public static ulong? MemberOf(string grantee) =>
        grantee.StartsWith(MemberPrefix, StringComparison.Ordinal) && ulong.TryParse(grantee.AsSpan(MemberPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var member)
        && MemberGrantee(member) == grantee
            ? member
            : null;

    /// <summary>What a grantee is.</summary>
    public static GranteeKind KindOf(string grantee) =>
        grantee == ThisHospital ? GranteeKind.Hospital : MemberOf(grantee) is null ? GranteeKind.Account : GranteeKind.Member;

    /// <summary>The code of a purpose in HL7's v3 ActReason.</summary>
    public static string CodeOf(Purpose purpose) => purpose switch
    {
        Purpose.Treatment => "TREAT",
        Purpose.Payment => "HPAYMT",
        Purpose.Research => "HRESCH",
        _ => "PATRQT",
    };

    /// <summary>These terms as a Consent (FHIR R4).</summary>
    public byte[] Write(string id, string patient, bool active, DateTimeOffset time)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            ConsentJson.WriteHead(json, id, active, ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "INFA"), patient, time);
            ConsentJson.WriteConcept(json, "policyRule", "http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN");
            json.WriteStartObject("provision");
            ConsentJson.WritePermit(json, From, Until);
            ConsentJson.WriteActor(json, Grantee);
            ConsentJson.WriteCodings(json, "purpose", PurposeSystem, Purposes.Select(CodeOf));
            ConsentJson.WriteCodings(json, "class", CategorySystem, Categories.Select(category => category.ToString()));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The terms that <see cref="Write"/> wrote.</summary>
    public static ConsentTerms Read(ReadOnlyMemory<byte> bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        var provision = document.RootElement.GetProperty("provision");
        var grantee = provision.GetProperty("actor")[0].GetProperty("reference").GetProperty("identifier").GetProperty("value").GetString()!;
        var period = provision.GetProperty("period");
        return new ConsentTerms(
            KindOf(grantee),
            grantee,
            [.. provision.GetProperty("class").EnumerateArray().Select(coding => Enum.Parse<RecordCategory>(coding.GetProperty("code").GetString()!))],
            [.. provision.GetProperty("purpose").EnumerateArray().Select(coding => PurposeOf(coding.GetProperty("code").GetString()!))],
            period.GetProperty("start").GetDateTimeOffset(),
            period.GetProperty("end").GetDateTimeOffset());
    }

    /// <summary>The purpose of a code.</summary>
    internal static Purpose PurposeOf(string code) => Enum.GetValues<Purpose>().First(purpose => CodeOf(purpose) == code);
}
