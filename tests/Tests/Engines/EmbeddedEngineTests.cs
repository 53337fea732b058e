using System.Diagnostics;
using Npgsql;
using Salus.Host.Engines;

namespace Salus.Tests.Engines;

public sealed class EmbeddedEngineTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-engine-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task What_was_committed_is_there_after_a_restart_of_the_node()
    {
        await using (var first = await EmbeddedPostgres.StartAsync(folder.FullName))
        {
            await ExecuteAsync(first.ConnectionString, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('here')");
        }

        await using var second = await EmbeddedPostgres.StartAsync(folder.FullName);
        Assert.Equal("here", await ExecuteAsync(second.ConnectionString, "SELECT word FROM kept"));
    }

    [Fact]
    public async Task A_killed_postgres_comes_back_under_the_same_connection_string()
    {
        await using var postgres = await EmbeddedPostgres.StartAsync(folder.FullName);
        var killed = postgres.ProcessId;
        Kill(killed);
        Assert.Equal(1, await UntilAsync(() => ExecuteAsync(postgres.ConnectionString, "SELECT 1")));
        Assert.NotEqual(killed, postgres.ProcessId);
    }

    [Fact]
    public async Task A_folder_in_use_is_refused_with_the_holder()
    {
        await using var holder = await EmbeddedPostgres.StartAsync(folder.FullName);
        var refusal = await Assert.ThrowsAsync<EngineException>(() => EmbeddedPostgres.StartAsync(folder.FullName));
        Assert.Contains($"another Salus node (pid {Environment.ProcessId})", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_chain_comes_back_at_its_last_snapshot_on_the_same_port()
    {
        await using var chain = await EmbeddedChain.StartAsync(folder.FullName);
        await chain.FundAsync("0x00000000000000000000000000000000000a11ce");
        Assert.Equal(0UL, await chain.SnapshotAsync());
        var killed = chain.ProcessId;
        Kill(killed);
        await UntilAsync(async () => (object?)await chain.SnapshotAsync());
        Assert.NotEqual(killed, chain.ProcessId);
    }

    [Fact]
    public async Task A_damaged_snapshot_is_passed_over_for_the_one_before()
    {
        await using (var chain = await EmbeddedChain.StartAsync(folder.FullName))
        {
            await chain.SnapshotAsync();
        }

        var whole = Directory.GetFiles(folder.FullName, "snapshot-*.json")[0];
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, $"snapshot-9-{new string('0', 64)}.json"), await File.ReadAllTextAsync(whole));
        await using var again = await EmbeddedChain.StartAsync(folder.FullName);
        Assert.Equal(0UL, again.DurableBlock);
    }

    static void Kill(int id)
    {
        using var process = Process.GetProcessById(id);
        process.Kill();
        process.WaitForExit();
    }

    static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    static async Task<object?> UntilAsync(Func<Task<object?>> attempt)
    {
        for (var left = 100; ; left--)
        {
            try
            {
                return await attempt();
            }
            catch (Exception failure) when (left > 0 && failure is NpgsqlException or EngineException)
            {
                await Task.Delay(100);
            }
        }
    }
}
