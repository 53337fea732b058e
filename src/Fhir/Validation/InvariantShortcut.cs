using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>An invariant held without FHIRPath, or told to need it, because its expression has a simple form or because every resource meets it.</summary>
sealed partial class InvariantShortcut
{
    static readonly InvariantShortcut None = new((in Place _) => null);

    readonly Check _check;

    InvariantShortcut(Check check) => _check = check;

    delegate bool? Check(in Place place);

    /// <summary>Whether a value keeps a constraint; null when only FHIRPath can tell.</summary>
    public static bool? Holds(ConstraintDefinition constraint, in Place place)
    {
        constraint.Shortcut ??= Find(constraint) ?? None;
        return ((InvariantShortcut)constraint.Shortcut)._check(place);
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
            case ("obs-7", _) when constraint.Expression.StartsWith("value.empty() or component.code", StringComparison.Ordinal):
                return new((in Place place) => place.Value["component"u8].IsMissing || !Has(place, "value") ? true : null);
            case ("dom-3", _) when constraint.Expression.StartsWith("contained.where(", StringComparison.Ordinal):
                return new((in Place place) => ContainedRules.AllReferred(place.Value));
            case ("dom-4", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()"):
                return new((in Place place) => ContainedRules.NoneHas(place.Value, "versionId"u8) && ContainedRules.NoneHas(place.Value, "lastUpdated"u8));
            case ("dom-5", "contained.meta.security.empty()"):
                return new((in Place place) => ContainedRules.NoneHas(place.Value, "security"u8));
            case ("dom-6", "text.`div`.exists()"):
                return new((in Place place) => !place.Value["text"u8]["div"u8].IsMissing);
        }
        return Presence().Match(constraint.Expression) is { Success: true } presence ? OfPresence(presence)
            : Guarded().Match(constraint.Expression) is { Success: true } guarded ? OfGuard(guarded.Groups[1].Value)
            : null;
    }

    /// <summary>Such as <c>value.empty() or …</c>: kept wherever there is no value.</summary>
    static InvariantShortcut OfGuard(string name) => new((in Place place) => Has(place, name) ? null : true);

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

    [GeneratedRegex(@"^(\w+)(?:\.empty\(\) or |\.exists\(\) implies |\.exists\(\)\.not\(\) or )(?!.*\b(?:implies|xor)\b)")]
    private static partial Regex Guarded();

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
            if (child.Kind is ElementKind.Complex or ElementKind.Array ? Mentions(child, fragment) : IsMention(child, fragment))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A reference, or a narrative that shows the contained resource as an image or links to it.</summary>
    static bool IsMention(Element text, string fragment) =>
        text.Kind == ElementKind.Text && text.Raw.Length > 0
        && (text.Raw[0] == '#' ? text.Text == fragment
            : text.NameUtf8.SequenceEqual("div"u8) && text.Raw.IndexOf((byte)'#') >= 0 && text.Text is { } div
                && (div.Contains(fragment + "\"", StringComparison.Ordinal) || div.Contains(fragment + "'", StringComparison.Ordinal)));
}
