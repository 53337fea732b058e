using System.CommandLine;
using System.CommandLine.Help;
using Salus.Cli.Terminal;

namespace Salus.Cli.Commands;

/// <summary><c>salus</c>: all commands.</summary>
static class SalusCommand
{
    /// <summary>The command as it is typed, whatever the program's file is called.</summary>
    public static Command Create()
    {
        var help = new HelpOption();
        help.Action = new FullHelp((HelpAction)help.Action!);
        return new Command("salus", "Salus: a health record that can be checked instead of believed.")
        {
            help, new VersionOption(),
            UpCommand.Create(), DemoCommand.Create(), ImportCommand.Create(), VerifyCommand.Create(), CheckpointCommand.Create(), BackupCommand.Create(), RestoreCommand.Create(), LearnCommand.Create(),
        };
    }
}
