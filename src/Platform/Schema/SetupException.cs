namespace Salus.Platform.Schema;

/// <summary>The database or the chain is not the one this node needs. The message is one line and ends with the mend.</summary>
public sealed class SetupException(string message, Exception? inner = null) : Exception(message, inner);
