using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Salus.Host.Ui;

/// <summary>
/// What a form has come to, kept for the page that the browser is sent back to: so that a reload repeats nothing, and nothing of a record stands in
/// an address. Held in memory, for one account, for a short time.
/// </summary>
public sealed class Handover(TimeProvider time)
{
    const int HeldMax = 1000;
    const int KeyBytes = 12;
    static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(30);

    readonly ConcurrentDictionary<string, Held> held = new();

    sealed record Held(Guid Account, object Result, DateTimeOffset Until);

    /// <summary>Keeps a result and gives its key.</summary>
    public string Keep(Guid account, object result)
    {
        var now = time.GetUtcNow();
        if (held.Count >= HeldMax)
        {
            var oldest = held.OrderBy(pair => pair.Value.Until).Take(HeldMax / 10).Select(pair => pair.Key);
            foreach (var stale in held.Where(pair => pair.Value.Until < now).Select(pair => pair.Key).Concat(oldest).ToList())
            {
                held.TryRemove(stale, out _);
            }
        }
        var key = RandomNumberGenerator.GetHexString(KeyBytes * 2, lowercase: true);
        held[key] = new Held(account, result, now + KeptFor);
        return key;
    }

    /// <summary>The result of that key, for the account that it was kept for; null when there is none or no longer.</summary>
    public T? Find<T>(Guid account, string? key) where T : class =>
        key is not null && held.TryGetValue(key, out var found) && found.Account == account && found.Until >= time.GetUtcNow() ? found.Result as T : null;
}
