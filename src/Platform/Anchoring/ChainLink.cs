using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>The chain this node anchors on: its endpoint, and where the contracts stand.</summary>
public sealed class ChainLink : IDisposable
{
    static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(3);

    readonly TransactionSender sender;
    readonly NodeKeys keys;
    readonly TimeProvider time;

    ChainLink(EvmRpc rpc, ulong chainId, NodeKeys keys, IChainFinality finality, ChainOptions options, TimeProvider time)
    {
        (Rpc, ChainId, this.keys, this.time) = (rpc, chainId, keys, time);
        sender = new TransactionSender(rpc, keys.Chain, options.Fees, options.Sending, time);
        Agreement = new ChainAgreement(rpc, finality, time);
    }

    /// <summary>The endpoint.</summary>
    public EvmRpc Rpc { get; }

    /// <summary>The network's id.</summary>
    public ulong ChainId { get; }

    /// <summary>Whether the endpoints tell of one chain.</summary>
    public ChainAgreement Agreement { get; }

    /// <summary>Where each contract stands.</summary>
    public IReadOnlyDictionary<ChainContract, Address> Contracts { get; private set; } = new Dictionary<ChainContract, Address>();

    /// <summary>The block in which the contracts were deployed.</summary>
    public ulong DeploymentBlock { get; private set; }

    /// <summary>Finds the contracts that this database knows of; on first use joins a consortium, or founds one and deploys them.</summary>
    /// <exception cref="SetupException">The chain is not the one this node was set up on, or refuses the contracts.</exception>
    public static async Task<ChainLink> OpenAsync(
        EvmRpc rpc, NpgsqlDataSource database, NodeKeys keys, IChainFinality finality, ChainOptions options, TimeProvider time, CancellationToken cancellation)
    {
        var link = new ChainLink(rpc, await rpc.ChainIdAsync(cancellation), keys, finality, options, time);
        rpc.RequireChain(link.ChainId);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var known = await connection.QueryAsync(cancellation,
            row => (Contract: Enum.Parse<ChainContract>(row.GetString(0)), Address: new Address(row.GetFieldValue<byte[]>(1)), ChainId: row.GetInt64(2), Block: row.GetInt64(3)),
            "SELECT contract, address, chain_id, block FROM chain_deployment");
        if (known.Count == 0)
        {
            await (options.Consortium is { } members ? link.JoinAsync(connection, members, cancellation) : link.DeployAsync(connection, finality, cancellation));
            return link;
        }
        if (known[0].ChainId != (long)link.ChainId)
        {
            throw new SetupException($"This node was set up on the chain {known[0].ChainId}, but the endpoint answers for {link.ChainId}. Name the right network with --ledger.");
        }
        foreach (var (contract, address, _, _) in known)
        {
            if ((await rpc.CodeAsync(address, default, cancellation)).Length == 0)
            {
                throw new SetupException($"The chain {link.ChainId} does not hold the contract {contract} at {address}: it has lost its state, or is another with the same id. Restore the chain from a backup, or name the right network with --ledger.");
            }
        }
        link.Contracts = known.ToDictionary(row => row.Contract, row => row.Address);
        if (options.Consortium is { } named && named != link.Contracts[ChainContract.Members])
        {
            throw new SetupException($"This node belongs to the consortium of {link.Contracts[ChainContract.Members]}, not to that of {named}. Leave Salus:Ledger:Members away, or begin with an empty data folder.");
        }
        link.DeploymentBlock = (ulong)known.Min(row => row.Block);
        return link;
    }

    /// <summary>Signs and sends one call from the node's account and waits for its receipt.</summary>
    /// <param name="to">The contract called; null creates one.</param>
    /// <param name="data">The call.</param>
    /// <param name="before">Told each transaction before the network is.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="EvmRpcException">The network refused it; with revert data when the contract did.</exception>
    /// <exception cref="TimeoutException">No block took it at any price allowed.</exception>
    public Task<Receipt> SendAsync(Address? to, byte[] data, CancellationToken cancellation, Func<SignedTransaction, CancellationToken, Task>? before = null) =>
        sender.SendAsync(to, data, before, cancellation);

    /// <inheritdoc/>
    public void Dispose() => sender.Dispose();

    async Task DeployAsync(NpgsqlConnection connection, IChainFinality finality, CancellationToken cancellation)
    {
        var name = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(keys.Origin));
        var members = await DeployAsync(MembersContract.Create(name), cancellation);
        var anchor = await DeployAsync(AnchorContract.Create(members.Address), cancellation);
        var subjects = await DeployAsync(SubjectsContract.Create(members.Address), cancellation);
        var consents = await DeployAsync(ConsentsContract.Create(members.Address, subjects.Address), cancellation);
        await DurableAsync(finality, consents.Block, cancellation);
        DeploymentBlock = members.Block;
        Contracts = new Dictionary<ChainContract, Address>
        {
            [ChainContract.Members] = members.Address,
            [ChainContract.Anchor] = anchor.Address,
            [ChainContract.Subjects] = subjects.Address,
            [ChainContract.Consents] = consents.Address,
        };
        await StoreAsync(connection, cancellation);
    }

    /// <summary>Shares the contracts of a consortium: they tell members apart by themselves. Nothing of this node's stands before the newest block.</summary>
    async Task JoinAsync(NpgsqlConnection connection, Address members, CancellationToken cancellation)
    {
        DeploymentBlock = await Rpc.BlockNumberAsync(cancellation);
        Contracts = await SharedContracts.FindAsync(Rpc, ChainId, members, cancellation);
        await StoreAsync(connection, cancellation);
    }

    async Task StoreAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var (contract, address) in Contracts)
        {
            await connection.ExecuteAsync(cancellation, "INSERT INTO chain_deployment (contract, address, chain_id, block) VALUES ($1, $2, $3, $4)",
                contract.ToString(), address.ToArray(), (long)ChainId, (long)DeploymentBlock);
        }
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Waits until a block is durable. A network that makes blocks for transactions alone would never get there: it is given one.</summary>
    async Task DurableAsync(IChainFinality finality, ulong block, CancellationToken cancellation)
    {
        var quiet = time.GetTimestamp();
        for (ulong newest = 0; await finality.DurableBlockAsync(Rpc, cancellation) < block; await Task.Delay(Poll, time, cancellation))
        {
            var latest = await Rpc.BlockNumberAsync(cancellation);
            if (latest > newest)
            {
                (newest, quiet) = (latest, time.GetTimestamp());
            }
            else if (time.GetElapsedTime(quiet) > QuietMax)
            {
                await SendAsync(keys.Chain.Address, [], cancellation);
            }
        }
    }

    async Task<(Address Address, ulong Block)> DeployAsync(byte[] code, CancellationToken cancellation)
    {
        var receipt = await SendAsync(null, code, cancellation);
        return receipt is { Succeeded: true, ContractAddress: { } address }
            ? (address, receipt.BlockNumber)
            : throw new SetupException("The chain refused to deploy a contract. Check that the node's account may deploy and pays no fee it does not have.");
    }
}
