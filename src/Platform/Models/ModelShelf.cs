using System.Collections.Concurrent;
using Npgsql;
using Salus.Learning.Models;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Models;

/// <summary>A model that judges visits, open, with what is known of it.</summary>
sealed record HeldModel(ConditionModel Model, ModelSummary Summary);

/// <summary>A model of any recipe, open, with what is known of it.</summary>
sealed record HeldRecipeModel(TrainedModel Model, ModelSummary Summary);

/// <summary>
/// The models that are stored, who released them, and how they fare. What is stored never changes, so what was opened once is remembered, within
/// limits. All is sealed under the hospital's key: a row written into the database by someone else opens as nothing.
/// </summary>
sealed class ModelShelf(NpgsqlDataSource database, KeyVault vault)
{
    const int ReleasesMax = 1_000;
    const int RememberedMax = 2_000;
    const int HeldMax = 3;

    readonly SealedStore store = new(vault);
    readonly ConcurrentDictionary<string, ModelSummary> summaries = new();
    readonly ConcurrentDictionary<string, ModelRelease> releases = new();
    readonly ConcurrentDictionary<string, ModelWatch> watches = new();
    readonly ConcurrentDictionary<string, HeldModel> held = new();
    readonly ConcurrentDictionary<string, HeldRecipeModel> heldByRecipe = new();

    /// <summary>The newest models, with the entries that hold them, newest first.</summary>
    public async Task<IReadOnlyList<(ModelSummary Summary, SealedEntry Entry)>> NewestAsync(int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<(ModelSummary, SealedEntry)> found = [];
        foreach (var entry in await ModelStore.NewestAsync(connection, ModelLibrary.Type, countMax, cancellation))
        {
            if (await OpenAsync(summaries, entry, (bytes, id) => ModelLibrary.ReadSummary(bytes, id), cancellation) is { } summary)
            {
                found.Add((summary, entry));
            }
        }
        return found;
    }

    /// <summary>The newest model of a recipe; null where there is none.</summary>
    public async Task<ModelSummary?> NewestOfAsync(string recipe, CancellationToken cancellation)
    {
        IReadOnlyList<string> ids;
        await using (var connection = await database.OpenConnectionAsync(cancellation))
        {
            ids = await ModelStore.NewestIdsAsync(connection, ModelLibrary.Type, RememberedMax, cancellation);
        }
        foreach (var id in ids)
        {
            if (await SummaryAsync(id, cancellation) is { } summary && summary.Recipe == recipe)
            {
                return summary;
            }
        }
        return null;
    }

    /// <summary>A model with its entry; null where there is none, or it was altered.</summary>
    public async Task<(ModelSummary Summary, SealedEntry Entry)?> FindAsync(string id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await ModelStore.FindAsync(connection, ModelLibrary.Type, id, cancellation) is { } entry
            && await OpenAsync(summaries, entry, (bytes, name) => ModelLibrary.ReadSummary(bytes, name), cancellation) is { } summary
                ? (summary, entry)
                : null;
    }

    /// <summary>What is to be known of a model; null where there is none, or it was altered.</summary>
    public async ValueTask<ModelSummary?> SummaryAsync(string id, CancellationToken cancellation) =>
        summaries.TryGetValue(id, out var known) ? known : (await FindAsync(id, cancellation))?.Summary;

    /// <summary>Each model's newest release or withdrawal, the newest first: by the time that is sealed, since whoever writes to the database can change a row's.</summary>
    public async Task<IReadOnlyList<ModelRelease>> ReleasesAsync(CancellationToken cancellation) =>
        [.. (await NoticesAsync(releases, ModelNotices.ReleaseType, ModelNotices.ReadRelease, cancellation)).OrderByDescending(release => release.Time).DistinctBy(release => release.Model)];

    /// <summary>How models fared when last looked at.</summary>
    public async Task<IReadOnlyDictionary<string, ModelWatch>> WatchesAsync(CancellationToken cancellation) =>
        (await NoticesAsync(watches, ModelNotices.WatchType, (bytes, _) => ModelNotices.ReadWatch(bytes), cancellation)).OrderByDescending(watch => watch.Time).DistinctBy(watch => watch.Model).ToDictionary(watch => watch.Model);

    /// <summary>The model in use that judges visits; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It was altered in the database, or is not the one that was released.</exception>
    public async Task<HeldModel?> InUseAsync(CancellationToken cancellation)
    {
        if (await ReleasedAsync(ModelSummary.Condition, cancellation) is not { } release)
        {
            return null;
        }
        var model = await HeldAsync(release.Model, cancellation) ?? throw Altered(release);
        return model.Summary.Hash == release.Hash ? model : throw NotReleased(release);
    }

