using System.ComponentModel.DataAnnotations;
using Salus.Learning.Privacy;
using Salus.Learning.Tables;
using Salus.Platform.Anchoring;

namespace Salus.Platform.Cohorts;

/// <summary>The limits of data sets, bound to the section <see cref="Section"/>.</summary>
public sealed record CohortsOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Salus:Cohorts";

    /// <summary>The largest file taken, in MiB.</summary>
    [Range(1, 1024)]
    public int FileMiBMax { get; init; } = 256;

    /// <summary>The most rows of a data set.</summary>
    [Range(1, 5_000_000)]
    public int RowsMax { get; init; } = 1_000_000;

    /// <summary>The most columns of a data set.</summary>
    [Range(1, 4096)]
    public int ColumnsMax { get; init; } = 1024;

    /// <summary>The most data sets of one account.</summary>
    [Range(1, 10_000)]
    public int DataSetsPerAccountMax { get; init; } = 100;

    /// <summary>The most versions of one data set.</summary>
    [Range(2, 100)]
    public int VersionsMax { get; init; } = 20;

    /// <summary>Values of tables kept in memory between requests, over all data sets.</summary>
    [Range(0, 500_000_000)]
    public long CachedValuesMax { get; init; } = 10_000_000;
}

/// <summary>What a version came from.</summary>
public enum DataSetStep
{
    /// <summary>Loaded from a file.</summary>
    Loaded,
    /// <summary>Categories became numbers, missing values were filled.</summary>
    Processed,
    /// <summary>Privacy noise was added, or its absence was stated.</summary>
    Noised,
}

/// <summary>One version of a data set.</summary>
/// <param name="Version">From 1.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Step">What it came from.</param>
/// <param name="Rows">Rows of data.</param>
/// <param name="Columns">The columns, with what each holds.</param>
/// <param name="Length">Bytes of the CSV.</param>
/// <param name="SealedLength">Bytes at rest.</param>
/// <param name="Processing">For a processed version, what was learned.</param>
/// <param name="Noise">For a noised version, mechanism and epsilon of each column.</param>
public sealed record DataSetVersion(
    int Version, DateTimeOffset Created, DataSetStep Step, int Rows, IReadOnlyList<DataSetColumn> Columns, long Length, long SealedLength,
    ProcessingReport? Processing, NoiseReport? Noise);

/// <summary>A column by name and kind.</summary>
public sealed record DataSetColumn(string Name, ColumnKind Kind);

/// <summary>A sealed and logged data set.</summary>
/// <param name="Entry">The logical id of the DocumentReference in the log.</param>
/// <param name="Version">The version that was sealed.</param>
/// <param name="CiphertextBytes">Bytes at rest.</param>
/// <param name="CiphertextHash">SHA-256 of the file as it lies there, hexadecimal.</param>
/// <param name="Proof">How far its proof has come: position in the log, block, transaction.</param>
public sealed record SealedDataSet(string Entry, int Version, long CiphertextBytes, string CiphertextHash, ProofView Proof);

/// <summary>A data set as its owner sees it.</summary>
/// <param name="Id">The data set's id.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="FileName">The file that it came from, when that was told.</param>
/// <param name="Created">When it was loaded.</param>
/// <param name="Versions">Its versions, oldest first.</param>
/// <param name="Sealed">The sealed state; null for a draft.</param>
public sealed record DataSetView(
    Guid Id, string Name, string? FileName, DateTimeOffset Created, IReadOnlyList<DataSetVersion> Versions, SealedDataSet? Sealed)
{
    /// <summary>The newest version.</summary>
    public DataSetVersion Newest => Versions[^1];
}

/// <summary>A page of a table.</summary>
/// <param name="DataSet">The data set's id.</param>
/// <param name="Version">The version shown.</param>
/// <param name="RowCount">Rows of the whole table.</param>
/// <param name="Offset">The first row shown, from 0.</param>
/// <param name="Columns">Each column with its type, missing share and figures.</param>
/// <param name="Rows">The values as text, null where missing.</param>
public sealed record TablePage(
    Guid DataSet, int Version, int RowCount, int Offset, IReadOnlyList<ColumnSummary> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows);

/// <summary>How one column is noised, as it is asked for.</summary>
/// <param name="Column">The column.</param>
/// <param name="Mechanism"><c>laplace</c> for a bounded number, <c>randomised</c> for a category, <c>drop</c> to leave it out.</param>
/// <param name="Low">For a number, the lower bound, known from the field and not from the data.</param>
/// <param name="High">For a number, the upper bound.</param>
/// <param name="Step">For a number, the step of its grid.</param>
/// <param name="Weight">Its share of epsilon among the columns, from 1.</param>
/// <param name="Levels">For a category, every level that can occur; the data's own, disclosed, when absent.</param>
public sealed record NoiseColumnRequest(
    string Column, string Mechanism, decimal? Low = null, decimal? High = null, decimal? Step = null, int Weight = 1, IReadOnlyList<string>? Levels = null);

/// <summary>How a data set is noised, as it is asked for.</summary>
/// <param name="Epsilon">What the columns of a row spend together; null is zero noise: values stay as they are.</param>
/// <param name="Columns">Every column, or for zero noise those to leave out.</param>
public sealed record NoiseRequest(decimal? Epsilon, IReadOnlyList<NoiseColumnRequest> Columns);

/// <summary>What became of work on a data set.</summary>
public abstract record DataSetOutcome
{
    DataSetOutcome() { }

    /// <summary>Done, durable; the data set as it stands.</summary>
    public sealed record Done(DataSetView DataSet) : DataSetOutcome;

    /// <summary>The file is not the CSV that it says, at this line and column (from 1; 0 where none applies); nothing of it was kept.</summary>
    public sealed record NotCsv(int Line, int Column, string? ColumnName, string Message) : DataSetOutcome;

    /// <summary>A field of the request is wrong; nothing was changed.</summary>
    public sealed record Invalid(string Field, string Message) : DataSetOutcome;

    /// <summary>A limit is reached, or the data set is sealed; nothing was changed.</summary>
    public sealed record Refused(string Message) : DataSetOutcome;

    /// <summary>The caller's role keeps no data sets.</summary>
    public sealed record Forbidden(string Reason) : DataSetOutcome;

    /// <summary>This account has no such data set.</summary>
    public sealed record NotFound : DataSetOutcome;

    /// <summary>It was altered where it lies, and is not given out.</summary>
    public sealed record Altered(string What) : DataSetOutcome;
}
