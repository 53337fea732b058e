using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Validation;

/// <summary>Whether values keep the invariants of their types, elements and profiles. Those met all the time are held without FHIRPath.</summary>
sealed class InvariantRules(ValidationRun run)
{
    /// <summary>
    /// What yields nothing is broken, as HL7's own validator has it; but bdl-8 yields nothing for every entry without a fullUrl, and ras-2 for
    /// every prediction without a probability.
    /// </summary>
    static readonly HashSet<string> MayYieldNothing = ["bdl-8", "ras-2"];

    EvaluationContext? _context;
    Element _contextOf;

    /// <summary>Checks an object by its type and by the element that it is the value of.</summary>
    public void Check(in Place place)
    {
        if (place.Slot is { IsShadow: true })
        {
            return;
        }
        CheckAll(place, place.Type.Constraints);
        if (place.Slot is { } slot && slot.Element.Constraints.Count > 0)
        {
            CheckAll(place, slot.Element.Constraints);
        }
    }

    /// <summary>Checks a primitive by the element that it is the value of.</summary>
    public void CheckPrimitive(in Place around, Element value, ElementSlot slot)
    {
        if (slot.Element.Constraints.Count > 0)
        {
            CheckAll(new(value, slot.Type, slot, around.Type, around.Owner, around.Resource), slot.Element.Constraints);
        }
    }

    /// <summary>Checks a value by what a profile adds.</summary>
    public void CheckProfile(ProfileItem item, IReadOnlyList<ConstraintDefinition> constraints, Element owner)
    {
        foreach (var constraint in constraints)
        {
            if ((!constraint.IsWarning || run.WantsWarnings) && !Holds(constraint, item.Value, item.Type, owner, owner))
            {
                Report(item.Value, constraint, isProfile: true);
            }
        }
    }

    void CheckAll(in Place place, IReadOnlyList<ConstraintDefinition> constraints)
    {
        for (var at = 0; at < constraints.Count; at++)
        {
            var constraint = constraints[at];
            if (constraint.IsWarning && !run.WantsWarnings)
            {
                continue;
            }
            if (!(InvariantShortcut.Holds(constraint, place) ?? Holds(constraint, place.Value, place.Type, place.Resource, place.Owner)))
            {
                Report(place.Value, constraint, isProfile: false);
            }
        }
    }

    bool Holds(ConstraintDefinition constraint, Element value, TypeDefinition type, Element resource, Element owner)
    {
        try
        {
            var answer = constraint.Compiled.Evaluate(FhirPathItem.Of(value, type), Context(resource, owner));
            return answer.IsEmpty ? MayYieldNothing.Contains(constraint.Key) : answer.Count > 1 || answer[0].Boolean != false;
        }
        catch (FhirPathException broken)
        {
            run.Add(value, IssueSeverity.Warning, "processing", $"Rule {constraint.Key} could not be evaluated: {broken.Message}.");
            return true;
        }
    }

    EvaluationContext Context(Element resource, Element owner)
    {
        if (_context is null || _contextOf != resource)
        {
            _contextOf = resource;
            _context = new EvaluationContext
            {
                Resource = Item(resource),
                RootResource = Item(owner),
                Resolve = text => run.Scope.Resolve(text, resource, owner) is { IsMissing: false } target ? Item(target) : null,
                Terminology = new BoundTerminology(run.Definitions),
            };
        }
        return _context;
    }

    FhirPathItem Item(Element resource) =>
        FhirPathItem.Of(resource, run.Definitions.Resource(resource["resourceType"u8].Raw) ?? run.Definitions.Type("Resource")!);

    void Report(Element value, ConstraintDefinition constraint, bool isProfile)
    {
        var message = $"Rule {constraint.Key}: {constraint.Human.TrimEnd('.')}.";
        if (constraint.IsWarning)
        {
            run.Add(value, IssueSeverity.Warning, "invariant", message);
        }
        else if (isProfile)
        {
            run.AddProfile(value, "invariant", message);
        }
        else
        {
            run.Add(value, "invariant", message);
        }
    }
}

/// <summary>Answers memberOf from the value sets known here.</summary>
sealed class BoundTerminology(FhirDefinitions definitions) : ITerminology
{
    public bool? IsMember(FhirPathItem coded, string valueSetUrl)
    {
        var element = coded.Element;
        if (coded.Text is { } code)
        {
            return Known(null, code, valueSetUrl);
        }
        if (!element["code"u8].IsMissing)
        {
            return element["code"u8].Text is { } coding ? Known(element["system"u8].Text ?? "", coding, valueSetUrl) : false;
        }
        bool? answer = false;
        foreach (var item in element["coding"u8].Items)
        {
            var one = item["code"u8].Text is { } listed ? Known(item["system"u8].Text ?? "", listed, valueSetUrl) : false;
            if (one == true)
            {
                return true;
            }
            answer = one is null ? null : answer;
        }
        return answer;
    }

    public bool? Subsumes(string system, string above, string below) =>
        definitions.Terminology.CodeSystem(system) is { IsComplete: true } known && known.Find(above) is not null && known.Find(below) is not null ? known.IsA(below, above) : null;

    bool? Known(string? system, string code, string valueSet) => definitions.Terminology.Contains(valueSet, system, code) switch
    {
        Terminology.Membership.In => true,
        Terminology.Membership.Out => false,
        _ => null,
    };
}
