using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Codes of systems that nobody lists whole: languages, media types, currencies. What has not even their form is none of them.</summary>
static partial class CodeForms
{
    /// <summary>Checks a code by its element's name and binding.</summary>
    public static void Check(ValidationRun run, Element value, ElementSlot slot)
    {
        if (slot.Type.Primitive != PrimitiveKind.Code)
        {
            return;
        }
        var expected = slot.Element.BindingRule?.ValueSet switch
        {
            "http://hl7.org/fhir/ValueSet/mimetypes" => MediaTypes().IsMatch(value.Text!) ? null : "a media type such as application/pdf (BCP 13)",
            "http://hl7.org/fhir/ValueSet/currencies" => Currencies().IsMatch(value.Text!) ? null : "a currency such as EUR (ISO 4217)",
            // That of an expression is bound, and no human one
            not null => null,
            _ => slot.Element.Name != "language" || Languages().IsMatch(value.Text!) ? null : "a language such as en or en-US (BCP 47)",
        };
        if (expected is not null)
        {
            run.Add(value, "code-invalid", $"'{ValidationRun.Short(value)}' is not {expected}.");
        }
    }

    /// <remarks>A capability statement may name its formats shortly.</remarks>
    [GeneratedRegex(@"^([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+*-]+(\s*;\s*[^;]+)*|json|xml|ttl)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex MediaTypes();

    [GeneratedRegex("^[A-Z]{3}$", RegexOptions.CultureInvariant)]
    private static partial Regex Currencies();

    [GeneratedRegex("^([A-Za-z]{2,3}|[xi](?=-))(-[A-Za-z0-9]{1,8})*$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Languages();
}
