using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>One validation of one text: what is looked at, and what was found.</summary>
sealed class ValidationRun(FhirDefinitions definitions, ValidationOptions options, Element root, int issuesMax)
{
    List<FhirIssue>? _issues;
    HashSet<(int Place, string Message)>? _said;
    BundleScope? _scope;
    int _trials;
    int _trialErrors;

    public FhirDefinitions Definitions => definitions;

    public ValidationOptions Options => options;

    public Element Root => root;

    public IReadOnlyList<FhirIssue> Issues => _issues ?? (IReadOnlyList<FhirIssue>)[];

    /// <summary>Whether warnings are wanted, now.</summary>
    public bool WantsWarnings => _trials == 0 && options.Least >= IssueSeverity.Warning;

    /// <summary>The entries of the Bundle that the text is, or those of none.</summary>
    public BundleScope Scope => _scope ??= new BundleScope(root);

    /// <summary>A broken rule of R4 itself.</summary>
    public void Add(Element at, string code, string message) => Add(at, IssueSeverity.Error, code, message);

    /// <summary>A broken rule of a profile or an extension's definition.</summary>
    public void AddProfile(Element at, string code, string message)
    {
        if (_trials > 0)
        {
            _trialErrors++;
            return;
        }
        Add(at, options.ProfileFailure, code, message);
    }

    /// <summary>A finding.</summary>
    public void Add(Element at, IssueSeverity severity, string code, string message)
    {
        if (_trials > 0)
        {
            _trialErrors += severity <= IssueSeverity.Error ? 1 : 0;
            return;
        }
        if (severity > options.Least || !(_said ??= []).Add((at.Index, message)) || !MakesRoom(severity))
        {
            return;
        }
        var (line, column) = at.Place;
        (_issues ??= []).Add(new(severity, code, at.ExpressionFrom(root), message, line, column));
    }

    /// <summary>Whether there is room for one more: an error takes that of a warning.</summary>
    bool MakesRoom(IssueSeverity severity)
    {
        if (_issues is null || _issues.Count < issuesMax)
        {
            return true;
        }
        var lighter = severity <= IssueSeverity.Error ? _issues.FindLastIndex(issue => issue.Severity > IssueSeverity.Error) : -1;
        if (lighter >= 0)
        {
            _issues.RemoveAt(lighter);
        }
        return lighter >= 0;
    }

    /// <summary>Whether checking finds no error; what it finds is not reported.</summary>
    public bool Passes<T>(T state, Action<T> check)
    {
        var before = _trialErrors;
        _trials++;
        check(state);
        _trials--;
        var passes = _trialErrors == before;
        _trialErrors = before;
        return passes;
    }

    /// <summary>A value as a message shows it.</summary>
    public static string Short(Element value) => value.Text is { Length: > 60 } text ? text[..60] + "…" : value.Text ?? "null";
}
