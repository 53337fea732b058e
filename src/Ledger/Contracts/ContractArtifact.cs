using System.Text.Json;
using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>A compiled contract: its interface, and the code that creates it.</summary>
public sealed class ContractArtifact
{
    // Solidity's own errors: a require with a message, and a failed assertion or overflow
    static readonly AbiError[] BuiltIn =
    [
        new("Error", [new AbiParameter("message", AbiType.Parse("string"), IsIndexed: false)]),
        new("Panic", [new AbiParameter("code", AbiType.Parse("uint256"), IsIndexed: false)]),
    ];

    readonly Dictionary<string, AbiFunction> functions = [];
    readonly Dictionary<string, AbiEvent> events = [];
    readonly List<AbiError> errors = [.. BuiltIn];
    readonly AbiFunction constructor = new("", [], []);
    readonly byte[] bytecode;

    ContractArtifact(JsonElement json)
    {
        bytecode = Hex.Data(json.GetProperty("bytecode").GetString());
        foreach (var entry in json.GetProperty("abi").EnumerateArray())
        {
            var inputs = AbiParameter.List(entry, "inputs");
            switch (entry.GetProperty("type").GetString())
            {
                case "function":
                    functions.Add(Name(entry), new AbiFunction(Name(entry), inputs, AbiParameter.List(entry, "outputs")));
                    break;
                case "event":
                    events.Add(Name(entry), new AbiEvent(Name(entry), inputs));
                    break;
                case "error":
                    errors.Add(new AbiError(Name(entry), inputs));
                    break;
                case "constructor":
                    constructor = new AbiFunction("", inputs, []);
                    break;
            }
        }
    }

    /// <summary>Reads the artifact that is built into this assembly.</summary>
    internal static ContractArtifact Load(string name)
    {
        using var stream = typeof(ContractArtifact).Assembly.GetManifestResourceStream($"Salus.Ledger.Contracts.Artifacts.{name}.json")
            ?? throw new InvalidOperationException($"The compiled contract {name} is not built into this program.");
        using var json = JsonDocument.Parse(stream);
        return new ContractArtifact(json.RootElement);
    }

    /// <summary>A function by its name.</summary>
    public AbiFunction Function(string name) => functions[name];

    /// <summary>An event by its name.</summary>
    public AbiEvent Event(string name) => events[name];

    /// <summary>The data of the transaction that creates the contract.</summary>
    public byte[] Create(params IReadOnlyList<object> arguments) =>
        [.. bytecode, .. AbiEncoder.Encode(AbiParameter.Types(constructor.Inputs), arguments)];

    /// <summary>Why a call reverted, by the contract's own errors; null where the data spells none of them.</summary>
    public RevertReason? Reason(ReadOnlySpan<byte> revertData)
    {
        foreach (var error in errors)
        {
            if (error.TryDecode(revertData) is { } reason)
                return reason;
        }
        return null;
    }

    /// <summary>Why the node's error says that a call reverted; null where it does not.</summary>
    public RevertReason? Reason(EvmRpcException error) => error.RevertData is { } data ? Reason(data) : null;

    internal async Task<object[]> ViewAsync(
        EvmRpc rpc, Address contract, string function, BlockTag tag, CancellationToken cancellationToken, params IReadOnlyList<object> arguments)
    {
        var view = functions[function];
        return view.DecodeResult(await rpc.CallAsync(new EvmCall(contract, view.Encode(arguments)), tag, cancellationToken));
    }

    static string Name(JsonElement entry) => entry.GetProperty("name").GetString()!;
}
