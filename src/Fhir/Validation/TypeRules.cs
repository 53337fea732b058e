using System.Buffers.Text;
using System.Globalization;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;

namespace Salus.Fhir.Validation;

/// <summary>Rules of data types that are written in the specification's text, or that every resource meets so often that they are held without FHIRPath.</summary>
static class TypeRules
{
    /// <summary>Checks an object of a type that has such rules.</summary>
    public static void Check(ValidationRun run, in Place place)
    {
        switch (place.Type.Role)
        {
            case TypeRole.Extension:
                CheckExtension(run, place.Value);
                break;
            case TypeRole.Coding:
                CheckCoding(run, place.Value);
                break;
            case TypeRole.Attachment:
                CheckAttachment(run, place.Value);
                break;
            case TypeRole.Period:
                CheckPeriod(run, place.Value);
                break;
            case TypeRole.ElementDefinition:
                CheckElementDefinition(run, place.Value);
                break;
        }
    }

    /// <remarks>Rule ext-1.</remarks>
    static void CheckExtension(ValidationRun run, Element extension)
    {
        var hasValue = false;
        var nested = false;
        foreach (var member in extension.Children)
        {
            hasValue |= member.NameUtf8.StartsWith("value"u8) || member.NameUtf8.StartsWith("_value"u8);
            nested |= member.NameUtf8.SequenceEqual("extension"u8);
        }
        if (hasValue == nested)
        {
            run.Add(extension, "invariant", "An extension has either a value or extensions, and not both.");
        }
    }

    static void CheckCoding(ValidationRun run, Element coding)
    {
        var system = coding["system"u8];
        if (system.Kind != ElementKind.Text || system.Raw.StartsWith("http://loinc.org"u8) || system.Raw.StartsWith("http://snomed.info/sct"u8))
        {
            return;
        }
        if (system.Raw.IndexOf((byte)':') <= 0)
        {
            run.Add(system, "invalid", $"'{ValidationRun.Short(system)}' names no code system: expected an absolute URI.");
        }
        else if (system.Raw.IndexOf("ValueSet"u8) >= 0 && run.Definitions.Terminology.IsOnlyValueSet(system.Text!))
        {
            run.Add(system, "invalid", $"'{ValidationRun.Short(system)}' is a value set; a coding names the code system that its code is from.");
        }
        else if ((run.WantsWarnings || run.Options.RefusesUnknownCodes) && coding["code"u8].Text is { } code)
        {
            CheckKnown(run, coding, system.Text!, code);
        }
    }

    static void CheckKnown(ValidationRun run, Element coding, string system, string code)
    {
        var severity = run.Options.RefusesUnknownCodes ? IssueSeverity.Error : IssueSeverity.Warning;
        if (run.Definitions.Terminology.CodeSystem(system) is not { IsComplete: true } known)
        {
            return;
        }
        if (known.Find(code) is not { } concept)
        {
            run.Add(coding["code"u8], severity, "code-invalid", $"The code system {system} has no code '{code}'.");
        }
        else if (coding["display"u8].Text is { } shown && concept.Display is { } display && NormalisedText.Of(shown) != NormalisedText.Of(display))
        {
            run.Add(coding["display"u8], severity, "invalid", $"The code system {system} calls '{code}' '{display}', not '{ValidationRun.Short(coding["display"u8])}'.");
        }
    }

    static void CheckAttachment(ValidationRun run, Element attachment)
    {
        var size = attachment["size"u8];
        var data = attachment["data"u8];
        if (size.Number is { } stated && data.Kind == ElementKind.Text && Base64.IsValid(data.Raw, out var length) && stated != length)
        {
            run.Add(size, "invalid", FormattableString.Invariant($"The size is said to be {stated} bytes, but the data has {length}."));
        }
    }

    /// <remarks>Rule per-1, by the comparison of FHIRPath: where the precisions overlap it cannot be told which is earlier, and the rule is not kept.</remarks>
    static void CheckPeriod(ValidationRun run, Element period)
    {
        var start = period["start"u8];
        var end = period["end"u8];
        if (start.Kind != ElementKind.Text || end.Kind != ElementKind.Text
            || !FhirTime.TryParse(start.Raw, out var from) || !FhirTime.TryParse(end.Raw, out var to) || from.High < to.Low)
        {
            return;
        }
        if (from.Low > to.High)
        {
            run.Add(period, "invariant", $"Rule per-1: the period starts ({start.Text}) after its end ({end.Text}).");
        }
        else if (from.Low > to.Low || (from.Precision != to.Precision && (from.Precision < TimePrecision.Second || to.Precision < TimePrecision.Second)))
        {
            run.Add(period, "invariant", $"Rule per-1: it cannot be told whether the period starts ({start.Text}) before its end ({end.Text}); give both as precisely.");
        }
    }

    static void CheckElementDefinition(ValidationRun run, Element definition)
    {
        foreach (var type in definition["type"u8].Items)
        {
            foreach (var profile in type["profile"u8].Items)
            {
                if (type["code"u8].Text is { } code && profile.Text is { } url && TypeOf(run, url) is { } profiled && profiled != code && !IsAncestor(run, code, profiled))
                {
                    run.Add(profile, "invalid", $"The profile {url} is one of {profiled}, but the element is of type {code}.");
                }
            }
        }
    }

    static string? TypeOf(ValidationRun run, string url)
    {
        var plain = FhirDefinitions.WithoutVersion(url);
        if (plain.StartsWith(FhirDefinitions.BaseUrl, StringComparison.Ordinal) && run.Definitions.Type(plain[FhirDefinitions.BaseUrl.Length..]) is { } type)
        {
            return type.Name;
        }
        return run.Definitions.Profile(plain)?.Type;
    }

    /// <summary>Whether a resource of one type is one of another: any resource is a Resource; but a Count is not what an element of type Quantity may be.</summary>
    static bool IsAncestor(ValidationRun run, string ancestor, string name)
    {
        for (var type = run.Definitions.Type(name); type is { Kind: TypeKind.Resource, Parent: { } parent }; type = run.Definitions.Type(parent))
        {
            if (parent == ancestor)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A number as it is compared.</summary>
    public static decimal? Number(Element element) =>
        element.Number ?? (element.Text is { } text && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null);
}
