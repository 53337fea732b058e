namespace Salus.Host.Ui;

/// <summary>Where in a file something is wrong, and what.</summary>
public sealed record UploadIssue(string Place, string Message);

/// <summary>What became of an upload, for the page that the browser is sent back to.</summary>
public abstract record UploadResult(string FileName)
{
    /// <summary>Nothing of it was kept.</summary>
    public sealed record Refused(string FileName, string Reason, IReadOnlyList<UploadIssue> Issues, int More = 0) : UploadResult(FileName);

    /// <summary>A bundle was stored.</summary>
    public sealed record Imported(string FileName, IReadOnlyDictionary<string, int> Counts, IReadOnlyList<string> Patients) : UploadResult(FileName);

    /// <summary>A file was stored.</summary>
    public sealed record Stored(string FileName, string Patient, string Document, long Length, long SealedLength) : UploadResult(FileName);
}
