using System.ComponentModel.DataAnnotations;
using Salus.Ledger.Evm;

namespace Salus.Platform.Anchoring;

/// <summary>Settings under <c>Salus:Ledger</c>.</summary>
public sealed record ChainOptions : IValidatableObject
{
    /// <summary>The EVM network's JSON-RPC address; empty for the embedded chain.</summary>
    public Uri? Endpoint { get; init; }

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
}

/// <summary>An external network: a block is durable once a number of others stand above it.</summary>
public sealed class DepthFinality(int depth) : IChainFinality
{
    /// <inheritdoc/>
    public async ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation)
    {
        var latest = await rpc.BlockNumberAsync(cancellation);
        return latest > (ulong)depth ? latest - (ulong)depth : 0;
    }
}