    /// <summary>The model of a recipe in use; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It was altered in the database, or is not the one that was released.</exception>
    public async Task<HeldRecipeModel?> InUseAsync(string recipe, CancellationToken cancellation)
    {
        if (await ReleasedAsync(recipe, cancellation) is not { } release)
        {
            return null;
        }
        var model = await HeldByRecipeAsync(release.Model, cancellation) ?? throw Altered(release);
        return model.Summary.Hash == release.Hash ? model : throw NotReleased(release);
    }

    /// <summary>The release of the model of a recipe that was released last, of those that nobody has withdrawn; null where there is none.</summary>
    public async Task<ModelRelease?> ReleasedAsync(string recipe, CancellationToken cancellation)
    {
        foreach (var release in (await ReleasesAsync(cancellation)).Where(release => !release.IsWithdrawal))
        {
            // What does not open any more may be of any recipe: its use fails, and says why.
            if (await SummaryAsync(release.Model, cancellation) is not { } summary || summary.Recipe == recipe)
            {
                return release;
            }
        }
        return null;
    }

    /// <summary>A model that judges visits, open; null where there is none, or it was altered.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, or is not the one that its summary speaks of.</exception>
    public async Task<HeldModel?> HeldAsync(string id, CancellationToken cancellation)
    {
        if (held.TryGetValue(id, out var known))
        {
            return known;
        }
        if (await SummaryAsync(id, cancellation) is not { JudgesVisits: true } || await BytesAsync(id, cancellation) is not { } bytes)
        {
            return null;
        }
        var (model, hash) = ModelLibrary.ReadModel(bytes);
        return Hold(new HeldModel(model, SummaryFor(bytes, id, hash)));
    }

    /// <summary>A model of any recipe, open; null where there is none, or it was altered.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, or is not the one that its summary speaks of.</exception>
    public async Task<HeldRecipeModel?> HeldByRecipeAsync(string id, CancellationToken cancellation)
    {
        if (heldByRecipe.TryGetValue(id, out var known))
        {
            return known;
        }
        if (await BytesAsync(id, cancellation) is not { } bytes)
        {
            return null;
        }
        var (model, hash) = ModelLibrary.ReadAny(bytes);
        if (heldByRecipe.Count >= HeldMax)
        {
            heldByRecipe.Clear();
        }
        return heldByRecipe[id] = new HeldRecipeModel(model, SummaryFor(bytes, id, hash));
    }

    async Task<byte[]?> BytesAsync(string id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await ModelStore.FindAsync(connection, ModelLibrary.Type, id, cancellation) is { } entry ? await store.OpenAsync(entry, cancellation) : null;
    }

    static ModelSummary SummaryFor(byte[] library, string id, string hash) => ModelLibrary.ReadSummary(library, id) is var summary && summary.Hash == hash
        ? summary
        : throw new InvalidDataException($"The model of Library/{id} is not the one that its summary names. Train a new one.");

    static InvalidDataException Altered(ModelRelease release) =>
        new($"The model Library/{release.Model} was altered in the database, or removed. Release another, and tell the administrator: salus verify names what differs.");

    static InvalidDataException NotReleased(ModelRelease release) => new($"Library/{release.Model} is not the model that was released. Release it anew, or another.");

    /// <summary>Keeps a model open.</summary>
    public HeldModel Hold(HeldModel model)
    {
        if (held.Count >= HeldMax)
        {
            held.Clear();
        }
        return held[model.Summary.Id] = model;
    }

    async Task<IReadOnlyList<T>> NoticesAsync<T>(ConcurrentDictionary<string, T> known, string type, Func<byte[], string, T> read, CancellationToken cancellation) where T : class
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<T> found = [];
        foreach (var id in await ModelStore.NewestIdsAsync(connection, type, ReleasesMax, cancellation))
        {
            if (known.TryGetValue(id, out var notice)
                || (await ModelStore.FindAsync(connection, type, id, cancellation) is { } entry && (notice = await OpenAsync(known, entry, read, cancellation)) is not null))
            {
                found.Add(notice);
            }
        }
        return found;
    }

    async Task<T?> OpenAsync<T>(ConcurrentDictionary<string, T> known, SealedEntry entry, Func<byte[], string, T> read, CancellationToken cancellation) where T : class
    {
        if (known.TryGetValue(entry.Id, out var remembered))
        {
            return remembered;
        }
        if (await store.OpenAsync(entry, cancellation) is not { } bytes)
        {
            return null;
        }
        if (known.Count >= RememberedMax)
        {
            known.Clear();
        }
        return known[entry.Id] = read(bytes, entry.Id);
    }
}
