namespace Salus.Ledger.Evm;

/// <summary>A block as it was when it was read.</summary>
public sealed record BlockMark(ulong Number, byte[] Hash);

/// <summary>What one reading of a chain's events gives.</summary>
public abstract record LogReading
{
    LogReading() { }

    /// <summary>Nothing is new.</summary>
    public sealed record Nothing : LogReading;

    /// <summary>The events from the last reading up to and with this block.</summary>
    public sealed record Read(IReadOnlyList<EventLog> Logs, BlockMark UpTo) : LogReading;

    /// <summary>The chain has lost blocks that were read: everything after <paramref name="Common"/> is to be forgotten and read again. Null: everything.</summary>
    public sealed record Rewound(BlockMark? Common) : LogReading;

    /// <summary>The chain went back further than a reorganisation may. Nothing was read; somebody must look at the network.</summary>
    /// <param name="Newest">The newest block that was read.</param>
    /// <param name="Common">The newest of those that still stands; null when none does.</param>
    /// <param name="BlocksMax">How many blocks may be lost.</param>
    public sealed record TooDeep(ulong Newest, ulong? Common, ulong BlocksMax) : LogReading
    {
        /// <summary>It, in a sentence.</summary>
        public override string ToString() => Common is { } common
            ? $"The chain has lost {Newest - common} blocks that were read, down to block {common}; at most {BlocksMax} may be."
            : $"The chain has none of the blocks that were read, up to block {Newest}; at most {BlocksMax} may be lost.";
    }

    /// <summary>The chain went back while it was read; the next reading tells how far.</summary>
    public sealed record Moved : LogReading;
}

/// <summary>
/// Reads the events of contracts block after block. The caller keeps which blocks were read; a chain that has lost some of them is followed back to
/// the newest that still stands, within a limit.
/// </summary>
/// <param name="rpc">The chain.</param>
/// <param name="contracts">Whose events are read.</param>
/// <param name="from">The first block read.</param>
/// <param name="lostMax">How many blocks a reorganisation may take away.</param>
/// <param name="blocksMax">How many blocks one question covers.</param>
public sealed class LogFollower(EvmRpc rpc, IReadOnlyList<Address> contracts, ulong from, ulong lostMax, ulong blocksMax = 5_000)
{
    /// <summary>One reading.</summary>
    /// <param name="upTo">The newest block to be read.</param>
    /// <param name="newest">The block up to which was read; null before the first reading.</param>
    /// <param name="marks">The blocks at which readings ended, oldest first; asked for only where the newest no longer stands.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<LogReading> NextAsync(
        ulong upTo, BlockMark? newest, Func<CancellationToken, Task<IReadOnlyList<BlockMark>>> marks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(marks);
        if (newest is not null && !await StandsAsync(newest, cancellationToken))
            return await BackAsync(newest, await marks(cancellationToken), cancellationToken);
        var first = newest is null ? from : newest.Number + 1;
        if (first > upTo)
            return new LogReading.Nothing();
        var last = Math.Min(upTo, first + blocksMax - 1);
        // A reading ends before the blocks that may still be lost: one that is lost must not take a long reading with it.
        if (upTo > lostMax && upTo - lostMax >= first)
            last = Math.Min(last, upTo - lostMax);
        var end = await rpc.BlockAsync(BlockTag.At(last), cancellationToken) ?? throw new FormatException($"The chain has no block {last}, though it says that it has {upTo}.");
        var logs = await rpc.LogsAsync(new LogFilter(contracts, first, last), cancellationToken);
        var mark = new BlockMark(last, end.Hash);
        // Between the questions another chain may have come: neither its end nor the one before may have changed.
        return await StandsAsync(mark, cancellationToken) && (newest is null || await StandsAsync(newest, cancellationToken))
            ? new LogReading.Read(logs, mark)
            : new LogReading.Moved();
    }

    /// <summary>Whether the chain has this block as it was.</summary>
    public async Task<bool> StandsAsync(BlockMark mark, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(mark);
        return await rpc.BlockAsync(BlockTag.At(mark.Number), cancellationToken) is { } block && block.Hash.AsSpan().SequenceEqual(mark.Hash);
    }

    /// <summary>A block stands on all before it, so halving finds the newest that still does.</summary>
    async Task<LogReading> BackAsync(BlockMark newest, IReadOnlyList<BlockMark> marks, CancellationToken cancellationToken)
    {
        var (standing, fallen) = (0, marks.Count); // how many stand at least; the index of one that does not
        while (standing < fallen)
        {
            var middle = standing + ((fallen - standing) / 2);
            (standing, fallen) = await StandsAsync(marks[middle], cancellationToken) ? (middle + 1, fallen) : (standing, middle);
        }
        var common = standing == 0 ? null : marks[standing - 1];
        var lost = newest.Number - (common?.Number ?? Math.Min(newest.Number, from));
        return lost > lostMax ? new LogReading.TooDeep(newest.Number, common?.Number, lostMax) : new LogReading.Rewound(common);
    }
}
