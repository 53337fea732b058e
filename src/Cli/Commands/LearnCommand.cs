using System.CommandLine;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn</c>: models from tables, or from a node's own records.</summary>
static class LearnCommand
{
    public static Command Create() =>
        new("learn", "Train, judge and use models.")
        {
            LearnTrainCommand.Create(), LearnEvaluateCommand.Create(), LearnPredictCommand.Create(), LearnExplainCommand.Create(),
            LearnCompareCommand.Create(), LearnCardCommand.Create(), LearnAnomalyCommand.Create(), LearnRecipesCommand.Create(),
        };
}
