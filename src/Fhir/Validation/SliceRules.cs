using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Sorts the items of a list into slices by their discriminators and holds each to its slice.</summary>
sealed class SliceRules(ValidationRun run, ProfileWalk profiles)
{
    static readonly Discriminator[] ByUrl = [new("value", "url")];
    static readonly Discriminator[] ByType = [new("type", "$this")];

    /// <summary>Holds items to the slices of a rule.</summary>
    public void Check(Element parent, List<ProfileItem> items, ProfileElement rule, Element owner)
    {
        var discriminators = rule.Slicing is { Discriminators.Count: > 0 } slicing ? slicing.Discriminators
            : rule.Name is "extension" or "modifierExtension" ? ByUrl
            : ByType;
        var members = new List<ProfileItem>[rule.Slices.Count];
        var (last, hasOther) = (-1, false);
        foreach (var item in items)
        {
            var slice = SliceOf(item, rule, discriminators, owner);
            if (slice < 0)
            {
                hasOther = true;
                if (rule.Slicing?.Rules == SlicingRules.Closed)
                {
                    run.AddProfile(item.Value, "structure", $"This is in none of the slices of {rule.Id}: {string.Join(", ", rule.Slices.Select(one => one.Slice))}.");
                }
                continue;
            }
            if (hasOther && rule.Slicing?.Rules == SlicingRules.OpenAtEnd)
            {
                run.AddProfile(item.Value, "structure", $"The slices of {rule.Id} come first; one of none stands before this one.");
            }
            if (slice < last && rule.Slicing is { IsOrdered: true })
            {
                run.AddProfile(item.Value, "structure", $"The slice {rule.Slices[slice].Slice} of {rule.Id} comes before {rule.Slices[last].Slice}.");
            }
            last = slice;
            (members[slice] ??= []).Add(item);
        }
        for (var slice = 0; slice < members.Length; slice++)
        {
            profiles.CheckList(parent, members[slice] ?? [], rule.Slices[slice], owner);
        }
    }

    int SliceOf(ProfileItem item, ProfileElement rule, IReadOnlyList<Discriminator> discriminators, Element owner)
    {
        for (var slice = 0; slice < rule.Slices.Count; slice++)
        {
            if (IsIn(item, rule.Slices[slice], discriminators, owner))
            {
                return slice;
            }
        }
        return -1;
    }

    bool IsIn(ProfileItem item, ProfileElement slice, IReadOnlyList<Discriminator> discriminators, Element owner)
    {
        var told = false;
        foreach (var discriminator in discriminators)
        {
            switch (Matches(item, slice, discriminator, owner))
            {
                case false:
                    return false;
                case true:
                    told = true;
                    break;
            }
        }
        return told;
    }

    /// <summary>Whether an item is what a discriminator tells a slice by; null when the slice says nothing about that.</summary>
    bool? Matches(ProfileItem item, ProfileElement slice, Discriminator discriminator, Element owner)
    {
        var path = SlicePath.Parse(discriminator.Path);
        var found = Follow(item, path, owner);
        var rules = new List<ProfileElement>();
        var targets = Rules(slice, path, rules);
        return discriminator.Kind switch
        {
            "exists" => rules.Count == 0 ? null : rules[0].Max == 0 ? found.Count == 0 : rules[0].Min == 0 || found.Count > 0,
            "type" => TypeMatches(found, rules, targets),
            "profile" => ProfileMatches(found, rules, targets, owner),
            _ => ValueMatches(found, rules, owner),
        };
    }

    List<ProfileItem> Follow(ProfileItem start, List<string> path, Element owner)
    {
        List<ProfileItem> at = [start];
        foreach (var step in path)
        {
            at = [.. at.SelectMany(item => Step(item, step, owner))];
        }
        return at;
    }

    IEnumerable<ProfileItem> Step(ProfileItem item, string step, Element owner)
    {
        if (step == "resolve()")
        {
            return Target(item, owner) is { } target ? [target] : [];
        }
        if (SlicePath.Argument(step, "extension") is { } url)
        {
            return item.Collect("extension", run.Definitions).Where(one => one.Value["url"u8].Text == url);
        }
        if (SlicePath.Argument(step, "ofType") is { } type)
        {
            return item.Type.Name == type ? [item] : [];
        }
        return item.Collect(step, run.Definitions);
    }

    ProfileItem? Target(ProfileItem item, Element owner)
    {
        var text = item.Type.Role == TypeRole.Reference ? item.Value["reference"u8].Text : item.Value.Text;
        if (text is null)
        {
            return null;
        }
        var target = run.Scope.Resolve(text, item.Value, owner);
        if (!target.IsMissing)
        {
            return run.Definitions.Resource(target["resourceType"u8].Raw) is { } type ? new(target, type) : null;
        }
        // What cannot be resolved still tells its type by its name
        return ProfileItem.NamedType(text, run.Definitions) is { } named ? new(default, run.Definitions.Type(named)!) : null;
    }

