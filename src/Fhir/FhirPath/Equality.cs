using System.Text;
using Salus.Fhir.Elements;

namespace Salus.Fhir.FhirPath;

/// <summary>Equality and equivalence (FHIRPath section 6.1).</summary>
static class Equality
{
    /// <summary><c>=</c>; null when either is empty or too imprecise to tell.</summary>
    public static bool? AreEqual(Evaluation run, FhirPathCollection left, FhirPathCollection right)
    {
        if (left.IsEmpty || right.IsEmpty)
        {
            return null;
        }
        if (left.Count != right.Count)
        {
            return false;
        }
        bool? result = true;
        for (var index = 0; index < left.Count; index++)
        {
            switch (AreEqual(run, left[index], right[index]))
            {
                case false:
                    return false;
                case null:
                    result = null;
                    break;
            }
        }
        return result;
    }

    /// <summary><c>~</c>, in any order.</summary>
    public static bool AreEquivalent(Evaluation run, FhirPathCollection left, FhirPathCollection right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        var used = new bool[right.Count];
        foreach (var item in left)
        {
            var found = false;
            for (var index = 0; index < used.Length && !found; index++)
            {
                if (!used[index] && AreEquivalent(run, item, right[index]))
                {
                    found = used[index] = true;
                }
            }
            if (!found)
            {
                return false;
            }
        }
        return true;
    }

    public static bool Contains(Evaluation run, FhirPathCollection items, FhirPathItem sought)
    {
        foreach (var item in items)
        {
            if (AreEqual(run, item, sought) == true)
            {
                return true;
            }
        }
        return false;
    }

    public static bool? AreEqual(Evaluation run, FhirPathItem left, FhirPathItem right)
    {
        run.Spend();
        return (left.System, right.System) switch
        {
            ({ } a, { } b) => AreEqual(a, b),
            (null, null) => AreSame(run, left, right, false),
            _ => false,
        };
    }

    static bool? AreEqual(FhirPathItem left, FhirPathItem right) => (left, right) switch
    {
        (BooleanItem a, BooleanItem b) => a.Value == b.Value,
        (StringItem a, StringItem b) => a.Value == b.Value,
        (IntegerItem a, IntegerItem b) => a.Value == b.Value,
        (IntegerItem or DecimalItem, IntegerItem or DecimalItem) => left.Number == right.Number,
        (TemporalItem a, TemporalItem b) => Temporal.AreComparable(a.Value, b.Value) ? Temporal.Compare(a.Value, b.Value) is { } order ? order == 0 : null : false,
        (QuantityItem, QuantityItem or IntegerItem or DecimalItem) or (IntegerItem or DecimalItem, QuantityItem) =>
            Quantities.Compare(Conversion.Quantity(left), Conversion.Quantity(right)) is { } order ? order == 0 : null,
        (TypeInfoItem a, TypeInfoItem b) => a.Namespace == b.Namespace && a.Name == b.Name,
        _ => false,
    };

    public static bool AreEquivalent(Evaluation run, FhirPathItem left, FhirPathItem right)
    {
        run.Spend();
        return (left.System, right.System) switch
        {
            (StringItem a, StringItem b) => Folded(a.Value) == Folded(b.Value),
            (IntegerItem or DecimalItem, IntegerItem or DecimalItem) => Numbers.AreEquivalent(left.Number!.Value, right.Number!.Value),
            (QuantityItem a, QuantityItem b) => Quantities.AreEquivalent(a, b),
            (QuantityItem a, IntegerItem or DecimalItem) => Quantities.AreEquivalent(a, Conversion.Quantity(right.System!)),
            (IntegerItem or DecimalItem, QuantityItem b) => Quantities.AreEquivalent(Conversion.Quantity(left.System!), b),
            ({ } a, { } b) => AreEqual(a, b) == true,
            (null, null) => AreAlike(run, left, right),
            _ => false,
        };
    }

    /// <summary>Structures: Codings by system and code, CodeableConcepts by a Coding that both have (R4 section 2.9.1.6).</summary>
    static bool AreAlike(Evaluation run, FhirPathItem left, FhirPathItem right) => (left.TypeName, right.TypeName) switch
    {
        ("Coding", "Coding") => AreCodedAlike(left.Element, right.Element),
        ("CodeableConcept", "CodeableConcept") when left.Element["coding"u8].Items.Count > 0 && right.Element["coding"u8].Items.Count > 0 => ShareCoding(run, left.Element, right.Element),
        _ => AreSame(run, left, right, true),
    };

    static bool AreCodedAlike(Element left, Element right) => left["system"u8].Text == right["system"u8].Text && left["code"u8].Text == right["code"u8].Text;

    static bool ShareCoding(Evaluation run, Element left, Element right)
    {
        foreach (var one in left["coding"u8].Items)
        {
            foreach (var other in right["coding"u8].Items)
            {
                run.Spend();
                if (AreCodedAlike(one, other))
                {
                    return true;
                }
            }
        }
        return false;
    }

