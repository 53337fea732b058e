using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>An invariant held without FHIRPath, because its expression has a simple form or because every resource meets it.</summary>
sealed partial class InvariantShortcut
{
    static readonly InvariantShortcut None = new((in Place _) => true);

    readonly Check _check;

    InvariantShortcut(Check check) => _check = check;

    delegate bool Check(in Place place);

    public bool Holds(in Place place) => _check(place);

    /// <summary>The shortcut of a constraint, or null when it needs FHIRPath.</summary>
    public static InvariantShortcut? Of(ConstraintDefinition constraint)
    {
        constraint.Shortcut ??= Find(constraint) ?? None;
        return ReferenceEquals(constraint.Shortcut, None) ? null : (InvariantShortcut)constraint.Shortcut;
    }

    static InvariantShortcut? Find(ConstraintDefinition constraint)
    {
        switch (constraint.Key, constraint.Expression)
        {
            // Held by the walk itself, with a better message
            case ("dom-2", "contained.contained.empty()"):
            case ("per-1", _) when constraint.Expression.StartsWith("start.hasValue().not()", StringComparison.Ordinal):
            case ("txt-1", "htmlChecks()"):
            case ("txt-2", "htmlChecks()"):
            case ("ref-1", _) when constraint.Expression.StartsWith("reference.startsWith('#').not()", StringComparison.Ordinal):
                return new((in Place _) => true);
            case ("bdl-7", _) when constraint.Expression.EndsWith("isDistinct()", StringComparison.Ordinal):
                return new((in Place _) => true);
            // As written it asks for a type of FHIRPath itself, which no element has
            case ("que-7", "operator = 'exists' implies (answer is Boolean)"):
                return new((in Place place) => !place.Value["operator"u8].Is("exists"u8) || !place.Value["answerBoolean"u8].IsMissing);
            case ("dom-3", _) when constraint.Expression.StartsWith("contained.where(", StringComparison.Ordinal):
                return new((in Place place) => ContainedRules.AllReferred(place.Value));
            case ("dom-4", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()"):
                return new((in Place place) => ContainedRules.NoneHas(place.Value, "versionId"u8) && ContainedRules.NoneHas(place.Value, "lastUpdated"u8));
            case ("dom-5", "contained.meta.security.empty()"):
                return new((in Place place) => ContainedRules.NoneHas(place.Value, "security"u8));
            case ("dom-6", "text.`div`.exists()"):
                return new((in Place place) => !place.Value["text"u8]["div"u8].IsMissing);
        }
        return Presence().Match(constraint.Expression) is { Success: true } match ? OfPresence(match) : null;
    }

    /// <summary>Such as <c>code.empty() or system.exists()</c>.</summary>
    static InvariantShortcut OfPresence(Match match)
    {
        var (first, second) = (match.Groups[1].Value, match.Groups[4].Value);
        var (firstExists, secondExists) = (match.Groups[2].Value == "exists", match.Groups[5].Value == "exists");
        var isAnd = match.Groups[3].Value == "and";
        return new((in Place place) =>
        {
            var one = Has(place, first) == firstExists;
            return isAnd ? one && Has(place, second) == secondExists : one || Has(place, second) == secondExists;
        });
    }

    static bool Has(in Place place, string name)
    {
        foreach (var member in place.Value.Children)
        {
            if (place.Type.Slot(member.NameUtf8) is { } slot && slot.Element.Name == name)
            {
                return true;
            }
        }
        return false;
    }

    [GeneratedRegex(@"^(\w+)\.(empty|exists)\(\) (or|and) (\w+)\.(empty|exists)\(\)$")]
    private static partial Regex Presence();
}

/// <summary>Rules dom-3 to dom-5 on contained resources.</summary>
static class ContainedRules
{
    /// <summary>Whether no contained resource has a member of meta.</summary>
    public static bool NoneHas(Element resource, ReadOnlySpan<byte> member)
    {
        foreach (var contained in resource["contained"u8].Items)
        {
            if (!contained["meta"u8][member].IsMissing)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether each contained resource is referred to in the resource, or refers to it.</summary>
    public static bool AllReferred(Element resource)
    {
        foreach (var contained in resource["contained"u8].Items)
        {
            if (contained["id"u8].Text is { } id && !Mentions(resource, "#" + id) && !Mentions(contained, "#"))
            {
                return false;
            }
        }
        return true;
    }

    static bool Mentions(Element at, string fragment)
    {
        foreach (var child in at.Children)
        {
            if (child.Kind is ElementKind.Complex or ElementKind.Array ? Mentions(child, fragment) : child.Kind == ElementKind.Text && child.Raw.Length > 0 && child.Raw[0] == '#' && child.Text == fragment)
            {
                return true;
            }
        }
        return false;
    }
}