    /// <summary>The rules that a slice has at a path, through the profiles of its types where those say more; the profiles of a reference's targets behind <c>resolve()</c>.</summary>
    List<string>? Rules(ProfileElement slice, List<string> path, List<ProfileElement> rules)
    {
        List<ProfileElement> at = [slice];
        List<string>? targets = null;
        foreach (var step in path)
        {
            if (step == "resolve()")
            {
                targets = [.. at.SelectMany(rule => rule.Types).SelectMany(type => type.TargetProfiles)];
                at = [.. targets.Select(url => run.Definitions.Profile(url)?.Root).OfType<ProfileElement>()];
                continue;
            }
            targets = null;
            at = SlicePath.Argument(step, "ofType") is not null ? at : [.. at.SelectMany(rule => Inside(rule, step))];
        }
        rules.AddRange(at);
        return targets;
    }

    IEnumerable<ProfileElement> Inside(ProfileElement rule, string step)
    {
        var url = SlicePath.Argument(step, "extension");
        var name = url is null ? step : "extension";
        foreach (var holder in (IEnumerable<ProfileElement>)[rule, .. rule.Types.SelectMany(type => type.Profiles).Select(profile => run.Definitions.Profile(profile)?.Root).OfType<ProfileElement>()])
        {
            foreach (var child in holder.Children)
            {
                if (child.Name != name)
                {
                    continue;
                }
                if (url is null)
                {
                    yield return child;
                }
                foreach (var slice in child.Slices.Where(one => url is null ? one.Min > 0 : one.Types.Any(type => type.Profiles.Contains(url))))
                {
                    yield return slice;
                }
            }
        }
    }

    static bool? TypeMatches(List<ProfileItem> found, List<ProfileElement> rules, List<string>? targets)
    {
        var wanted = targets is not null
            ? [.. targets.Select(url => url[(url.LastIndexOf('/') + 1)..]), .. rules.Select(rule => rule.Id)]
            : rules.SelectMany(rule => rule.Types).Select(type => type.Code).ToList();
        return wanted.Count == 0 ? null : found.Exists(item => wanted.Contains(item.Type.Name));
    }

    bool? ProfileMatches(List<ProfileItem> found, List<ProfileElement> rules, List<string>? targets, Element owner)
    {
        var wanted = targets ?? [.. rules.SelectMany(rule => rule.Types).SelectMany(type => type.Profiles)];
        return wanted.Count == 0 ? null : found.Exists(item => !item.Value.IsMissing && wanted.Exists(url => profiles.Conforms(item, url, owner)));
    }

    bool? ValueMatches(List<ProfileItem> found, List<ProfileElement> rules, Element owner)
    {
        bool? all = null;
        foreach (var rule in rules)
        {
            if (!Tells(rule))
            {
                continue;
            }
            if (!found.Exists(item => Fits(item, rule, owner)))
            {
                return false;
            }
            all = true;
        }
        return all;
    }

    /// <summary>Whether a rule says anything about the value that tells it from others.</summary>
    static bool Tells(ProfileElement rule) =>
        !rule.Fixed.IsMissing || !rule.Pattern.IsMissing || rule.Binding is { IsRequired: true } || rule.Children.Any(Tells) || rule.Slices.Any(slice => slice.Min > 0 && Tells(slice));

    bool Fits(ProfileItem item, ProfileElement rule, Element owner)
    {
        if ((!rule.Fixed.IsMissing && !ValueMatch.Equal(item.Value, rule.Fixed)) || (!rule.Pattern.IsMissing && !ValueMatch.Holds(item.Value, rule.Pattern)))
        {
            return false;
        }
        if (rule.Binding is { IsRequired: true } binding && !run.Passes((run, item, binding), static state => Bindings.Check(state.run, state.item.Value, state.item.Type, state.binding)))
        {
            return false;
        }
        foreach (var child in rule.Children.Where(Tells))
        {
            var inside = item.Collect(child.Name, run.Definitions);
            if (inside.Count == 0 ? child.Min > 0 : !inside.Exists(one => Fits(one, child, owner)))
            {
                return false;
            }
        }
        return rule.Slices.Where(slice => slice.Min > 0 && Tells(slice)).All(slice => Fits(item, slice, owner));
    }
}

/// <summary>The restricted FHIRPath of discriminators.</summary>
static class SlicePath
{
    /// <summary>The steps; none for <c>$this</c>.</summary>
    public static List<string> Parse(string path)
    {
        var steps = new List<string>();
        var (start, depth) = (0, 0);
        for (var at = 0; at <= path.Length; at++)
        {
            if (at == path.Length || (path[at] == '.' && depth == 0))
            {
                var step = path[start..at];
                if (step.Length > 0 && step != "$this")
                {
                    steps.Add(step);
                }
                start = at + 1;
            }
            else
            {
                depth += path[at] == '(' ? 1 : path[at] == ')' ? -1 : 0;
            }
        }
        return steps;
    }

    /// <summary>The argument of a step such as <c>extension('url')</c>, or null when it is not of that function.</summary>
    public static string? Argument(string step, string function) =>
        step.StartsWith(function + "(", StringComparison.Ordinal) && step.EndsWith(')') ? step[(function.Length + 1)..^1].Trim(' ', '\'') : null;
}
