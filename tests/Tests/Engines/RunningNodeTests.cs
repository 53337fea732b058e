using System.Text.Json;
using Salus.Host.Engines;
using Salus.Host.Node;

namespace Salus.Tests.Engines;

public sealed class RunningNodeTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-test-").FullName;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    string NodeFile => Path.Combine(folder, "node.json");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_file_that_a_killed_node_left_is_not_believed_though_its_process_number_is_alive_again()
    {
        await WriteAsync();
        Assert.Null(await RunningNode.FindAsync(folder));
        await File.WriteAllTextAsync(Path.Combine(folder, "node.lock"), "", Cancellation);
        Assert.Null(await RunningNode.FindAsync(folder));
    }

    [Fact]
    public async Task A_node_that_holds_its_folder_is_found_by_what_it_told_and_gone_when_it_lets_go()
    {
        using (await RunningNode.TakeAsync(folder))
        {
            await WriteAsync();
            Assert.Equal("Host=here", (await RunningNode.FindAsync(folder))?.Database);
        }
        Assert.Null(await RunningNode.FindAsync(folder));
        Assert.False(File.Exists(NodeFile));
    }

    [Fact]
    public async Task A_starting_node_forgets_what_a_killed_one_told()
    {
        await WriteAsync();
        using var node = await RunningNode.TakeAsync(folder);
        var early = await Assert.ThrowsAsync<NodeException>(() => RunningNode.FindAsync(folder));
        Assert.Contains("just starting", early.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_has_one_node_at_a_time_and_the_second_is_told_the_first()
    {
        using var first = await RunningNode.TakeAsync(folder);
        var refused = await Assert.ThrowsAsync<EngineException>(() => RunningNode.TakeAsync(folder));
        Assert.Contains($"another Salus node (pid {Environment.ProcessId})", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clinic", "salus.local/clinic")]
    [InlineData("St. Mary's + friends", "salus.local/St.-Mary-s---friends")]
    public async Task A_log_is_named_after_its_first_folder_in_the_letters_that_a_note_allows(string name, string origin)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        Assert.Equal(origin, await RunningNode.OriginAsync(data));
    }

    Task WriteAsync() => File.WriteAllTextAsync(NodeFile, JsonSerializer.Serialize(new NodePlace(Environment.ProcessId, 1, "Host=here", "http://127.0.0.1:1/")), Cancellation);
}
