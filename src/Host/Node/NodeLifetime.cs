namespace Salus.Host.Node;

/// <summary>The node's process decides when the web host stops, so the web host listens to no signal itself: two listeners would race.</summary>
sealed class NodeLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
