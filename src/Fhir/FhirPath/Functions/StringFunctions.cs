using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Salus.Fhir.FhirPath;

/// <summary>Strings (FHIRPath section 5.6).</summary>
static class StringFunctions
{
    const int PatternCharactersMax = 4_096;
    const int StepsPerMillisecond = 500;
    static readonly TimeSpan MatchMax = TimeSpan.FromSeconds(1);

    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("indexOf", 1, 1, Of((text, sought) => new IntegerItem(text.IndexOf(sought, StringComparison.Ordinal))));
        add("lastIndexOf", 1, 1, Of((text, sought) => new IntegerItem(sought.Length == 0 ? 0 : text.LastIndexOf(sought, StringComparison.Ordinal))));
        add("startsWith", 1, 1, Of((text, sought) => BooleanItem.For(text.StartsWith(sought, StringComparison.Ordinal))));
        add("endsWith", 1, 1, Of((text, sought) => BooleanItem.For(text.EndsWith(sought, StringComparison.Ordinal))));
        add("contains", 1, 1, Of((text, sought) => BooleanItem.For(text.Contains(sought, StringComparison.Ordinal))));
        add("substring", 1, 2, Substring);
        add("upper", 0, 0, (call, frame, input) => Made(call, frame, input, text => text.ToUpperInvariant()));
        add("lower", 0, 0, (call, frame, input) => Made(call, frame, input, text => text.ToLowerInvariant()));
        add("trim", 0, 0, (call, frame, input) => Made(call, frame, input, text => text.Trim(' ', '\t', '\r', '\n')));
        add("replace", 2, 2, Replace);
        add("matches", 1, 2, (call, frame, input) => Match(call, frame, input, false));
        add("matchesFull", 1, 2, (call, frame, input) => Match(call, frame, input, true));
        add("replaceMatches", 2, 3, ReplaceMatches);
        add("length", 0, 0, (call, _, input) => call.Text(input) is { } text ? new(new IntegerItem(text.Length)) : default);
        add("toChars", 0, 0, ToCharacters);
        add("split", 1, 1, Split);
        add("join", 0, 1, Join);
    }

    static Function Of(Func<string, string, FhirPathItem> apply) => (call, frame, input) =>
        call.Text(input) is { } text && call.Text(frame, 0) is { } argument ? new(apply(text, argument)) : default;

    static FhirPathCollection Made(Call call, Frame frame, FhirPathCollection input, Func<string, string> apply)
    {
        if (call.Text(input) is not { } text)
        {
            return default;
        }
        return new(frame.Run.Text(apply(text)));
    }

    static FhirPathCollection Substring(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Text(input) is not { } text || call.Integer(frame, 0) is not { } start || start < 0 || start >= text.Length)
        {
            return default;
        }
        var length = text.Length - start;
        if (call.Count > 1 && call.Integer(frame, 1) is { } wanted)
        {
            length = Math.Clamp(wanted, 0, length);
        }
        return new(frame.Run.Text(text.Substring(start, length)));
    }

    static FhirPathCollection Replace(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Text(input) is not { } text || call.Text(frame, 0) is not { } sought || call.Text(frame, 1) is not { } substitute)
        {
            return default;
        }
        var places = sought.Length == 0 ? text.Length + 1 : text.Length / sought.Length;
        frame.Run.CheckLength(Math.Max(text.Length, Math.Min((long)places * substitute.Length, (long)frame.Run.Context.CharactersMax * 4) / 4));
        if (sought.Length > 0)
        {
            return new(frame.Run.Text(text.Replace(sought, substitute, StringComparison.Ordinal)));
        }
        return new(frame.Run.Text(substitute + string.Concat(text.Select(letter => letter + substitute))));
    }

    static FhirPathCollection ToCharacters(Call call, Frame frame, FhirPathCollection input)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var letter in call.Text(input) ?? "")
        {
            into.Add(new StringItem(letter.ToString()));
        }
        return into.Build();
    }

    static FhirPathCollection Split(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Text(input) is not { } text || call.Text(frame, 0) is not { } separator)
        {
            return default;
        }
        if (separator.Length == 0)
        {
            return ToCharacters(call, frame, input);
        }
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var part in text.Split(separator))
        {
            into.Add(new StringItem(part));
        }
        return into.Build();
    }

    static FhirPathCollection Join(Call call, Frame frame, FhirPathCollection input)
    {
        if (input.IsEmpty)
        {
            return default;
        }
        var separator = call.Count == 0 ? "" : call.Text(frame, 0) ?? "";
        var parts = new List<string>(input.Count);
        var length = 0L;
        foreach (var item in input)
        {
            parts.Add(item.Text ?? throw call.Fail($"is for strings; here is {item.TypeName}"));
            length += parts[^1].Length + separator.Length;
            frame.Run.CheckLength(length);
        }
        return new(frame.Run.Text(string.Join(separator, parts)));
    }

    static FhirPathCollection Match(Call call, Frame frame, FhirPathCollection input, bool isWhole)
    {
        if (call.Text(input) is not { } text || call.Text(frame, 0) is not { } pattern)
        {
            return default;
        }
        var flags = call.Count > 1 ? call.Text(frame, 1) ?? "" : "";
        return Guarded(call, frame, () => Compiler.Result(Pattern(call, isWhole ? $@"\A(?:{pattern})\z" : pattern, flags).IsMatch(text)));
    }

    static FhirPathCollection ReplaceMatches(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Text(input) is not { } text || call.Text(frame, 0) is not { } pattern || call.Text(frame, 1) is not { } substitute)
        {
            return default;
        }
        var flags = call.Count > 2 ? call.Text(frame, 2) ?? "" : "";
        if (pattern.Length == 0)
        {
            return new(new StringItem(text));
        }
        // Bounds what is made before it is made: no place is replaced by more than this, and there are no more places than letters.
        frame.Run.CheckLength(Math.Max(text.Length, substitute.Length) + ((long)substitute.Length * text.Length / 16));
        return Guarded(call, frame, () => new(frame.Run.Text(Pattern(call, pattern, flags).Replace(text, substitute))));
    }

    /// <summary>A match that takes long is paid for by its time, so that many of them come to an end too.</summary>
    static FhirPathCollection Guarded(Call call, Frame frame, Func<FhirPathCollection> match)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            return match();
        }
        catch (RegexMatchTimeoutException)
        {
            throw new FhirPathException(FhirPathFault.TooCostly, "The regular expression takes too long on this text", frame.Run.Position);
        }
        catch (ArgumentException wrong)
        {
            throw call.Fail($"takes a regular expression; this is none: {wrong.Message}");
        }
        finally
        {
            frame.Run.Spend((int)Stopwatch.GetElapsedTime(started).TotalMilliseconds * StepsPerMillisecond);
        }
    }

    /// <summary>The compiled pattern; one that stands in the expression is compiled once.</summary>
    static Regex Pattern(Call call, string pattern, string flags)
    {
        if (call.Prepared is Regex prepared && call.Literal is not null && flags.Length == 0)
        {
            return prepared;
        }
        if (pattern.Length > PatternCharactersMax)
        {
            throw call.Fail($"takes regular expressions of up to {PatternCharactersMax} characters");
        }
        var options = RegexOptions.CultureInvariant | (flags.Contains('m', StringComparison.Ordinal) ? RegexOptions.Multiline : RegexOptions.Singleline)
            | (flags.Contains('i', StringComparison.Ordinal) ? RegexOptions.IgnoreCase : RegexOptions.None);
        var regex = Build(pattern, options);
        if (call.Literal is not null && flags.Length == 0)
        {
            call.Prepared = regex;
        }
        return regex;
    }

    /// <summary>Linear in time wherever the pattern allows it; what looks around or back is stopped by the clock instead.</summary>
    static Regex Build(string pattern, RegexOptions options)
    {
        try
        {
            return new Regex(pattern, options | RegexOptions.NonBacktracking, MatchMax);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, options, MatchMax);
        }
    }
}
