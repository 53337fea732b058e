namespace Salus.Cli;

/// <summary>What the program exits with.</summary>
static class ExitCodes
{
    /// <summary>What was asked for is done, and holds.</summary>
    public const int Done = 0;

    /// <summary>It could not be done; the reason and the mend are the last line on standard error.</summary>
    public const int Refused = 1;

    /// <summary>Something was found: <c>verify</c>, that differs from what the log says; <c>learn</c>, that would make figures lie.</summary>
    public const int Findings = 2;

    /// <summary><c>verify</c>: what was checked holds, but something could not be checked.</summary>
    public const int Unchecked = 3;

    /// <summary>The command line is not understood (EX_USAGE of sysexits).</summary>
    public const int Usage = 64;

    /// <summary>A fault of the program itself (EX_SOFTWARE of sysexits).</summary>
    public const int Fault = 70;

    /// <summary>Interrupted by Ctrl+C or a termination signal (128 + SIGINT).</summary>
    public const int Interrupted = 130;
}
