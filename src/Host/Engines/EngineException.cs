namespace Salus.Host.Engines;

/// <summary>An engine cannot run. The message is one line that names what is wrong and the mend.</summary>
public sealed class EngineException(string message, Exception? cause = null) : Exception(message, cause);
