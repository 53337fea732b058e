using System.Text.Json;
using System.Text.Json.Serialization;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

/// <summary>How one kind of model is made: from which table or records, with which options, for what, and for what not.</summary>
public sealed record Recipe
{
    /// <summary>Its name on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>Its name on a page.</summary>
    public required string Title { get; init; }

    /// <summary>What the model tells, in a sentence.</summary>
    public required string Sentence { get; init; }

    /// <summary>What the model is for.</summary>
    public required string IntendedUse { get; init; }

    /// <summary>For whom, or what, it is not.</summary>
    public required string NotFor { get; init; }

    /// <summary>What is predicted, as a RiskAssessment says it.</summary>
    public required RecipeOutcome Outcome { get; init; }

    /// <summary>Which model, with which options.</summary>
    public required RecipeModel Model { get; init; }

    /// <summary>How it is made from a table; null where it is not.</summary>
    public RecipeTable? Table { get; init; }

    /// <summary>How it is made from FHIR records; null where it is not, or where the encounters' own reader serves.</summary>
    public RecipeRecords? Records { get; init; }

    /// <summary>When other systems ask for its advice.</summary>
    public AdviceHook Hook { get; init; }

    /// <summary>Whether its rows are assessed encounters, read from their vital signs and notes.</summary>
    public bool Encounters { get; init; }

    /// <summary>Whether one of many classes is told, rather than how probable one outcome is.</summary>
    [JsonIgnore]
    public bool HasManyClasses => Outcome.ClassSystem is not null;

    /// <summary>What a card says of the model's use.</summary>
    [JsonIgnore]
    public string Use => $"{IntendedUse} {NotFor}";

    /// <summary>The learner for about so many rows.</summary>
    public TableLearner Learner(int rows, string? kind = null, int? trees = null, int threads = 0) =>
        Learners.Find(kind ?? Model.Kind, rows, trees ?? Model.Trees, threads) ?? throw new ArgumentException($"'{kind}' is no model; give one of: {string.Join(", ", Learners.Names)}");
}

/// <summary>The moment at which advice is asked for (CDS Hooks 2.0).</summary>
public enum AdviceHook
{
    /// <summary>A patient's record is opened.</summary>
    [JsonStringEnumMemberName("patient-view")]
    PatientView,

    /// <summary>A patient is being discharged.</summary>
    [JsonStringEnumMemberName("encounter-discharge")]
    EncounterDischarge,
}

/// <summary>What a model predicts.</summary>
/// <param name="Text">In words.</param>
/// <param name="Codes">Its codes; none where the classes are their own.</param>
/// <param name="ClassSystem">The code system of the classes, where there are many.</param>
public sealed record RecipeOutcome(string Text, IReadOnlyList<OutcomeCode> Codes, string? ClassSystem = null);

/// <summary>A code of a code system.</summary>
public sealed record OutcomeCode(string System, string Code, string Display);

/// <summary>Which model, with which options, and what its mistakes cost.</summary>
public sealed record RecipeModel
{
    /// <summary>The learner's name.</summary>
    public required string Kind { get; init; }

    /// <summary>Trees, or rounds; null for the learner's own number.</summary>
    public int? Trees { get; init; }

    /// <summary>How its probabilities are mended: "platt", "isotonic", or null. A forest's votes shy away from 0 and 1.</summary>
    public string? Calibration { get; init; }

    /// <summary>The same where a caller may have named another learner, which is left as it is.</summary>
    public string? CalibrationOf(string? kind) => kind is null || kind == Kind ? Calibration : null;

    /// <summary>The threshold that the costs ask of probabilities that are true (Elkan 2001); null without costs.</summary>
    [JsonIgnore]
    public double? ThresholdAsked => Costs is { } costs ? costs.FalseAlarm / (costs.FalseAlarm + costs.Missed) : null;

    /// <summary>What a false alarm and a missed case cost; the threshold is chosen by that. Null where there are many classes.</summary>
    public RecipeCosts? Costs { get; init; }

    /// <summary>Why this model and these costs.</summary>
    public required string Why { get; init; }
}

/// <summary>What mistakes cost, one against the other.</summary>
public sealed record RecipeCosts(double FalseAlarm, double Missed);

/// <summary>How a recipe reads a table.</summary>
public sealed record RecipeTable
{
    /// <summary>What kind of table it is.</summary>
    public required string About { get; init; }

    /// <summary>The columns that are learned from, and those that keep rows together or tell figures by.</summary>
    public required IReadOnlyList<RecipeColumns> Columns { get; init; }

    /// <summary>The column that is predicted.</summary>
    public required string Target { get; init; }

    /// <summary>Its value whose probability is wanted; null where there are many classes.</summary>
    public string? Positive { get; init; }

    /// <summary>Columns that are not learned from.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>The column whose rows stay together.</summary>
    public string? Group { get; init; }

    /// <summary>The one column of text, where nothing else is learned from.</summary>
    public string? Text { get; init; }

