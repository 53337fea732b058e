using System.Text.Json;

namespace Salus.SystemTests.Support;

/// <summary>The folders of one throwaway node, removed at the end.</summary>
sealed class NodeFolders : IDisposable
{
    readonly string root = Directory.CreateTempSubdirectory("salus-system-").FullName;

    /// <summary>All state.</summary>
    public string Data => Path.Combine(root, "data");

    /// <summary>The master key.</summary>
    public string Keys => Path.Combine(root, "keys");

    /// <summary>Where what a test keeps apart from the node may lie.</summary>
    public string Elsewhere => Directory.CreateDirectory(Path.Combine(root, "elsewhere")).FullName;

    /// <summary>The connection string of the node that runs on these folders.</summary>
    public string Database => JsonElement.Parse(File.ReadAllText(Path.Combine(Data, "node.json"))).GetProperty(nameof(Database)).GetString()!;

    /// <summary>Sealed files.</summary>
    public IReadOnlyList<string> Blobs => Directory.GetFiles(Path.Combine(Data, "blobs"), "*", SearchOption.AllDirectories);

    public void Dispose() => Directory.Delete(root, recursive: true);
}
