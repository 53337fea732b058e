using System.Text.Json;
using Salus.Host.Engines;
using Salus.Ledger.Proofs;

namespace Salus.Host.Node;

/// <summary>Where a running node's engines are, for a check beside it.</summary>
sealed record NodePlace(int ProcessId, int Port, string Database, string Chain);

/// <summary>
/// A data folder's one running node: a lock that the kernel drops with the process, however that ends, and a file beside it that tells
/// where its engines are. The file is believed only while the lock is held: a process number alone may by now belong to anything.
/// </summary>
sealed class RunningNode : IDisposable
{
    const string Lock = "node.lock";
    const string File = "node.json";
    const string VerifierKeyFile = "verifier-key";
    const int Tries = 3;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    readonly string folder;
    readonly FolderLock held;

    RunningNode(string folder, FolderLock held) => (this.folder, this.held) = (folder, held);

    /// <summary>Makes this process the folder's node.</summary>
    /// <exception cref="EngineException">Another process is.</exception>
    public static async Task<RunningNode> TakeAsync(string folder)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var node = new RunningNode(folder, FolderLock.Take(folder, Lock));
                System.IO.File.Delete(Path.Combine(folder, File));
                return node;
            }
            catch (EngineException) when (tries < Tries)
            {
                // Whoever looks for a running node holds the lock for a moment.
                await Task.Delay(Pause);
            }
        }
    }

    /// <summary>Tells where this node's engines are; readable by the node's owner only, since a connection string may hold a password.</summary>
    public async Task TellAsync(int port, NodeEngines engines, string verifierKey, CancellationToken cancellation)
    {
        await KeepVerifierKeyAsync(folder, verifierKey, cancellation);
        var fresh = Path.Combine(folder, File + ".new");
        await using (var file = EngineFolders.CreateFile(fresh))
        {
            var place = new NodePlace(Environment.ProcessId, port, engines.ConnectionString, string.Join(',', engines.Endpoints));
            await JsonSerializer.SerializeAsync(file, place, cancellationToken: cancellation);
        }
        System.IO.File.Move(fresh, Path.Combine(folder, File), overwrite: true);
    }

    /// <summary>Where the engines of the folder's running node are; null when none runs.</summary>
    /// <exception cref="NodeException">One runs and has not told yet.</exception>
    public static async Task<NodePlace?> FindAsync(string folder)
    {
        if (!FolderLock.IsHeld(folder, Lock))
        {
            return null;
        }
        try
        {
            await using var file = System.IO.File.OpenRead(Path.Combine(folder, File));
            return await JsonSerializer.DeserializeAsync<NodePlace>(file);
        }
        catch (Exception early) when (early is FileNotFoundException or JsonException)
        {
            throw new NodeException($"The node of {folder} is just starting or stopping. Try again in a moment.");
        }
    }

    /// <summary>The name of the folder's log in its checkpoints: the one it has, wherever the folder was moved, or a new one after the folder.</summary>
    public static async Task<string> OriginAsync(string folder)
    {
        if (await VerifierKeyAsync(folder) is { } known)
        {
            using var verifier = NoteVerifier.Parse(known);
            return verifier.Name;
        }
        // A signed note's key name has neither spaces nor plus signs.
        var name = string.Concat(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' ? letter : '-'));
        return $"salus.local/{name}";
    }

    /// <summary>Keeps the key that the folder's log is checked with.</summary>
    public static Task KeepVerifierKeyAsync(string folder, string verifierKey, CancellationToken cancellation) =>
        System.IO.File.WriteAllTextAsync(Path.Combine(folder, VerifierKeyFile), verifierKey, cancellation);

    /// <summary>The key that the folder's log is checked with; null when its node was never started.</summary>
    public static async Task<string?> VerifierKeyAsync(string folder) =>
        Path.Combine(folder, VerifierKeyFile) is var file && System.IO.File.Exists(file) ? await System.IO.File.ReadAllTextAsync(file) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        System.IO.File.Delete(Path.Combine(folder, File));
        held.Dispose();
    }
}