    /// <summary>Columns by whose values figures are told.</summary>
    public IReadOnlyList<string> Subgroups { get; init; } = [];

    /// <summary>Whether rows alike in every feature count once.</summary>
    public bool Deduplicate { get; init; }

    /// <summary>Values of columns whose rows are left out.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> LeaveOut { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Of many classes, the fewest rows that one needs.</summary>
    public int ClassRowsMin { get; init; } = 5;
}

/// <summary>Columns of a table that are read alike.</summary>
public sealed record RecipeColumns
{
    /// <summary>Their names.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>What they hold.</summary>
    public ColumnKind Kind { get; init; }

    /// <summary>Values that stand for a missing one.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>The least and the greatest value that is taken for one where it is typed in.</summary>
    public RecipeLimits? Limits { get; init; }

    /// <summary>Of categories, the values to choose from with their words.</summary>
    public IReadOnlyDictionary<string, string> Choices { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a table may lack them.</summary>
    public bool Optional { get; init; }

    /// <summary>What they hold, in words.</summary>
    public string? About { get; init; }
}

/// <summary>The least and the greatest value that nature knows, by and large.</summary>
public sealed record RecipeLimits(double Least, double Most);

/// <summary>What one row of a model's table is.</summary>
public enum RecordRow
{
    /// <summary>A patient, as of a day.</summary>
    Patient,

    /// <summary>A stay, as of its last day.</summary>
    Visit,

    /// <summary>A note, by its words.</summary>
    Note,
}

/// <summary>What a feature takes of the records that it may see.</summary>
public enum RecordTake
{
    /// <summary>The newest value.</summary>
    Last,

    /// <summary>The mean value.</summary>
    Mean,

    /// <summary>How many there are.</summary>
    Count,

    /// <summary>1 where there is one, else 0.</summary>
    Any,

    /// <summary>The value, which has no date.</summary>
    Static,

    /// <summary>Whole years since the date of birth in the value.</summary>
    Age,

    /// <summary>The days of the stay.</summary>
    Length,

    /// <summary>The words of the note, from the base64 in the value.</summary>
    Words,
}

/// <summary>How a recipe reads FHIR records: views that give rows, and what is made of them.</summary>
public sealed record RecipeRecords
{
    /// <summary>The views, by name, as ViewDefinitions (SQL on FHIR v2). Each has a column <c>patient</c>; those of dated records a column <c>date</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Views { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>The names of the shared views that it reads.</summary>
    public required IReadOnlyList<string> Uses { get; init; }

    /// <summary>What a row is.</summary>
    public required RecordRow Per { get; init; }

    /// <summary>Where the outcome stands.</summary>
    public required RecordOutcome Outcome { get; init; }

    /// <summary>What is learned from.</summary>
    public required IReadOnlyList<RecordFeature> Features { get; init; }

    /// <summary>Features by whose values figures are told.</summary>
    public IReadOnlyList<string> Subgroups { get; init; } = [];
}

/// <summary>Which rows of a view are the outcome: for patients the first such row; for visits the stays, for notes the notes themselves.</summary>
public sealed record RecordOutcome
{
    /// <summary>The view.</summary>
    public required string From { get; init; }

    /// <summary>Values of its columns, one of which a row must have.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Where { get; init; }

    /// <summary>For patients: days before the outcome from which on nothing is looked at, since what led to the finding is no forecast of it.</summary>
    public int LeadDays { get; init; }

    /// <summary>For visits: days within which another such stay is the outcome.</summary>
    public int WithinDays { get; init; }

    /// <summary>For notes: the column of the category, which is empty where a note has none yet.</summary>
    public string? Value { get; init; }

    /// <summary>For notes: the fewest that a category needs.</summary>
    public int ClassRowsMin { get; init; } = 5;
}

/// <summary>One feature made of rows of a view.</summary>
public sealed record RecordFeature
{
    /// <summary>Its name, with its unit.</summary>
    public required string Name { get; init; }

    /// <summary>The view; null for the length of a stay.</summary>
    public string? From { get; init; }

    /// <summary>Values of its columns, one of which a row must have.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Where { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>What is taken.</summary>
    public required RecordTake Take { get; init; }

    /// <summary>The column of the value.</summary>
    public string? Value { get; init; }

    /// <summary>Units that the view's column <c>unit</c> may have, with what a value is multiplied by; empty asks for none.</summary>
    public IReadOnlyDictionary<string, double> Units { get; init; } = new Dictionary<string, double>();

    /// <summary>What it holds.</summary>
    public ColumnKind Kind { get; init; }

    /// <summary>Of a number that is measured, the least and the greatest value that is taken for one where it is typed in.</summary>
    public RecipeLimits? Limits { get; init; }

    /// <summary>Of a category, the values to choose from with their words.</summary>
    public IReadOnlyDictionary<string, string> Choices { get; init; } = new Dictionary<string, string>();

    /// <summary>How many days back are looked at; 0 for all.</summary>
    public int WithinDays { get; init; }
}
