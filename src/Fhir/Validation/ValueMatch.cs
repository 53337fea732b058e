using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Comparison of values with those that a profile fixes.</summary>
static class ValueMatch
{
    /// <summary>Whether two values are the same: same members in any order, same items in their order, numbers as written.</summary>
    public static bool Equal(Element left, Element right)
    {
        if (left.Kind != right.Kind)
        {
            return false;
        }
        switch (left.Kind)
        {
            case ElementKind.Complex:
                return left.Children.Count == right.Children.Count && HasMembers(left, right, Equal);
            case ElementKind.Array:
                return SameItems(left, right);
            default:
                return SameText(left, right);
        }
    }

    /// <summary>Whether a value holds a pattern: each member of it, and for each of its items one that holds that.</summary>
    public static bool Holds(Element value, Element pattern)
    {
        if (value.Kind != pattern.Kind)
        {
            return false;
        }
        switch (pattern.Kind)
        {
            case ElementKind.Complex:
                return HasMembers(value, pattern, Holds);
            case ElementKind.Array:
                foreach (var wanted in pattern.Children)
                {
                    if (!AnyHolds(value, wanted))
                    {
                        return false;
                    }
                }
                return true;
            default:
                return SameText(value, pattern);
        }
    }

    static bool AnyHolds(Element list, Element wanted)
    {
        foreach (var item in list.Children)
        {
            if (Holds(item, wanted))
            {
                return true;
            }
        }
        return false;
    }

    static bool HasMembers(Element value, Element wanted, Func<Element, Element, bool> same)
    {
        foreach (var member in wanted.Children)
        {
            var found = value[member.NameUtf8];
            if (found.IsMissing || !same(found, member))
            {
                return false;
            }
        }
        return true;
    }

    static bool SameItems(Element left, Element right)
    {
        var others = right.Children.GetEnumerator();
        foreach (var item in left.Children)
        {
            if (!others.MoveNext() || !Equal(item, others.Current))
            {
                return false;
            }
        }
        return !others.MoveNext();
    }

    static bool SameText(Element left, Element right) =>
        left.IsEscaped || right.IsEscaped ? left.Text == right.Text : left.Raw.SequenceEqual(right.Raw);
}
