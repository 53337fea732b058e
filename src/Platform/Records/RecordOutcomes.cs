using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Ledger.Evidence;
using Salus.Platform.Anchoring;

namespace Salus.Platform.Records;

/// <summary>One stored version.</summary>
public sealed record StoredRecord(string Type, string Id, int Version, DateTimeOffset Written, string? Patient, byte[] Bytes)
{
    /// <summary>What was done to it, where something was.</summary>
    public WriteDone Done { get; init; }
}

/// <summary>What was done to a record.</summary>
public enum WriteDone
{
    /// <summary>It was read.</summary>
    Read,
    /// <summary>It is new, or back after a deletion.</summary>
    Created,
    /// <summary>It has a new version.</summary>
    Updated,
    /// <summary>It has a version that says it is gone.</summary>
    Deleted,
    /// <summary>It was there already, as the condition said.</summary>
    Matched,
    /// <summary>There was nothing to do.</summary>
    Nothing,
}

/// <summary>What became of a write.</summary>
public abstract record WriteOutcome
{
    WriteOutcome() { }

    /// <summary>Durable.</summary>
    /// <param name="Records">In the order they were sent.</param>
    public sealed record Written(IReadOnlyList<StoredRecord> Records) : WriteOutcome;

    /// <summary>Not FHIR R4, or refers to what is not there; nothing was kept.</summary>
    public sealed record Invalid(IReadOnlyList<FhirIssue> Issues) : WriteOutcome;

    /// <summary>The caller may not write this; nothing was kept.</summary>
    public sealed record Forbidden(string Reason) : WriteOutcome;

    /// <summary>The resource to be updated is not there.</summary>
    public sealed record NotFound : WriteOutcome
    {
        /// <summary>Whether only what is there could have been meant: a patch makes nothing new.</summary>
        public bool IsSought { get; init; }
    }

    /// <summary>The resource to be patched was deleted.</summary>
    public sealed record Gone : WriteOutcome;

    /// <summary>The resource to be patched was altered in the database.</summary>
    public sealed record Altered(string What) : WriteOutcome;

    /// <summary>Someone else wrote first; the version that stands now.</summary>
    public sealed record Conflict(int Version) : WriteOutcome
    {
        /// <summary>Whether both wrote in one moment, without a word of which version they had seen.</summary>
        public bool IsRace { get; init; }
    }

    /// <summary>A condition that must mean one record means several.</summary>
    /// <param name="Path">Where it stands in what was sent.</param>
    /// <param name="Type">The resource type.</param>
    public sealed record SeveralMatch(string Path, string Type) : WriteOutcome;

    /// <summary>Others hold on to what is to be deleted.</summary>
    public sealed record InUse(string Reason) : WriteOutcome;
}

/// <summary>What became of a read.</summary>
public abstract record ReadOutcome
{
    ReadOutcome() { }

    /// <summary>The version asked for.</summary>
    public sealed record Found(StoredRecord Record) : ReadOutcome;

    /// <summary>No consent, or a role that reads nothing; also where there is nothing, so that existence does not show.</summary>
    public sealed record Forbidden(string Reason) : ReadOutcome;

    /// <summary>Not there, for a caller who would be allowed to see it.</summary>
    public sealed record NotFound : ReadOutcome;

    /// <summary>Deleted, or erased.</summary>
    /// <param name="Reason">Which, in a sentence.</param>
    public sealed record Gone(string Reason) : ReadOutcome;

    /// <summary>It stands in the database, but was altered there; it is not given out.</summary>
    public sealed record Altered(string What) : ReadOutcome;
}

/// <summary>What became of the wish for a proof.</summary>
public abstract record ProofOutcome
{
    ProofOutcome() { }

    /// <summary>A file that others can check.</summary>
    public sealed record Made(ProofFile File) : ProofOutcome;

    /// <summary>The version waits for its place in the log; a moment later there is a proof.</summary>
    public sealed record Pending : ProofOutcome;

    /// <summary>The caller may not read the version, or it is not there.</summary>
    public sealed record Refused(ReadOutcome Read) : ProofOutcome;
}

/// <summary>A record with the state of its proof.</summary>
public sealed record ProvenRecord(StoredRecord Record, ProofState Proof);

/// <summary>What became of a retrieval by patient.</summary>
public abstract record RetrievalOutcome
{
    RetrievalOutcome() { }

    /// <summary>Everything that the caller's scope covers, oldest first.</summary>
    /// <param name="Patient">The patient's logical id.</param>
    /// <param name="Records">The newest version of each record.</param>
    /// <param name="Altered">Records that do not open or do not verify, by name.</param>
    public sealed record Found(string Patient, IReadOnlyList<ProvenRecord> Records, IReadOnlyList<string> Altered) : RetrievalOutcome;

    /// <summary>No consent, or no record any more.</summary>
    public sealed record Forbidden(string Reason) : RetrievalOutcome
    {
        /// <summary>Whether the record was erased.</summary>
        public bool IsErased { get; init; }
    }
}

/// <summary>What became of a search.</summary>
public abstract record SearchResult
{
    SearchResult() { }

    /// <summary>A page of matches that the caller may read.</summary>
    /// <param name="Records">The matches.</param>
    /// <param name="Total">How many there are in all; null where nobody counted that far.</param>
    public sealed record Page(IReadOnlyList<StoredRecord> Records, int? Total) : SearchResult
    {
        /// <summary>What the matches refer to or are referred to by, as asked for.</summary>
        public IReadOnlyList<StoredRecord> Included { get; init; } = [];

        /// <summary>The cursor of the next page; null on the last.</summary>
        public string? Next { get; init; }

        /// <summary>What was left out, in warnings.</summary>
        public IReadOnlyList<FhirIssue> Issues { get; init; } = [];

        /// <summary>The search as it was understood; null in none.</summary>
        public SearchQuery? Query { get; init; }
    }

    /// <summary>A parameter is wrong.</summary>
    public sealed record Invalid(IReadOnlyList<FhirIssue> Issues) : SearchResult;

    /// <summary>The caller may not search here.</summary>
    public sealed record Forbidden(string Reason) : SearchResult;
}
