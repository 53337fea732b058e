using System.Globalization;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Holds values to profiles: to what those say beyond the types.</summary>
sealed class ProfileWalk
{
    readonly ValidationRun _run;
    readonly InvariantRules _invariants;
    readonly SliceRules _slices;
    readonly HashSet<(int Place, string Profile)> _underWay = [];

    public ProfileWalk(ValidationRun run, InvariantRules invariants)
    {
        _run = run;
        _invariants = invariants;
        _slices = new SliceRules(run, this);
    }

    /// <summary>Holds a resource to the profiles that its meta names.</summary>
    public void CheckMeta(Element resource, Element owner)
    {
        foreach (var profile in resource["meta"u8]["profile"u8].Items)
        {
            if (profile.Text is { } canonical)
            {
                CheckNamed(resource, canonical, owner);
            }
        }
    }

    /// <summary>Holds a resource to a profile by its canonical URL.</summary>
    public void CheckNamed(Element resource, string canonical, Element owner)
    {
        if (_run.Definitions.Resource(resource["resourceType"u8].Raw) is not { } type)
        {
            return;
        }
        var url = FhirDefinitions.WithoutVersion(canonical);
        if (IsBase(url, out var name))
        {
            if (!IsA(type, name))
            {
                _run.AddProfile(resource, "structure", $"The profile {url} is one of {name}, and this is a {type.Name}.");
            }
        }
        else if (_run.Definitions.Profile(url) is not { } profile)
        {
            _run.Add(resource["meta"u8]["profile"u8] is { IsMissing: false } at ? at : resource, IssueSeverity.Warning, "not-found", $"The profile {canonical} is not known here, so that it was not checked.");
        }
        else if (!IsA(type, profile.Type))
        {
            _run.AddProfile(resource, "structure", $"The profile {url} is one of {profile.Type}, and this is a {type.Name}.");
        }
        else
        {
            Check(resource, type, profile, owner);
        }
    }

    /// <summary>Holds a value to a profile.</summary>
    public void Check(Element value, TypeDefinition type, ProfileDefinition profile, Element owner)
    {
        if (_underWay.Add((value.Index, profile.Url)))
        {
            CheckElement(new(value, type), profile.Root, owner);
            _underWay.Remove((value.Index, profile.Url));
        }
    }

    /// <summary>Whether a value conforms to a profile; what it breaks is not reported.</summary>
    public bool Conforms(ProfileItem item, string url, Element owner)
    {
        if (IsBase(url, out var name))
        {
            return IsA(item.Type, name);
        }
        return _run.Definitions.Profile(url) is not { } profile
            || (IsA(item.Type, profile.Type) && _run.Passes((this, item, profile, owner), static state => state.Item1.Check(state.item.Value, state.item.Type, state.profile, state.owner)));
    }

    /// <summary>The type that a profile's URL stands for, or null when it is not known.</summary>
    public string? TypeOf(string url) => IsBase(url, out var name) ? name : _run.Definitions.Profile(url)?.Type;

    bool IsBase(string url, out string name)
    {
        name = url.StartsWith(FhirDefinitions.BaseUrl, StringComparison.Ordinal) ? url[FhirDefinitions.BaseUrl.Length..] : "";
        return name.Length > 0 && _run.Definitions.Type(name) is not null;
    }

