namespace Salus.SystemTests.Support;

/// <summary>The folders of one throwaway node, removed at the end.</summary>
sealed class NodeFolders : IDisposable
{
    readonly string root = Directory.CreateTempSubdirectory("salus-system-").FullName;

    /// <summary>All state.</summary>
    public string Data => Path.Combine(root, "data");

    /// <summary>The master key.</summary>
    public string Keys => Path.Combine(root, "keys");

    /// <summary>Sealed files.</summary>
    public IReadOnlyList<string> Blobs => Directory.GetFiles(Path.Combine(Data, "blobs"), "*", SearchOption.AllDirectories);

    public void Dispose() => Directory.Delete(root, recursive: true);
}
