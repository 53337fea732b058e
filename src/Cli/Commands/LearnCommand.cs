using System.CommandLine;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn</c>: models from tables, or from a node's own records.</summary>
static class LearnCommand
{
    public static Command Create() =>
        new("learn", "Train and use models.") { LearnTrainCommand.Create(), LearnPredictCommand.Create() };
}
