using System.Collections.Concurrent;
using System.Globalization;

namespace Salus.Host.Node;

/// <summary>How a node logs.</summary>
static class NodeLog
{
    /// <summary>Into files; of the framework only warnings, whose request lines would hold what is searched for.</summary>
    public static void UseNodeLog(this ILoggingBuilder logging, string folder) => logging.ClearProviders()
        .AddProvider(new FileLog(folder)).SetMinimumLevel(LogLevel.Warning).AddFilter("Salus", LogLevel.Information);
}

/// <summary>The node's log: a file a day, the newest week kept. It holds ids only.</summary>
sealed class FileLog : ILoggerProvider
{
    const int DaysKept = 7;
    const int LinesWaitingMax = 10_000;

    readonly string folder;
    readonly BlockingCollection<string> waiting = new(LinesWaitingMax);
    readonly Thread writer;

    public FileLog(string folder)
    {
        this.folder = folder;
        Directory.CreateDirectory(folder);
        writer = new Thread(Write) { IsBackground = true, Name = "log" };
        writer.Start();
    }

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
        waiting.CompleteAdding();
        writer.Join(TimeSpan.FromSeconds(2));
        waiting.Dispose();
    }

    void Write()
    {
        foreach (var line in waiting.GetConsumingEnumerable())
        {
            try
            {
                var path = Path.Combine(folder, $"salus-{line[..10]}.log");
                if (!File.Exists(path))
                {
                    RemoveOld();
                }
                File.AppendAllText(path, line + Environment.NewLine);
            }
            catch (IOException)
            {
                // A full disk must not stop the node for want of a log line.
            }
        }
    }

    void RemoveOld()
    {
        foreach (var old in Directory.GetFiles(folder, "salus-*.log").OrderDescending().Skip(DaysKept))
        {
            File.Delete(old);
        }
    }

    sealed class Category(FileLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
            // Of an exception only its type and trace: its message may quote what it choked on.
            var trace = exception is null ? "" : $" | {exception.GetType().FullName} {exception.StackTrace?.ReplaceLineEndings(" ")}";
            log.waiting.TryAdd($"{time} {logLevel} {name}: {formatter(state, exception).ReplaceLineEndings(" ")}{trace}");
        }
    }
}
