using System.CommandLine;
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
var root = new RootCommand("Salus: a health record that can be checked instead of believed.")
{
    UpCommand.Create(), DemoCommand.Create(), ImportCommand.Create(), VerifyCommand.Create(), LearnCommand.Create(), CheckpointCommand.Create(),
};
using var interruption = new Interruption();
try
{
    // The commands end in their own order when they are interrupted, and errors are one line: the library's own handling of both is off.
    return await root.Parse(args).InvokeAsync(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, interruption.Token);
}
catch (CliException refusal)
{
    return Refuse(refusal.Message, refusal.ExitCode);
}
catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
{
    return Interruption.ExitCode;
}
catch (HttpRequestException away)
{
    return Refuse($"The node does not answer: {away.Message} Check the address, and that the node runs.", 1);
}
catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
{
    return Refuse(denied.Message, 1);
}
catch (JsonException unreadable)
{
    return Refuse($"The answer of the node cannot be read: {unreadable.Message} Is the address that of a Salus node of this version?", 1);
}
catch (Exception fault) when (Environment.GetEnvironmentVariable("SALUS_TRACE") is null)
{
    return Refuse($"A fault of this program: {fault.GetType().Name}: {fault.Message} With SALUS_TRACE=1 in the environment it tells where.", 70);
}

static int Refuse(string reason, int exitCode)
{
    Console.Error.WriteLine($"salus: {reason.ReplaceLineEndings(" ")}");
    return exitCode;
}
