using Salus.Cli.Terminal;
using Spectre.Console;

namespace Salus.Cli.Learn;

/// <summary>Shows how much of a longer computation is done: a bar on a terminal, nothing elsewhere.</summary>
static class ShareTeller
{
    public static async Task<T> RunAsync<T>(string what, bool quiet, Func<IProgress<double>?, T> work, CancellationToken cancellation)
    {
        if (quiet || !StepTeller.IsLive)
        {
            return await Task.Run(() => work(null), cancellation);
        }
        return await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(what), maxValue: 1);
                return await Task.Run(() => work(new Told(task)), cancellation);
            });
    }

    sealed class Told(ProgressTask task) : IProgress<double>
    {
        public void Report(double value) => task.Value = value;
    }
}
