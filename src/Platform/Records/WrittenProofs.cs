using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

// Proofs of what was just written.
public sealed partial class RecordsDesk
{
    /// <summary>
    /// How far the proofs of versions have come that the caller has just written. It tells of places in the log and on the chain, never of contents,
    /// so that a writer sees their entry anchored whether or not the patient lets them read it.
    /// </summary>
    public async Task<IReadOnlyList<ProofState>> ProveWrittenAsync(IReadOnlyList<(string Type, string Id, int Version)> written, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<LeafEnvelope> envelopes = [];
        foreach (var (type, id, version) in written)
        {
            var entry = await SealedStore.FindAsync(connection, type, id, version, cancellation)
                ?? throw new InvalidDataException($"{type}/{id} version {version} was written and is gone. Run: salus verify");
            envelopes.Add(entry.Envelope(entry.HashAsStored()));
        }
        return await proofs.VerifyAsync(envelopes, cancellation);
    }
}
