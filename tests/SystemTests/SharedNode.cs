using Salus.SystemTests;
using Salus.SystemTests.Support;

[assembly: AssemblyFixture(typeof(SharedNode))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Salus.SystemTests;

/// <summary>One node with a synthetic cohort for all journeys, started when the first asks for it.</summary>
public sealed class SharedNode : IAsyncDisposable
{
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
