namespace Salus.Host.Engines;

/// <summary>A native engine cannot run here. The message is one line and ends with the mend.</summary>
public sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);
