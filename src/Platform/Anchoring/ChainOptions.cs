using System.ComponentModel.DataAnnotations;
using Salus.Ledger.Evm;

namespace Salus.Platform.Anchoring;

/// <summary>Settings under <c>Salus:Ledger</c>.</summary>
public sealed record ChainOptions : IValidatableObject
{
    /// <summary>The EVM network's JSON-RPC address, or several with commas between them; empty for the embedded chain.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>Further addresses of the same network.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>Every address given, in the order they are asked.</summary>
    public IReadOnlyList<string> Addresses =>
        [.. Endpoint.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Concat(Endpoints.Where(address => address.Length > 0)).Distinct()];

    /// <summary>The contract <c>Members</c> of the consortium to join at the first start; empty to found one.</summary>
    public string Members { get; init; } = "";

    /// <summary><see cref="Members"/> as an address; null where none is named.</summary>
    public Address? Consortium => Members.Length == 0 ? null : Address.Parse(Members);

    /// <summary>Blocks that must stand above a transaction before it counts as durable on an external network.</summary>
    [Range(0, 1000)]
    public int Depth { get; init; } = 1;

    /// <summary>Least time between two anchored heads, in milliseconds: more leaves share one transaction when it is longer.</summary>
    [Range(0, 3_600_000)]
    public int AnchorEveryMilliseconds { get; init; } = 1000;

    /// <summary>Blocks that a reorganisation of an external network may take away; beyond it, consents are not read on until somebody has looked.</summary>
    [Range(1, 100_000)]
    public int ReorganizationMax { get; init; } = 128;

    /// <summary>How long a transaction waits for a block before its price is raised by an eighth.</summary>
    [Range(1, 3600)]
    public int RaiseAfterSeconds { get; init; } = 30;

    /// <summary>The most that is paid for a unit of gas, in units of 10^9 wei.</summary>
    [Range(1, 1_000_000)]
    public int FeeMaxGwei { get; init; } = 500;

    internal FeePolicy Fees => new(PerGasMaxWei: (ulong)FeeMaxGwei * 1_000_000_000);

    internal SendPolicy Sending => SendPolicy.Default with { WaitPerTry = TimeSpan.FromSeconds(RaiseAfterSeconds) };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var fault = "";
        try
        {
            _ = Consortium;
        }
        catch (FormatException malformed)
        {
            fault = malformed.Message;
        }
        if (fault.Length > 0)
        {
            yield return new ValidationResult($"Salus:Ledger:Members is no address: {fault}");
        }
    }
}

/// <summary>Which blocks can no longer be lost.</summary>
public interface IChainFinality
{
    /// <summary>Makes durable what can be, and tells the newest block that is.</summary>
    ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation);

    /// <summary>How many blocks may be lost at once without somebody having to look.</summary>
    ulong ReorganizationMax { get; }
}

/// <summary>An external network: a block is durable once a number of others stand above it.</summary>
public sealed class DepthFinality(int depth, int reorganizationMax) : IChainFinality
{
    /// <inheritdoc/>
    public ulong ReorganizationMax => (ulong)reorganizationMax;

    /// <inheritdoc/>
    public async ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation)
    {
        var latest = await rpc.BlockNumberAsync(cancellation);
        return latest > (ulong)depth ? latest - (ulong)depth : 0;
    }
}
