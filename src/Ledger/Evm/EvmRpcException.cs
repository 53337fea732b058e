namespace Salus.Ledger.Evm;

/// <summary>An error that the node answered with (JSON-RPC 2.0 section 5.1).</summary>
public sealed class EvmRpcException : Exception
{
    /// <summary>An error as the node told it.</summary>
    public EvmRpcException(string method, int code, string message, byte[]? revertData)
        : base($"{method}: {message} ({code})") =>
        (Method, Code, NodeMessage, RevertData) = (method, code, message, revertData);

    /// <summary>The method that was called.</summary>
    public string Method { get; }

    /// <summary>The JSON-RPC error code.</summary>
    public int Code { get; }

    /// <summary>The node's own words.</summary>
    public string NodeMessage { get; }

    /// <summary>What the contract reverted with: selector and arguments; null where it was no revert or the node does not tell.</summary>
    public byte[]? RevertData { get; }
}