    bool IsA(TypeDefinition type, string name)
    {
        for (var at = type; at is not null; at = at.Parent is { } parent ? _run.Definitions.Type(parent) : null)
        {
            if (at.Name == name)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Holds one value to what is said of its element.</summary>
    public void CheckElement(ProfileItem item, ProfileElement rule, Element owner)
    {
        var value = item.Value;
        if (!rule.Fixed.IsMissing && !ValueMatch.Equal(value, rule.Fixed))
        {
            _run.AddProfile(value, "value", $"{rule.Id} must be exactly {Shown(rule.Fixed)}.");
        }
        if (!rule.Pattern.IsMissing && !ValueMatch.Holds(value, rule.Pattern))
        {
            _run.AddProfile(value, "value", $"{rule.Id} must hold {Shown(rule.Pattern)}.");
        }
        CheckBounds(value, rule);
        if (rule.Binding is { } binding)
        {
            Bindings.Check(_run, value, item.Type, binding);
        }
        _invariants.CheckProfile(item, rule.Constraints, owner);
        foreach (var child in rule.Children)
        {
            CheckList(value, item.Collect(child.Name, _run.Definitions), child, owner);
        }
    }

    void CheckBounds(Element value, ProfileElement rule)
    {
        if (rule.LengthMax > 0 && value.Text is { } text && text.Length > rule.LengthMax)
        {
            _run.AddProfile(value, "value", string.Create(CultureInfo.InvariantCulture, $"{rule.Id} has {text.Length} characters; at most {rule.LengthMax} are allowed."));
        }
        if (Compare(value, rule.MinValue) < 0)
        {
            _run.AddProfile(value, "value", $"{rule.Id} must be at least {rule.MinValue.Text}.");
        }
        if (Compare(value, rule.MaxValue) > 0)
        {
            _run.AddProfile(value, "value", $"{rule.Id} must be at most {rule.MaxValue.Text}.");
        }
    }

    static int? Compare(Element value, Element bound)
    {
        if (TypeRules.Number(bound) is { } number)
        {
            return TypeRules.Number(value)?.CompareTo(number);
        }
        return bound.Kind == ElementKind.Text && FhirTime.TryParse(bound.Raw, out var limit) && FhirTime.TryParse(value.Raw, out var time)
            ? time.High < limit.Low ? -1 : time.Low > limit.High ? 1 : 0
            : null;
    }

    /// <summary>Holds the values of an element to how many, of which types and in which slices they may be.</summary>
    public void CheckList(Element parent, List<ProfileItem> items, ProfileElement rule, Element owner)
    {
        CheckCount(parent, items.Count, rule);
        foreach (var item in items)
        {
            CheckItem(item, rule, owner);
        }
        if (rule.Slices.Count > 0)
        {
            _slices.Check(parent, items, rule, owner);
        }
        else if (rule.Slicing is { Rules: SlicingRules.Closed, Discriminators.Count: > 0 } && items.Count > 0 && rule.Max > 0 && rule.Name == "extension")
        {
            _run.AddProfile(parent, "structure", $"{rule.Id} takes none but the slices named, which are none.");
        }
    }

    /// <summary>Whether there are as many as there may be.</summary>
    public void CheckCount(Element parent, int count, ProfileElement rule)
    {
        if (count < rule.Min)
        {
            _run.AddProfile(parent, "required", string.Create(CultureInfo.InvariantCulture, $"{rule.Id} must appear at least {rule.Min} times; there are {count}."));
        }
        else if (count > rule.Max)
        {
            _run.AddProfile(parent, "structure", string.Create(CultureInfo.InvariantCulture, $"{rule.Id} may appear at most {rule.Max} times; there are {count}."));
        }
    }

    /// <summary>Holds one item to its element's or slice's rule, types and their profiles included.</summary>
    public void CheckItem(ProfileItem item, ProfileElement rule, Element owner)
    {
        if (rule.NarrowsTypes && rule.Types.Count > 0 && !HasType(rule.Types, item.Type))
        {
            _run.AddProfile(item.Value, "structure", $"{rule.Id} may be {string.Join(" or ", rule.Types.Select(type => type.Code).Distinct())}, and this is a {item.Type.Name}.");
            return;
        }
        foreach (var type in rule.Types)
        {
            if (type.Profiles.Count > 0 && IsA(item.Type, type.Code))
            {
                CheckAny(item, type.Profiles, owner);
            }
        }
        if (item.Type.Role == TypeRole.Reference)
        {
            CheckTarget(item, rule, owner);
        }
        CheckElement(item, rule, owner);
    }

    bool HasType(IReadOnlyList<ProfileType> types, TypeDefinition type)
    {
        foreach (var one in types)
        {
            if (IsA(type, one.Code))
            {
                return true;
            }
        }
        return type.Kind == TypeKind.Backbone;
    }

    void CheckAny(ProfileItem item, IReadOnlyList<string> profiles, Element owner)
    {
        if (item.Type.Role == TypeRole.Extension && item.Value["url"u8].Text is { } url && profiles.Contains(url))
        {
            // An extension is held to its definition wherever it stands
            return;
        }
        if (profiles.Count > 1)
        {
            if (!profiles.Any(profile => Conforms(item, profile, owner)))
            {
                _run.AddProfile(item.Value, "structure", $"This conforms to none of the profiles {string.Join(", ", profiles)}.");
            }
        }
        else if (_run.Definitions.Profile(profiles[0]) is { } profile)
        {
            if (IsA(item.Type, profile.Type))
            {
                Check(item.Value, item.Type, profile, owner);
            }
            else
            {
                _run.AddProfile(item.Value, "structure", $"The profile {profile.Url} is one of {profile.Type}, and this is a {item.Type.Name}.");
            }
        }
        else if (IsBase(profiles[0], out var name) && !IsA(item.Type, name))
        {
            _run.AddProfile(item.Value, "structure", $"This must be a {name}; it is a {item.Type.Name}.");
        }
    }

    void CheckTarget(ProfileItem item, ProfileElement rule, Element owner)
    {
        var targets = rule.Types.Where(type => type.Code == "Reference").SelectMany(type => type.TargetProfiles).ToList();
        if (targets.Count == 0 || item.Value["reference"u8].Text is not { } text)
        {
            return;
        }
        var target = _run.Scope.Resolve(text, item.Value, owner);
        if (!target.IsMissing && _run.Definitions.Resource(target["resourceType"u8].Raw) is { } type)
        {
            var resource = new ProfileItem(target, type);
            if (!targets.Exists(profile => Conforms(resource, profile, text.StartsWith('#') ? owner : target)))
            {
                _run.AddProfile(item.Value, "invalid", $"What {text} leads to conforms to none of the profiles {string.Join(", ", targets)}.");
            }
        }
        else if (ProfileItem.NamedType(text, _run.Definitions) is { } named && _run.Definitions.Type(named) is { } namedType
            && !targets.Exists(profile => TypeOf(profile) is not { } needed || IsA(namedType, needed)))
        {
            _run.AddProfile(item.Value, "invalid", $"This reference is to a {named}; it may be to {string.Join(", ", targets)}.");
        }
    }

    static string Shown(Element value) => value.Text is { } text ? $"'{text}'" : value.ToString() is { Length: <= 200 } json ? json : value.ToString()[..200] + "…";
}
