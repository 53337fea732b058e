using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Terminology;

namespace Salus.Fhir.Validation;

/// <summary>Whether codes are from the value sets that they are bound to.</summary>
static class Bindings
{
    /// <summary>Checks a primitive that the base definitions bind.</summary>
    public static void CheckCode(ValidationRun run, Element value, ElementSlot slot)
    {
        if (slot.Element.Binding is { } set)
        {
            if (slot.Type.Primitive == PrimitiveKind.Code && !set.Contains(value.IsEscaped ? Encoding.UTF8.GetBytes(value.Text!) : value.Raw))
            {
                run.Add(value, "code-invalid", $"'{ValidationRun.Short(value)}' is not in the required value set {set.Url}{Some(set)}.");
            }
        }
        else if (slot.Element.BindingRule is { } rule && (rule.IsRequired || run.WantsWarnings))
        {
            CheckText(run, value, rule, isProfile: false);
        }
    }

    /// <summary>Checks a Coding, CodeableConcept or Quantity that the base definitions bind.</summary>
    public static void CheckConcept(ValidationRun run, Element value, ElementSlot slot)
    {
        if (slot.Element.Binding is { } set)
        {
            CheckRequired(run, value, slot, set);
        }
        else if (slot.Element.BindingRule is { } rule && (rule.IsRequired || run.WantsWarnings))
        {
            CheckConcept(run, value, slot.Type.Name, rule, isProfile: false);
        }
    }

    static void CheckRequired(ValidationRun run, Element value, ElementSlot slot, ValueSetDefinition set)
    {
        switch (slot.Type.Name)
        {
            case "Coding" when !value["code"u8].IsMissing && !Holds(set, value):
                run.Add(value, "code-invalid", $"The coding is not in the required value set {set.Url}{Some(set)}.");
                break;
            case "CodeableConcept" when value["coding"u8].IsMissing && value["extension"u8].IsMissing:
                run.Add(value, "code-invalid", $"A code of the required value set {set.Url} is needed{Some(set)}; text alone does not do.");
                break;
            case "CodeableConcept" when !value["coding"u8].IsMissing:
                foreach (var coding in value["coding"u8].Items)
                {
                    if (Holds(set, coding))
                    {
                        return;
                    }
                }
                run.Add(value, "code-invalid", $"None of the codings is in the required value set {set.Url}{Some(set)}.");
                break;
        }
    }

    static bool Holds(ValueSetDefinition set, Element coding) =>
        coding["system"u8].Text is { } system && coding["code"u8].Text is { } code && set.Contains(system, code);

    /// <summary>Checks a value of any bound type against a rule; those of a profile count as profile failures.</summary>
    public static void Check(ValidationRun run, Element value, TypeDefinition type, BindingDefinition rule)
    {
        if (!rule.IsRequired && !run.WantsWarnings)
        {
            return;
        }
        if (type.Kind == TypeKind.Primitive)
        {
            CheckText(run, value, rule, isProfile: true);
        }
        else
        {
            CheckConcept(run, value, type.Name, rule, isProfile: true);
        }
    }

    static void CheckText(ValidationRun run, Element value, BindingDefinition rule, bool isProfile)
    {
        if (value.Text is { } code && run.Definitions.Terminology.Contains(rule.ValueSet, null, code) == Membership.Out)
        {
            Report(run, value, rule, isProfile, $"'{ValidationRun.Short(value)}' is not in the {Strength(rule)} value set {rule.ValueSet}.");
        }
    }

    static void CheckConcept(ValidationRun run, Element value, string type, BindingDefinition rule, bool isProfile)
    {
        switch (type)
        {
            case "Coding" or "Quantity" when In(run, rule, value) == Membership.Out:
                Report(run, value, rule, isProfile, $"The code '{value["code"u8].Text}' is not in the {Strength(rule)} value set {rule.ValueSet}.");
                break;
            case "CodeableConcept":
                CheckCodings(run, value, rule, isProfile);
                break;
        }
    }

    static void CheckCodings(ValidationRun run, Element value, BindingDefinition rule, bool isProfile)
    {
        var any = false;
        foreach (var coding in value["coding"u8].Items)
        {
            if (In(run, rule, coding) is not Membership.Out)
            {
                return;
            }
            any = true;
        }
        if (any || (rule.IsRequired && value["extension"u8].IsMissing))
        {
            Report(run, value, rule, isProfile, $"None of the codings is in the {Strength(rule)} value set {rule.ValueSet}.");
        }
    }

    /// <summary>Whether a Coding or Quantity is in the set that a rule names.</summary>
    public static Membership In(ValidationRun run, BindingDefinition rule, Element coding) =>
        coding["code"u8].Text is { } code
            ? run.Definitions.Terminology.Contains(rule.ValueSet, coding["system"u8].Text ?? "", code)
            : Membership.Unknown;

    static void Report(ValidationRun run, Element value, BindingDefinition rule, bool isProfile, string message)
    {
        if (!rule.IsRequired)
        {
            run.Add(value, IssueSeverity.Warning, "code-invalid", message);
        }
        else if (isProfile)
        {
            run.AddProfile(value, "code-invalid", message);
        }
        else
        {
            run.Add(value, "code-invalid", message);
        }
    }

    static string Strength(BindingDefinition rule) => rule.IsRequired ? "required" : "extensible";

    static string Some(ValueSetDefinition set) => set.Codes.Count <= 12 ? $" ({string.Join(", ", set.Codes)})" : "";
}
