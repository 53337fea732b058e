using System.Numerics;
using System.Text.Json;
using Salus.Ledger.Evm;

namespace Salus.Host.Node;

/// <summary>An EVM network that somebody else runs: whether it answers, and whether the node's account can pay there.</summary>
static class ExternalChain
{
    static readonly BigInteger DevelopmentWei = BigInteger.Pow(10, 24);
    // What the contracts cost to deploy is far below; it is the least that makes a start worth trying.
    static readonly BigInteger GasNeeded = 20_000_000;
    // PUSH0 PUSH0 PUSH0 MCOPY STOP: EIP-5656, of Cancun.
    static readonly byte[] CopiesMemory = [0x5f, 0x5f, 0x5f, 0x5e, 0x00];

    const int EndpointsMax = 8;

    /// <summary>The addresses as they were given.</summary>
    /// <exception cref="NodeException">One is no HTTP address, or there are too many.</exception>
    public static IReadOnlyList<Uri> Parse(IReadOnlyList<string> addresses) => addresses.Count <= EndpointsMax
        ? [.. addresses.Select(Parse)]
        : throw new NodeException($"--ledger names {addresses.Count} endpoints. Give at most {EndpointsMax}.");

    static Uri Parse(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https"
            ? parsed
            : throw new NodeException($"--ledger '{address}' is no address of a JSON-RPC endpoint. Give one such as http://127.0.0.1:8545.");

    /// <summary>Requires one network behind all endpoints that answer, and at least one that does.</summary>
    /// <exception cref="NodeException">None answers, or one is of another network.</exception>
    public static async Task RequireAsync(HttpClient http, IReadOnlyList<Uri> addresses, CancellationToken cancellation)
    {
        Dictionary<Uri, ulong> chains = [];
        NodeException? away = null;
        foreach (var address in addresses)
        {
            var rpc = new EvmRpc(http, address);
            try
            {
                await RequireAsync(rpc, address, cancellation);
                chains[address] = await rpc.ChainIdAsync(cancellation);
            }
            catch (EndpointAwayException refused) when (addresses.Count > 1)
            {
                // One that is away now may come back: it is asked for its chain then.
                away = refused;
            }
        }
        if (chains.Count == 0)
        {
            throw away!;
        }
        if (chains.Values.Distinct().Count() > 1)
        {
            throw new NodeException($"--ledger names different networks: {string.Join(", ", chains.Select(chain => $"{chain.Key} answers for {chain.Value}"))}. Give endpoints of one.");
        }
    }

    /// <summary>Asks the network for its id, and whether it knows what the contracts are compiled to.</summary>
    /// <exception cref="NodeException">Nothing answers there, something else than an EVM network, or one before Cancun.</exception>
    static async Task RequireAsync(EvmRpc rpc, Uri address, CancellationToken cancellation)
    {
        try
        {
            await rpc.ChainIdAsync(cancellation);
            await rpc.BlockNumberAsync(cancellation);
        }
        catch (Exception away) when (away is HttpRequestException { StatusCode: null } || (away is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new EndpointAwayException($"The chain at {address} does not answer: {away.Message.TrimEnd('.')}. Check --ledger, and that the network's node runs and listens there.");
        }
        catch (Exception other) when (other is EvmRpcException or FormatException or HttpRequestException or JsonException)
        {
            throw new NodeException($"What answers at {address} speaks no Ethereum JSON-RPC: {other.Message.TrimEnd('.')}. Check --ledger.");
        }
        try
        {
            await rpc.CallAsync(new EvmCall(null, CopiesMemory, default), cancellationToken: cancellation);
        }
        catch (EvmRpcException refused)
        {
            throw new NodeException($"The chain at {address} cannot run the contracts ({refused.NodeMessage}). They need a network at Cancun or later.");
        }
    }

    /// <summary>Makes sure that the node's account can pay. A network of developers (anvil, Hardhat) is asked for the money; elsewhere its owner sends it.</summary>
    /// <exception cref="NodeException">It cannot.</exception>
    public static async Task RequireFundsAsync(EvmRpc rpc, string address, Address account, CancellationToken cancellation)
    {
        var latest = await rpc.BlockAsync(BlockTag.Latest, cancellation);
        var price = latest?.BaseFee is { Sign: > 0 } fee ? 2 * fee : await rpc.GasPriceAsync(cancellation);
        if (price.IsZero || await rpc.BalanceAsync(account, default, cancellation) is { IsZero: false } || await IsGivenAsync(rpc, account, cancellation))
        {
            return;
        }
        var wei = price * GasNeeded;
        throw new NodeException(
            $"The node's account {account} has nothing on the chain at {address} (id {await rpc.ChainIdAsync(cancellation)}), where a transaction costs a fee. " +
            $"Send it at least {wei} wei and start again, or use a network whose base fee is zero.");
    }

    static async Task<bool> IsGivenAsync(EvmRpc rpc, Address account, CancellationToken cancellation)
    {
        try
        {
            await rpc.CallAsync("hardhat_setBalance", _ => true, cancellation, account.ToString(), "0x" + DevelopmentWei.ToString("x").TrimStart('0'));
            return await rpc.BalanceAsync(account, default, cancellation) > 0;
        }
        catch (Exception refused) when (refused is EvmRpcException or FormatException or HttpRequestException)
        {
            return false;
        }
    }
}

/// <summary>An endpoint does not answer now.</summary>
sealed class EndpointAwayException(string message) : NodeException(message);
