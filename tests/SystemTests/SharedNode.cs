using Salus.SystemTests;
using Salus.SystemTests.Support;

[assembly: AssemblyFixture(typeof(SharedNode))]
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerClass, MaxParallelThreads = 3)]
[assembly: TestCollectionOrderer(typeof(JourneysFirst))]

namespace Salus.SystemTests;

/// <summary>One node with a synthetic cohort for all journeys, started when the first asks for it.</summary>
/// <remarks>Journeys run one after the other, for each sees what the last one did; tests with nodes of their own run beside them.</remarks>
public sealed class SharedNode : IAsyncDisposable
{
    /// <summary>The collection of those who share it.</summary>
    public const string Journeys = "Journeys";

    const int Patients = 30;

    readonly NodeFolders folders = new();
    readonly Lazy<Task<RunningNode>> node;

    public SharedNode() => node = new Lazy<Task<RunningNode>>(() => RunningNode.StartAsync(folders, Patients));

    internal Task<RunningNode> StartedAsync() => node.Value;

    public async ValueTask DisposeAsync()
    {
        if (node.IsValueCreated && node.Value.IsCompletedSuccessfully)
        {
            await (await node.Value).StopAsync();
        }
        folders.Dispose();
    }
}
