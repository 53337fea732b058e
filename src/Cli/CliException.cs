namespace Salus.Cli;

/// <summary>What the one at the terminal can mend: shown as one line, without a trace.</summary>
/// <param name="message">What is wrong, and the mend.</param>
/// <param name="exitCode">What the program exits with.</param>
public sealed class CliException(string message, int exitCode = ExitCodes.Refused) : Exception(message)
{
    /// <summary>What the program exits with.</summary>
    public int ExitCode { get; } = exitCode;
}
