using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>
/// Sends what waits in the outbox and anchors new heads, one transaction after the other from the node's account. A transaction leaves the
/// outbox only when a durable block holds it; one that was lost with its block is sent again.
/// </summary>
public sealed partial class ChainRelay(
    NpgsqlDataSource database, ChainLink link, IChainFinality finality, LogFiles files, NodeKeys keys, ChainOptions options, ChainHealth health, Witnessing witnessing,
    Failpoints faults, TimeProvider time, ILogger<ChainRelay> logger) : BackgroundService
{
    const int BatchMax = 200;
    const int CapturesMax = 10;
    const int AttemptsMax = 16;
    const int SelectorBytes = 4;
    const int SubjectBytes = 32;
    const long LockKey = 0x53616c7573457468; // "SalusEth"
    static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan FaultWait = TimeSpan.FromSeconds(2);

    long lastAnchored;
    readonly HashSet<long> reverted = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or HttpRequestException or EvmRpcException or TimeoutException or FormatException or IOException
                or InvalidDataException or ChainSplitException || (fault is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                health.Failed(fault.Message);
                LogFault(logger, fault.GetType().Name, fault.Message);
                await Task.Delay(FaultWait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task RunAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenUnpooledAsync(cancellation);
        while (!(await connection.QueryAsync(cancellation, row => row.GetBoolean(0), "SELECT pg_try_advisory_lock($1)", LockKey))[0])
        {
            await Task.Delay(FaultWait, time, cancellation);
        }
        await link.Agreement.RequireAsync(cancellation);
        await AdmittedAsync(cancellation);
        await RequeueFallenAsync(connection, cancellation);
        await RecaptureAsync(connection, cancellation);
        for (ulong seen = 0; ;)
        {
            await link.Agreement.RequireAsync(cancellation);
            // What was lost is queued again before anything that may build on it is sent.
            var settled = await SettleAsync(connection, cancellation);
            var sent = await SendQueuedAsync(connection, cancellation);
            var anchored = await AnchorAsync(connection, cancellation);
            var block = await link.Rpc.BlockNumberAsync(cancellation);
            health.Reached(block, time.GetUtcNow());
            if (block < seen)
            {
                await RequeueFallenAsync(connection, cancellation);
            }
            seen = block;
            if (!sent && !anchored && !settled)
            {
                await Task.Delay(IdleWait, time, cancellation);
            }
        }
    }

    /// <summary>Waits until this node is a member: before that, and after an expulsion, the contracts take nothing from it, and what waits goes on waiting.</summary>
    async Task AdmittedAsync(CancellationToken cancellation)
    {
        while (!await MembersContract.IsMemberAsync(link.Rpc, link.Contracts[ChainContract.Members], keys.Chain.Address, cancellationToken: cancellation))
        {
            health.Failed($"The consortium's members have not admitted this hospital's account {keys.Chain.Address}, or have expelled it.");
            await Task.Delay(FaultWait, time, cancellation);
        }
    }

    bool SaysNotMember(byte[] reason) => MembersContract.TryDecodeError(reason) is MembersError.NotMember denied && denied.Account == keys.Chain.Address;

    async Task<bool> SendQueuedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var queued = await connection.QueryAsync(cancellation,
            row => new Queued(row.GetInt64(0), Enum.Parse<ChainContract>(row.GetString(1)), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[][]>(3)),
            "SELECT id, contract, data, attempts FROM chain_transaction WHERE state < 2 ORDER BY id LIMIT $1", BatchMax);
        foreach (var call in queued)
        {
            try
            {
                var receipt = await TakenAsync(call, cancellation)
                    ?? await link.SendAsync(link.Contracts[call.Contract], call.Data, cancellation, (signed, token) => AnnounceAsync(connection, call.Id, signed, token));
                faults.Reach(Failpoint.TransactionSent);
                await StoreAsync(connection, call.Id, receipt, cancellation);
            }
            catch (EvmRpcException refused) when (refused.RevertData is { } reason && !SaysNotMember(reason))
            {
                if (await TakenBeforeAsync(call.Contract, call.Data, refused, cancellation) is { } taken)
                {
                    await StoreAsync(connection, call.Id, taken, cancellation);
                }
                else
                {
                    await RefuseAsync(connection, call.Id, Describe(call.Contract, refused), cancellation);
                }
            }
        }
        return queued.Count > 0;
    }

    /// <summary>The receipt of an earlier sending that a block holds and that succeeded: before a kill, before a fault, or back after a reorganisation.</summary>
    async Task<Receipt?> TakenAsync(Queued call, CancellationToken cancellation)
    {
        foreach (var hash in call.Attempts)
        {
            if (await link.Rpc.ReceiptAsync(hash, cancellation) is { Succeeded: true } receipt)
            {
                return receipt;
            }
        }
        return null;
    }

    /// <summary>
    /// The receipt of a change of a subject's keys that the contract has taken already: it takes each once, and a kill between block and row has
    /// it sent again. Were it held for refused, it would not be sent once more when the chain loses its block.
    /// </summary>
    async Task<Receipt?> TakenBeforeAsync(ChainContract contract, byte[] data, EvmRpcException refused, CancellationToken cancellation)
    {
        if (contract != ChainContract.Subjects || SubjectsContract.TryDecodeError(refused.RevertData) is not (SubjectsError.StaleSequence or SubjectsError.UnknownKey
            or SubjectsError.UsedKey or SubjectsError.RecoveryPending or SubjectsError.RecoveryDue or SubjectsError.NoRecovery or SubjectsError.OtherContacts))
        {
            return null;
        }
        var subject = data[SelectorBytes..(SelectorBytes + SubjectBytes)];
        var latest = await link.Rpc.BlockNumberAsync(cancellation);
        var logs = await link.Rpc.LogsAsync(new LogFilter([link.Contracts[contract]], link.DeploymentBlock, latest, [null, [subject]]), cancellation);
        foreach (var log in logs.Reverse())
        {
            var sent = await link.Rpc.CallAsync("eth_getTransactionByHash", json => Convert.FromHexString(json.GetProperty("input").GetString()!.AsSpan(2)),
                cancellation, "0x" + Convert.ToHexStringLower(log.TransactionHash));
            if (sent.AsSpan().SequenceEqual(data))
            {
                return await link.Rpc.ReceiptAsync(log.TransactionHash, cancellation);
            }
        }
        return null;
    }

    static Task<int> AnnounceAsync(NpgsqlConnection connection, long id, SignedTransaction signed, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "UPDATE chain_transaction SET state = 1, attempts = (array_prepend($2, array_remove(attempts, $2)))[:$3] WHERE id = $1", id, signed.Hash.ToArray(), AttemptsMax);

    async Task StoreAsync(NpgsqlConnection connection, long id, Receipt receipt, CancellationToken cancellation)
    {
        if (!receipt.Succeeded)
        {
            // Others' transactions may have come between the estimate and the block, and made this one cost more. It is tried once more: where
            // the contract truly refuses, the estimate names the reason.
            if (!reverted.Add(id))
            {
                await RefuseAsync(connection, id, "The contract reverted.", cancellation);
            }
            return;
        }
        reverted.Remove(id);
        await connection.ExecuteAsync(cancellation,
            """
            UPDATE chain_transaction SET state = 2, transaction_hash = $2, block_number = $3, block_hash = $4, gas_used = $5, mined = $6, refusal = NULL
            WHERE id = $1
            """, id, receipt.TransactionHash, (long)receipt.BlockNumber, receipt.BlockHash, (long)receipt.GasUsed, await MinedAsync(receipt, cancellation));
    }

    async Task RefuseAsync(NpgsqlConnection connection, long id, string reason, CancellationToken cancellation)
    {
        LogRefused(logger, id, reason);
        await connection.ExecuteAsync(cancellation, "UPDATE chain_transaction SET state = 4, refusal = $2 WHERE id = $1", id, reason);
    }

    async Task<bool> AnchorAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (lastAnchored != 0 && time.GetElapsedTime(lastAnchored).TotalMilliseconds < options.AnchorEveryMilliseconds)
        {
            return false;
        }
        var head = await LogStore.HeadAsync(connection, cancellation);
        if (head is not { Checkpoint: not null } || keys.LogOf(head.Size) != keys.Logs[^1])
        {
            // Of a log that was succeeded nothing more is anchored.
            return false;
        }
        var contract = link.Contracts[ChainContract.Anchor];
        var onChain = await AnchorContract.HeadAsync(link.Rpc, contract, keys.LogId, cancellationToken: cancellation);
        await RecoverAnchorAsync(connection, contract, onChain, cancellation);
        if ((long)onChain.Size >= head.Size)
        {
            return false;
        }
        if (head.Cosigned < witnessing.Keys.Count)
        {
            // Only now, for a witness cosigns no smaller head after a larger one: what is anchored is what should carry its name.
            var (checkpoint, count) = await witnessing.GatherAsync(head.Checkpoint, cancellation);
            await LogStore.CosignHeadAsync(connection, head.Size, checkpoint, count, cancellation);
        }
        var proof = await TreeProofs.ConsistencyAsync((long)onChain.Size, head.Size, files.ReadAsync, cancellation);
        var receipt = await link.SendAsync(contract, AnchorContract.Anchor(keys.LogId, onChain.Size, (ulong)head.Size, head.Root, proof), cancellation);
        lastAnchored = time.GetTimestamp();
        if (!receipt.Succeeded)
        {
            if ((await AnchorContract.HeadAsync(link.Rpc, contract, keys.LogId, cancellationToken: cancellation)).Size != onChain.Size)
            {
                // One that was sent before a kill came first; its row is recovered next.
                return true;
            }
            throw new FormatException($"The contract refused the head of size {head.Size}: it does not extend the one of size {onChain.Size}. Run: salus verify");
        }
        faults.Reach(Failpoint.AnchorMined);
        await AddAnchorAsync(connection, contract, head.Size, receipt, cancellation);
        return true;
    }

    /// <summary>
    /// Finds the evidence of the head that stands where its row is missing: a kill came between the block and the row. Nothing newer is anchored
    /// before, so that no other row can be missing for that reason.
    /// </summary>
    async Task RecoverAnchorAsync(NpgsqlConnection connection, Address contract, AnchorContract.HeadResult onChain, CancellationToken cancellation)
    {
        if (onChain.Size == 0 || !await LogStore.LacksAnchorAsync(connection, (long)onChain.Size, onChain.Root, cancellation))
        {
            return;
        }
        var logs = await link.Rpc.LogsAsync(new LogFilter([contract], onChain.BlockNumber, onChain.BlockNumber), cancellation);
        var found = logs.FirstOrDefault(log => AnchorContract.TryDecode(log) is AnchorEvent.Anchored anchored
            && anchored.Log.AsSpan().SequenceEqual(keys.LogId) && anchored.NewSize == onChain.Size && anchored.NewRoot.AsSpan().SequenceEqual(onChain.Root));
        if (found is not null && await link.Rpc.ReceiptAsync(found.TransactionHash, cancellation) is { Succeeded: true } receipt)
        {
            LogRecovered(logger, (long)onChain.Size, (long)receipt.BlockNumber);
            await AddAnchorAsync(connection, contract, (long)onChain.Size, receipt, cancellation);
        }
    }

    async Task AddAnchorAsync(NpgsqlConnection connection, Address contract, long size, Receipt receipt, CancellationToken cancellation)
    {
        await LogStore.AddAnchorAsync(connection, new AnchoredHead(
            size, receipt.TransactionHash, (long)receipt.BlockNumber, receipt.BlockHash, (long)receipt.GasUsed,
            await MinedAsync(receipt, cancellation), Durable: false), cancellation);
        faults.Reach(Failpoint.AnchorStored);
        await CaptureAsync(connection, contract, size, receipt, cancellation);
    }

    /// <summary>Captures what a kill kept from being captured, as long as the chain still shows it.</summary>
    async Task RecaptureAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await LogStore.UnevidencedAnchorAsync(connection, cancellation) is { } anchor
            && await link.Rpc.ReceiptAsync(anchor.TransactionHash, cancellation) is { } receipt)
        {
            await CaptureAsync(connection, link.Contracts[ChainContract.Anchor], anchor.Size, receipt, cancellation);
        }
    }

    /// <summary>Keeps what the chain shows of an anchor now. A chain that cannot show it costs the proof, not the anchor.</summary>
    async Task CaptureAsync(NpgsqlConnection connection, Address contract, long size, Receipt receipt, CancellationToken cancellation)
    {
        for (var asked = 1; ; asked++)
        {
            try
            {
                var evidence = await AnchorEvidence.CaptureAsync(link.Rpc, link.ChainId, contract, keys.LogId, receipt, cancellation);
                await LogStore.AddEvidenceAsync(connection, size, evidence.ToBytes(), cancellation);
                return;
            }
            catch (FormatException) when (asked < CapturesMax)
            {
                await Task.Delay(IdleWait, time, cancellation);
            }
            catch (Exception fault) when (fault is HttpRequestException or EvmRpcException or FormatException)
            {
                LogUncaptured(logger, size, fault.Message);
                return;
            }
        }
    }

    /// <summary>Marks as durable what a durable block holds, and queues again what the chain has lost with its block.</summary>
    async Task<bool> SettleAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var (settled, lost) = (false, true);
        // Once more after a loss: the chain may have gone back in the middle, and a change must not be sent again before the one it builds on.
        while (lost)
        {
            lost = false;
            var open = await connection.QueryAsync(cancellation, row => (Number: row.GetInt64(0), Hash: row.GetFieldValue<byte[]>(1)),
                """
                SELECT block_number, block_hash FROM chain_transaction WHERE state = 2
                UNION SELECT block_number, block_hash FROM anchor WHERE NOT durable ORDER BY 1 LIMIT $1
                """, BatchMax);
            if (open.Count == 0)
            {
                return settled;
            }
            // Asked before the blocks are looked at: a chain that goes back in between goes back to no less than this.
            var durable = (long)await finality.DurableBlockAsync(link.Rpc, cancellation);
            foreach (var (number, hash) in open)
            {
                if (!await StandsAsync(number, hash, cancellation))
                {
                    await RequeueAsync(connection, number, hash, cancellation);
                    settled = lost = true;
                }
                else if (number <= durable)
                {
                    await connection.ExecuteAsync(cancellation, "UPDATE chain_transaction SET state = 3 WHERE state = 2 AND block_hash = $1", hash);
                    await connection.ExecuteAsync(cancellation, "UPDATE anchor SET durable = true WHERE NOT durable AND block_hash = $1", hash);
                    settled = true;
                }
            }
        }
        return settled;
    }

    /// <summary>
    /// Looks whether the chain went back behind what was durable: to an older snapshot because the newest was damaged, or by an outside
    /// network's deep reorganisation. A block stands on all before it, so the search ends at the newest that still stands.
    /// </summary>
    async Task RequeueFallenAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        while (true)
        {
            var newest = await connection.QueryAsync(cancellation, row => (Number: row.GetInt64(0), Hash: row.GetFieldValue<byte[]>(1)),
                """
                SELECT block_number, block_hash FROM chain_transaction WHERE state = 3
                UNION SELECT block_number, block_hash FROM anchor WHERE durable ORDER BY 1 DESC LIMIT 1
                """);
            if (newest is not [var (number, hash)] || await StandsAsync(number, hash, cancellation))
            {
                return;
            }
            await RequeueAsync(connection, number, hash, cancellation);
        }
    }

    async Task<bool> StandsAsync(long number, byte[] hash, CancellationToken cancellation) =>
        await link.Rpc.BlockAsync(BlockTag.At((ulong)number), cancellation) is { } block && block.Hash.AsSpan().SequenceEqual(hash);

    async Task RequeueAsync(NpgsqlConnection connection, long number, byte[] blockHash, CancellationToken cancellation)
    {
        LogLost(logger, number);
        await connection.ExecuteAsync(cancellation,
            """
            UPDATE chain_transaction SET state = 0, transaction_hash = NULL, block_number = NULL, block_hash = NULL, gas_used = NULL, mined = NULL
            WHERE state IN (2, 3) AND block_hash = $1
            """, blockHash);
        await connection.ExecuteAsync(cancellation, "DELETE FROM anchor WHERE block_hash = $1", blockHash);
    }

    sealed record Queued(long Id, ChainContract Contract, byte[] Data, byte[][] Attempts);

    static string Describe(ChainContract contract, EvmRpcException refused)
    {
        var artifact = contract switch
        {
            ChainContract.Members => MembersContract.Artifact,
            ChainContract.Subjects => SubjectsContract.Artifact,
            ChainContract.Consents => ConsentsContract.Artifact,
            _ => AnchorContract.Artifact,
        };
        return artifact.Reason(refused)?.ToString() ?? refused.NodeMessage;
    }

    async Task<DateTimeOffset> MinedAsync(Receipt receipt, CancellationToken cancellation) =>
        await link.Rpc.BlockAsync(BlockTag.At(receipt.BlockNumber), cancellation) is { } block
            ? DateTimeOffset.FromUnixTimeSeconds((long)block.UnixTimeSeconds)
            : time.GetUtcNow();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chain does not take transactions ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chain no longer holds block {Number}; what it held is sent again")]
    static partial void LogLost(ILogger logger, long number);

    [LoggerMessage(Level = LogLevel.Information, Message = "The anchor of size {Size} was recovered from block {Number}")]
    static partial void LogRecovered(ILogger logger, long size, long number);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chain gave no evidence of the anchor of size {Size}; proofs wait for the next one: {Reason}")]
    static partial void LogUncaptured(ILogger logger, long size, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The contract refused transaction {Id} of the outbox: {Reason}")]
    static partial void LogRefused(ILogger logger, long id, string reason);
}
