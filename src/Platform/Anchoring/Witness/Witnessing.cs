using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;

namespace Salus.Platform.Anchoring.Witness;

/// <summary>Asks this node's witnesses to cosign its checkpoints. One that is away costs its cosignature, never the anchor.</summary>
public sealed partial class Witnessing(WitnessRoster roster, LogFiles files, TimeProvider time, ILogger<Witnessing> logger) : IDisposable
{
    const int AnswerBytesMax = 16 << 10;

    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { MaxResponseContentBufferSize = AnswerBytesMax };

    // What each witness cosigned last; a guess, which the witness corrects
    readonly ConcurrentDictionary<uint, long> sizes = new();

    /// <summary>How many cosignatures a checkpoint needs to count as witnessed.</summary>
    public int Required => roster.Required;

    /// <summary>The keys of this node's witnesses.</summary>
    public IReadOnlyList<NoteVerifier> Keys => [.. roster.Peers.Select(peer => peer.Key)];

    /// <summary>The checkpoint with the cosignatures that came in time, and how many there are.</summary>
    public async Task<(string Checkpoint, int Count)> GatherAsync(string checkpoint, CancellationToken cancellation)
    {
        var note = SignedNote.Parse(checkpoint);
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(roster.WaitMillisecondsMax), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        var answers = await Task.WhenAll(roster.Peers.Select(peer => AskAsync(peer.Address, peer.Key, note, both.Token)));
        cancellation.ThrowIfCancellationRequested();
        NoteSignature[] cosignatures = [.. answers.OfType<NoteSignature>()];
        return (note.With(cosignatures).ToString(), cosignatures.Length);
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    async Task<NoteSignature?> AskAsync(Uri address, NoteVerifier key, SignedNote note, CancellationToken cancellation)
    {
        try
        {
            var size = Checkpoint.Parse(note.Text).Size;
            // Once with the size that is thought to be its last, and once more with the size that it says
            for (var attempt = 0; attempt < 2; attempt++)
            {
                var old = Math.Min(sizes.GetValueOrDefault(key.KeyId), size);
                var proof = await TreeProofs.ConsistencyAsync(old, size, files.ReadAsync, cancellation);
                using var content = new StringContent(new WitnessRequest(old, proof, note).ToString(), Encoding.UTF8, "text/plain");
                using var response = await http.PostAsync(new Uri(address, "/witness/add-checkpoint"), content, cancellation);
                var answer = await response.Content.ReadAsStringAsync(cancellation);
                if (response.StatusCode == HttpStatusCode.Conflict && long.TryParse(answer.TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out var last))
                {
                    if (last > size)
                    {
                        LogAhead(logger, key.Name, last, size);
                        return null;
                    }
                    sizes[key.KeyId] = last;
                    continue;
                }
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    LogRefused(logger, key.Name, (int)response.StatusCode);
                    return null;
                }
                var cosignature = SignedNote.ReadLines(answer).FirstOrDefault(line => line.Name == key.Name && line.KeyId == key.KeyId);
                if (cosignature is null || (note with { Signatures = [cosignature] }).Verify(key).Count == 0)
                {
                    LogBad(logger, key.Name);
                    return null;
                }
                sizes[key.KeyId] = size;
                return cosignature;
            }
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException or FormatException or IOException)
        {
            LogAway(logger, key.Name, away.GetType().Name);
        }
        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The witness {Name} has cosigned {Last} leaves, this log has {Size}: it was set back, or another node writes under its name")]
    static partial void LogAhead(ILogger logger, string name, long last, long size);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The witness {Name} refused a checkpoint (status {Status})")]
    static partial void LogRefused(ILogger logger, string name, int status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The witness {Name} answered with a cosignature that is not its own")]
    static partial void LogBad(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The witness {Name} does not answer ({Kind})")]
    static partial void LogAway(ILogger logger, string name, string kind);
}
