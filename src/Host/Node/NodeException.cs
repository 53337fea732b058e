namespace Salus.Host.Node;

/// <summary>The node cannot run as it was asked to; the message says why and the mend.</summary>
public sealed class NodeException(string message) : Exception(message);
