using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Salus.Host.Engines;

namespace Salus.Tests.Engines;

public sealed class EmbeddedPostgresTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-test-").FullName;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_was_committed_is_there_after_a_restart()
    {
        await using (var first = await StartAsync())
        {
            await RunAsync(first, "CREATE TABLE note (body text); INSERT INTO note VALUES ('kept')");
        }

        await using var second = await StartAsync();
        Assert.Equal("kept", await RunAsync(second, "SELECT body FROM note"));
        Assert.Equal("on|on|on||UTF8|none", await RunAsync(second, """
            SELECT concat_ws('|', current_setting('fsync'), current_setting('synchronous_commit'), current_setting('data_checksums'),
                current_setting('listen_addresses'), current_setting('server_encoding'), current_setting('log_statement'))
            """));
    }

    [Fact]
    public async Task A_killed_server_comes_back_on_the_same_socket_with_what_was_committed()
    {
        await using var postgres = await StartAsync();
        await RunAsync(postgres, "CREATE TABLE note (body text); INSERT INTO note VALUES ('kept')");

        var killed = postgres.Pid;
        Process.GetProcessById(killed).Kill();
        await EmbeddedChainTests.WaitUntilAsync(() => postgres.Pid != killed);

        Assert.Equal("kept", await RunAsync(postgres, "SELECT body FROM note"));
    }

    [Fact]
    public async Task A_folder_that_others_cannot_enter_holds_its_cluster_all_the_same()
    {
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var closed = Path.Combine(folder, "closed");

        await using var postgres = await EmbeddedPostgres.StartAsync(closed, NullLogger.Instance, Cancellation);
        Assert.Equal(1, await RunAsync(postgres, "SELECT 1"));
        Assert.True(File.Exists(Path.Combine(closed, "cluster", "PG_VERSION")));
    }

    [Fact]
    public async Task A_folder_that_was_moved_brings_what_was_committed_along()
    {
        var (first, second) = (Path.Combine(folder, "first"), Path.Combine(folder, "second"));
        await using (var postgres = await EmbeddedPostgres.StartAsync(first, NullLogger.Instance, Cancellation))
        {
            await RunAsync(postgres, "CREATE TABLE note (body text); INSERT INTO note VALUES ('kept')");
        }

        Directory.Move(first, second);
        await using var moved = await EmbeddedPostgres.StartAsync(second, NullLogger.Instance, Cancellation);
        Assert.Equal("kept", await RunAsync(moved, "SELECT body FROM note"));
    }

    [Fact]
    public async Task A_server_that_stays_down_ends_its_completion_with_the_reason()
    {
        await using var postgres = await StartAsync();
        Directory.Move(Path.Combine(folder, "cluster"), Path.Combine(folder, "lost"));
        Process.GetProcessById(postgres.Pid).Kill();
        var reason = await Assert.ThrowsAsync<EngineException>(() => postgres.Completion);
        Assert.Contains("5 restarts failed", reason.Message);
    }

    [Fact]
    public async Task A_second_node_on_the_same_folder_is_refused()
    {
        await using var postgres = await StartAsync();
        var refused = await Assert.ThrowsAsync<EngineException>(StartAsync);
        Assert.Contains($"another Salus node (pid {Environment.ProcessId}) uses this data folder", refused.Message);
    }

    [Fact]
    public async Task No_statement_reaches_the_log()
    {
        await using var postgres = await StartAsync();
        await Assert.ThrowsAsync<PostgresException>(() => RunAsync(postgres, "SELECT 'patient-detail' FROM nowhere"));
        var log = await File.ReadAllTextAsync(Path.Combine(folder, "postgres.log"), Cancellation);
        Assert.Contains("nowhere", log);
        Assert.DoesNotContain("patient-detail", log);
    }

    Task<EmbeddedPostgres> StartAsync() => EmbeddedPostgres.StartAsync(folder, NullLogger.Instance, Cancellation);

    static async Task<object?> RunAsync(EmbeddedPostgres postgres, string sql)
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
