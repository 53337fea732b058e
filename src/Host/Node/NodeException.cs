namespace Salus.Host.Node;

/// <summary>The node cannot run as it was asked to; the message says why and the mend.</summary>
public class NodeException(string message) : Exception(message);
