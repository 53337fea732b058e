using Salus.Ledger.Proofs;
using Salus.Platform.Monitoring;

namespace Salus.Host.Node;

/// <summary>A checkpoint that someone kept outside the node.</summary>
static class KeptCheckpoint
{
    /// <summary>Reads the file and checks its signature.</summary>
    /// <exception cref="NodeException">There is no such file, or it is no checkpoint of this log.</exception>
    public static IReadOnlyList<KeptHead> Read(string? path, string? verifierKey)
    {
        if (string.IsNullOrEmpty(path))
        {
            return [];
        }
        if (!File.Exists(path))
        {
            throw new NodeException($"There is no checkpoint file at {path}.");
        }
        try
        {
            var note = File.ReadAllText(path);
            using var verifier = NoteVerifier.Parse(verifierKey ?? throw new NodeException("The data folder has no verifier key; the node was never started here."));
            var checkpoint = Checkpoint.Verify(note, verifier.Name, verifier)
                ?? throw new NodeException($"The checkpoint in {path} is not signed by this node's log key. Was it kept from another node, or the key replaced?");
            return [new KeptHead(path, checkpoint.Size, checkpoint.Root.ToArray())];
        }
        catch (FormatException damage)
        {
            throw new NodeException($"The file {path} is no checkpoint: {damage.Message}");
        }
    }
}
