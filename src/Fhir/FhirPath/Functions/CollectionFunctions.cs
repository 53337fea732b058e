namespace Salus.Fhir.FhirPath;

/// <summary>Filtering and projection, subsetting, combining, order and navigation (FHIRPath sections 5.2 to 5.4 and 5.8).</summary>
static class CollectionFunctions
{
    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("where", 1, 1, Where);
        add("select", 1, 1, Select);
        add("repeat", 1, 1, Repeat);
        add("repeatAll", 1, 1, RepeatAll);
        add("ofType", 1, 1, (call, frame, input) => Compiler.KeepType(frame, input, call.Type));
        add("as", 1, 1, (call, frame, input) => Compiler.As(frame, input, call.Type, call.Position));
        add("is", 1, 1, (call, _, input) => Compiler.TestType(input, call.Type, call.Position));
        add("single", 0, 0, (call, _, input) => call.Single(input) is null ? default : input);
        add("first", 0, 0, (_, frame, input) => Range(frame, input, 0, 1));
        add("last", 0, 0, (_, frame, input) => Range(frame, input, input.Count - 1, input.Count));
        add("tail", 0, 0, (_, frame, input) => Range(frame, input, 1, input.Count));
        add("skip", 1, 1, (call, frame, input) => call.Integer(frame, 0) is { } count ? Range(frame, input, count, input.Count) : default);
        add("take", 1, 1, (call, frame, input) => call.Integer(frame, 0) is { } count ? Range(frame, input, 0, count) : default);
        add("intersect", 1, 1, Intersect);
        add("exclude", 1, 1, Exclude);
        add("union", 1, 1, (call, frame, input) => ItemSet.Union(frame.Run, input, call.Argument(frame, 0)));
        add("combine", 1, 2, Combine);
        add("sort", 0, 16, Sort);
        add("children", 0, 0, (_, frame, input) => Children(frame, input));
        add("descendants", 0, 0, Descendants);
    }

    static FhirPathCollection Where(Call call, Frame frame, FhirPathCollection input)
    {
        var inner = frame.Inner();
        var into = new FhirPathCollection.Builder(frame.Run);
        for (var index = 0; index < input.Count; index++)
        {
            if (call.Test(inner, input[index], index) == true)
            {
                into.Add(input[index]);
            }
        }
        return into.Build();
    }

    static FhirPathCollection Select(Call call, Frame frame, FhirPathCollection input)
    {
        var inner = frame.Inner();
        var into = new FhirPathCollection.Builder(frame.Run);
        for (var index = 0; index < input.Count; index++)
        {
            into.AddRange(call.Each(inner, input[index], index));
        }
        return into.Build();
    }

    static FhirPathCollection Repeat(Call call, Frame frame, FhirPathCollection input)
    {
        var seen = new ItemSet(frame.Run);
        return Repeat(call, frame, input, seen.Add);
    }

    static FhirPathCollection RepeatAll(Call call, Frame frame, FhirPathCollection input) => Repeat(call, frame, input, _ => true);

    static FhirPathCollection Repeat(Call call, Frame frame, FhirPathCollection input, Func<FhirPathItem, bool> isNew)
    {
        var inner = frame.Inner();
        var into = new FhirPathCollection.Builder(frame.Run);
        var waiting = new Queue<FhirPathItem>(input);
        while (waiting.TryDequeue(out var item))
        {
            foreach (var result in call.Each(inner, item, 0))
            {
                if (isNew(result))
                {
                    into.Add(result);
                    waiting.Enqueue(result);
                }
            }
        }
        return into.Build();
    }

    static FhirPathCollection Range(Frame frame, FhirPathCollection input, int start, int end)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        for (var index = Math.Max(0, start); index < Math.Min(end, input.Count); index++)
        {
            into.Add(input[index]);
        }
        return into.Build();
    }

    static FhirPathCollection Intersect(Call call, Frame frame, FhirPathCollection input)
    {
        var other = ItemSet.Of(frame.Run, call.Argument(frame, 0));
        var kept = new ItemSet(frame.Run);
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            if (other.Contains(item) && kept.Add(item))
            {
                into.Add(item);
            }
        }
        return into.Build();
    }

    static FhirPathCollection Exclude(Call call, Frame frame, FhirPathCollection input)
    {
        var other = ItemSet.Of(frame.Run, call.Argument(frame, 0));
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            if (!other.Contains(item))
            {
                into.Add(item);
            }
        }
        return into.Build();
    }

    static FhirPathCollection Combine(Call call, Frame frame, FhirPathCollection input)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        into.AddRange(input);
        into.AddRange(call.Argument(frame, 0));
        return into.Build();
    }

    /// <summary>By the items themselves or by keys; an empty key comes last, or first where the order is from high to low.</summary>
    static FhirPathCollection Sort(Call call, Frame frame, FhirPathCollection input)
    {
        var inner = frame.Inner();
        var keyed = new List<(FhirPathItem Item, FhirPathItem?[] Keys)>(input.Count);
        for (var index = 0; index < input.Count; index++)
        {
            var item = input[index];
            keyed.Add((item, call.Count == 0 ? [item] : [.. Enumerable.Range(0, call.Count).Select(key => call.Single(call.Each(inner, item, index, key)))]));
        }
        var sorted = keyed.Order(Comparer<(FhirPathItem Item, FhirPathItem?[] Keys)>.Create((a, b) => Compare(call, frame, a.Keys, b.Keys)));
        return FhirPathCollection.Of(sorted.Select(pair => pair.Item));
    }

    static int Compare(Call call, Frame frame, FhirPathItem?[] left, FhirPathItem?[] right)
    {
        frame.Run.Spend();
        for (var index = 0; index < left.Length; index++)
        {
            var order = (left[index], right[index]) switch
            {
                (null, null) => 0,
                (null, _) => 1,
                (_, null) => -1,
                ({ } a, { } b) => Comparison.Compare(a, b, "sort()", call.Position) ?? 0,
            };
            if (order != 0)
            {
                return index < call.Descending.Length && call.Descending[index] ? -order : order;
            }
        }
        return 0;
    }

    static FhirPathCollection Children(Frame frame, FhirPathCollection input)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            AppendChildren(frame, item, ref into);
        }
        return into.Build();
    }

    static FhirPathCollection Descendants(Call call, Frame frame, FhirPathCollection input)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            AppendChildren(frame, item, ref into);
        }
        // Each generation after the one before it
        for (var index = 0; index < into.Count; index++)
        {
            AppendChildren(frame, into[index], ref into);
        }
        return into.Build();
    }

    static void AppendChildren(Frame frame, FhirPathItem item, ref FhirPathCollection.Builder into)
    {
        frame.Run.Spend();
        if (item is ElementItem element)
        {
            TypeModel.AppendChildren(element, ref into);
        }
    }
}
