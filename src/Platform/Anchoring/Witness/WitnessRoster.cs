using System.Collections.Concurrent;
using Salus.Ledger.Proofs;

namespace Salus.Platform.Anchoring.Witness;

/// <summary>
/// Who cosigns for whom now: those that the options name, and the other members of the consortium. The members are written by whoever keeps
/// their directory; both sides of witnessing read.
/// </summary>
public sealed class WitnessRoster(WitnessOptions options) : IDisposable
{
    readonly ConcurrentDictionary<string, NoteVerifier> keys = new(StringComparer.Ordinal);
    volatile Members members = new(0, [], []);

    /// <summary>
    /// How many cosignatures a checkpoint needs to count as witnessed: what the options say, or more than half of the other members; never
    /// more than there are witnesses.
    /// </summary>
    public int Required => Math.Min(options.Required ?? Majority(members.Count), Peers.Count);

    /// <summary>How long a checkpoint waits for its witnesses, in milliseconds.</summary>
    public int WaitMillisecondsMax => options.WaitMillisecondsMax;

    /// <summary>Those who are asked to cosign this node's checkpoints.</summary>
    public IReadOnlyList<(Uri Address, NoteVerifier Key)> Peers =>
        [.. options.Peers.Concat(members.Peers).DistinctBy(peer => peer.Key).Select(peer => (peer.Address, Verifier(peer.Key)))];

    /// <summary>The keys of the logs of a name that are cosigned here; none for an unknown one.</summary>
    public IReadOnlyList<NoteVerifier> LogKeys(string origin) =>
        [.. options.Logs.Concat(members.Logs).Distinct(StringComparer.Ordinal).Select(Verifier).Where(key => key.Name == origin)];

    /// <summary>Names the consortium's other members.</summary>
    /// <param name="count">How many there are, with or without keys.</param>
    /// <param name="logs">The verifier keys of their logs.</param>
    /// <param name="peers">Those of them who cosign.</param>
    public void Name(int count, IReadOnlyList<string> logs, IReadOnlyList<WitnessPeer> peers) => members = new Members(count, logs, peers);

    /// <summary>More than half of so many.</summary>
    public static int Majority(int count) => count == 0 ? 0 : (count / 2) + 1;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var key in keys.Values)
        {
            key.Dispose();
        }
    }

    NoteVerifier Verifier(string key) => keys.GetOrAdd(key, NoteVerifier.Parse);

    sealed record Members(int Count, IReadOnlyList<string> Logs, IReadOnlyList<WitnessPeer> Peers);
}