    /// <summary>Without case, and with one blank for any white space.</summary>
    static string Folded(string text)
    {
        if (Ascii.IsValid(text) && !text.AsSpan().ContainsAny(" \t\r\n"))
        {
            return text.ToUpperInvariant();
        }
        return string.Join(' ', text.ToUpperInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    static bool AreSame(Evaluation run, FhirPathItem left, FhirPathItem right, bool loosely) =>
        AreSame(run, left.Element, right.Element, loosely) && AreSame(run, left.Shadow, right.Shadow, loosely);

    /// <summary>Whether two structures hold the same, whatever the order of their members.</summary>
    static bool AreSame(Evaluation run, Element left, Element right, bool loosely)
    {
        run.Spend();
        if (left == right)
        {
            return true;
        }
        if (left.Kind != right.Kind)
        {
            return false;
        }
        return left.Kind switch
        {
            ElementKind.Complex => HaveSameMembers(run, left, right, loosely),
            ElementKind.Array => loosely ? HaveSameItemsInAnyOrder(run, left, right) : HaveSameItems(run, left, right),
            ElementKind.Number => left.Number is { } a && right.Number is { } b ? a == b || (loosely && Numbers.AreEquivalent(a, b)) : left.Raw.SequenceEqual(right.Raw),
            ElementKind.Text => loosely ? Folded(left.Text!) == Folded(right.Text!) : left.Text == right.Text,
            _ => true,
        };
    }

    static bool HaveSameMembers(Evaluation run, Element left, Element right, bool loosely)
    {
        var count = 0;
        foreach (var member in left.Children)
        {
            if (loosely && member.NameUtf8.SequenceEqual("id"u8))
            {
                continue;
            }
            count++;
            if (!AreSame(run, member, right[member.NameUtf8], loosely))
            {
                return false;
            }
        }
        return count == right.Children.Count - (loosely && !right["id"u8].IsMissing ? 1 : 0);
    }

    static bool HaveSameItemsInAnyOrder(Evaluation run, Element left, Element right)
    {
        var others = new List<Element>();
        foreach (var other in right.Children)
        {
            others.Add(other);
        }
        foreach (var item in left.Children)
        {
            var at = others.FindIndex(other => AreSame(run, item, other, true));
            if (at < 0)
            {
                return false;
            }
            others.RemoveAt(at);
        }
        return others.Count == 0;
    }

    static bool HaveSameItems(Evaluation run, Element left, Element right)
    {
        if (left.Children.Count != right.Children.Count)
        {
            return false;
        }
        var other = right.Children.GetEnumerator();
        foreach (var item in left.Children)
        {
            if (!other.MoveNext() || !AreSame(run, item, other.Current, false))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>A number that is the same for all items that are equal.</summary>
    public static int HashOf(Evaluation run, FhirPathItem item) => item.System switch
    {
        BooleanItem known => known.Value ? 1 : 2,
        StringItem text => text.Value.GetHashCode(StringComparison.Ordinal),
        // Numbers and quantities can be equal to one another in many ways; the numbers are the common case.
        IntegerItem number => new decimal(number.Value).GetHashCode(),
        DecimalItem number => number.Value.GetHashCode(),
        QuantityItem { Unit: "1" } number => number.Value.GetHashCode(),
        TemporalItem time => time.Value.Kind == TemporalKind.Time ? 4 : 5,
        QuantityItem => 3,
        null => HashOf(run, item.Element),
        _ => 6,
    };

    static int HashOf(Evaluation run, Element element)
    {
        run.Spend();
        var hash = (int)element.Kind;
        switch (element.Kind)
        {
            case ElementKind.Text:
                return element.Text!.GetHashCode(StringComparison.Ordinal);
            case ElementKind.Complex or ElementKind.Array:
                foreach (var child in element.Children)
                {
                    hash = unchecked(hash + (child.NameUtf8.Length * 31 ^ HashOf(run, child)));
                }
                return hash;
            default:
                return hash;
        }
    }
}

/// <summary>Items of which no two are equal.</summary>
sealed class ItemSet(Evaluation run) : IEqualityComparer<FhirPathItem>
{
    const int ListedMax = 8;
    readonly List<FhirPathItem> _first = [];
    HashSet<FhirPathItem>? _all;

    /// <summary>Adds an item, unless an equal one is there.</summary>
    public bool Add(FhirPathItem item)
    {
        run.Spend();
        run.SpendOn(new(item));
        if (_all is not null)
        {
            return _all.Add(item);
        }
        if (Contains(item))
        {
            return false;
        }
        _first.Add(item);
        if (_first.Count > ListedMax)
        {
            _all = new(_first, this);
        }
        return true;
    }

    public bool Contains(FhirPathItem item)
    {
        if (_all is not null)
        {
            return _all.Contains(item);
        }
        foreach (var known in _first)
        {
            if (Equality.AreEqual(run, known, item) == true)
            {
                return true;
            }
        }
        return false;
    }

    public static ItemSet Of(Evaluation run, FhirPathCollection items)
    {
        var set = new ItemSet(run);
        foreach (var item in items)
        {
            set.Add(item);
        }
        return set;
    }

    public static FhirPathCollection Union(Evaluation run, FhirPathCollection left, FhirPathCollection right)
    {
        var set = new ItemSet(run);
        var into = new FhirPathCollection.Builder(run);
        foreach (var item in left)
        {
            if (set.Add(item))
            {
                into.Add(item);
            }
        }
        foreach (var item in right)
        {
            if (set.Add(item))
            {
                into.Add(item);
            }
        }
        return into.Build();
    }

    bool IEqualityComparer<FhirPathItem>.Equals(FhirPathItem? x, FhirPathItem? y) => Equality.AreEqual(run, x!, y!) == true;

    int IEqualityComparer<FhirPathItem>.GetHashCode(FhirPathItem obj) => Equality.HashOf(run, obj);
}
