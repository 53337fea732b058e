using System.CommandLine;
using System.CommandLine.Help;
using System.Text.Json;
using Salus.Cli;
using Salus.Cli.Commands;
using Salus.Cli.Terminal;

if (Console.IsOutputRedirected)
{
    Spectre.Console.AnsiConsole.Profile.Capabilities.Ansi = false;
    // A table that wraps breaks the ids that a script looks for.
    Spectre.Console.AnsiConsole.Profile.Width = 400;
}
// Without a word, what there is to say.
var line = SalusCommand.Create().Parse(args.Length == 0 ? ["--help"] : args);
if (line.Action is not HelpAction and not FullHelp && Usage.Objection(line) is { } objection)
{
    return Refuse(objection, ExitCodes.Usage);
}
using var interruption = new Interruption();
try
{
    // The commands end in their own order when they are interrupted, and errors are one line: the library's own handling of both is off.
    return await line.InvokeAsync(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, interruption.Token);
}
catch (CliException refusal)
{
    return Refuse(refusal.Message, refusal.ExitCode);
}
catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
{
    return ExitCodes.Interrupted;
}
catch (TaskCanceledException slow) when (slow.InnerException is TimeoutException)
{
    return Refuse("The node did not answer in time. Look at its log, and try again.", ExitCodes.Refused);
}
catch (HttpRequestException away)
{
    return Refuse($"The node does not answer: {away.Message.TrimEnd('.')}. Check the address, and that the node runs.", ExitCodes.Refused);
}
catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
{
    return Refuse(denied.Message, ExitCodes.Refused);
}
catch (JsonException unreadable)
{
    return Refuse($"The answer of the node cannot be read: {unreadable.Message} Is the address that of a Salus node of this version?", ExitCodes.Refused);
}
catch (Exception fault) when (Environment.GetEnvironmentVariable("SALUS_TRACE") is null)
{
    return Refuse($"A fault of this program: {fault.GetType().Name}: {fault.Message} With SALUS_TRACE=1 in the environment it tells where.", ExitCodes.Fault);
}

static int Refuse(string reason, int exitCode)
{
    Console.Error.WriteLine($"salus: {reason.ReplaceLineEndings(" ")}");
    return exitCode;
}
