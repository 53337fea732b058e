using System.Text.Json.Nodes;
using Salus.Ledger.Evm;

namespace Salus.Tests.Platform;

/// <summary>
/// What Hyperledger Besu's documentation says of JSON-RPC under QBFT, before another engine: no finalized or safe block, no fee, transactions that
/// its pool drops without a word, no receipts by the block, no proofs of states that were pruned, and none of a developers' network's commands.
/// </summary>
sealed class BesuLimits(EvmRpc chain)
{
    const int MethodNotFound = -32601;
    const int DroppedEvery = 3;

    int handedIn;

    public async Task<JsonObject?> Answer(JsonObject call, CancellationToken cancellation)
    {
        var method = call["method"]!.GetValue<string>();
        var parameters = call["params"]!.AsArray();
        if (parameters.Any(parameter => parameter is JsonValue value && value.TryGetValue<string>(out var text) && text is "finalized" or "safe"))
        {
            return Error(-39001, "Unknown block");
        }
        switch (method)
        {
            case "eth_gasPrice":
                return new JsonObject { ["result"] = "0x0" };
            case "eth_getBlockReceipts":
            case var command when command.StartsWith("anvil_", StringComparison.Ordinal) || command.StartsWith("evm_", StringComparison.Ordinal) || command.StartsWith("hardhat_", StringComparison.Ordinal):
                return Error(MethodNotFound, "Method not found");
            case "eth_getProof" when Hex.Quantity64(parameters[2]!.GetValue<string>()) + 1 < await chain.BlockNumberAsync(cancellation):
                return Error(-32000, "World state unavailable");
            case "eth_sendRawTransaction" when ++handedIn % DroppedEvery == 0:
                return new JsonObject { ["result"] = Hex.Of(Keccak256.Hash(Hex.Data(parameters[0]!.GetValue<string>()))) };
            default:
                return null;
        }
    }

    static JsonObject Error(int code, string message) => new() { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } };
}
