using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>Backup of a running node, and restoring it, as its owner does both.</summary>
public sealed class BackupTests
{
    [Fact]
    public async Task A_node_that_is_backed_up_under_load_comes_back_whole_and_with_its_old_log_after_a_gap()
    {
        await using var clinic = await Clinic.OpenAsync();
        var letter = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"u8.ToArray();
        await clinic.UploadAsync(letter, "application/pdf");
        using var stop = new CancellationTokenSource();
        var writing = clinic.WriteAsync(stop.Token);
        await clinic.UntilWrittenAsync(5);
        var backup = Path.Combine(clinic.Folders.Elsewhere, "backup");
        var made = await RunAsync("backup", "--data", clinic.Folders.Data, "--out", backup, "--json");
        Assert.True(made.ExitCode == 0, $"{made}");
        var manifest = JsonElement.Parse(made.Output);
        Assert.True(manifest.GetProperty("logSize").GetInt64() > 5);
        await clinic.UntilWrittenAsync(5);
        await stop.CancelAsync();
        await writing;
        await clinic.RequireAllAnchoredAsync();
        (await RunAsync("backup", "--data", clinic.Folders.Data, "--out", backup)).RequireRefusal(1, "overwrites nothing");
        RequireNoKey(backup, clinic.Folders.Keys);
        await clinic.Node.StopAsync();

        // Alone: as it was at that moment, with nothing missing
        using var alone = new Restored(clinic.Folders);
        var restored = await RunAsync("restore", "--from", backup, "--data", alone.Folders.Data, "--manifest-hash", manifest.GetProperty("manifestHash").GetString()!);
        Assert.True(restored.ExitCode == 0, $"{restored}");
        await StartAsync(alone.Folders);
        var whole = await RunAsync("verify", "--data", alone.Folders.Data);
        Assert.True(whole.ExitCode == 0, $"{whole}");
        Assert.Contains("1 sealed files", whole.Output, StringComparison.Ordinal);
        (await RunAsync("restore", "--from", backup, "--data", alone.Folders.Data)).RequireRefusal(1, "is not empty");

        // With the log of the old folder: what was logged since is lost, and told
        using var after = new Restored(clinic.Folders);
        restored = await RunAsync("restore", "--from", backup, "--data", after.Folders.Data, "--log", Path.Combine(clinic.Folders.Data, "log"));
        Assert.True(restored.ExitCode == 0, $"{restored}");
        await StartAsync(after.Folders);
        var gap = await RunAsync("verify", "--data", after.Folders.Data);
        Assert.True(gap.ExitCode == 3, $"{gap}");
        Assert.Contains("were lost when the database was restored from a backup", gap.Output, StringComparison.Ordinal);

        // Bent in one place
        using var bent = new Restored(clinic.Folders);
        (await RunAsync("restore", "--from", backup, "--data", bent.Folders.Data, "--manifest-hash", new string('0', 64))).RequireRefusal(1, "not the one whose hash");
        Flip(Path.Combine(backup, "tables", "entry.copy"));
        (await RunAsync("restore", "--from", backup, "--data", bent.Folders.Data)).RequireRefusal(1, "tables/entry.copy");
        File.Delete(Path.Combine(backup, "tables", "entry.copy"));
        (await RunAsync("restore", "--from", backup, "--data", bent.Folders.Data)).RequireRefusal(1, "lacks tables/entry.copy");
        Assert.False(Directory.Exists(bent.Folders.Data));
    }

    /// <summary>Starts a node on restored folders, waits until its log is anchored, and stops it.</summary>
    static async Task StartAsync(NodeFolders folders)
    {
        await using var node = await RunningNode.StartAsync(folders, patients: 0);
        using (var nobody = ApiClient.Anonymous(node))
        {
            await nobody.AnchoredAsync();
        }
        await node.StopAsync();
    }

    static Task<ProgramRun> RunAsync(params string[] arguments) => ProgramRun.OfAsync(Repository.Cli, arguments);

    static void RequireNoKey(string backup, string keys)
    {
        var master = File.ReadAllText(Path.Combine(keys, "master.key")).Trim();
        var forms = new[] { System.Text.Encoding.ASCII.GetBytes(master), Convert.FromBase64String(master) };
        foreach (var file in Directory.GetFiles(backup, "*", SearchOption.AllDirectories))
        {
            var bytes = File.ReadAllBytes(file);
            Assert.All(forms, form => Assert.True(bytes.AsSpan().IndexOf(form) < 0, $"{file} holds the master key"));
        }
    }

    static void Flip(string path)
    {
        using var file = File.Open(path, FileMode.Open);
        file.Seek(file.Length / 2, SeekOrigin.Begin);
        var old = file.ReadByte();
        file.Seek(-1, SeekOrigin.Current);
        file.WriteByte((byte)(old ^ 1));
    }

    /// <summary>Folders of another node with the same master key.</summary>
    sealed class Restored : IDisposable
    {
        public Restored(NodeFolders original)
        {
            Directory.CreateDirectory(Folders.Keys, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var file in Directory.GetFiles(original.Keys))
            {
                File.Copy(file, Path.Combine(Folders.Keys, Path.GetFileName(file)));
            }
        }

        public NodeFolders Folders { get; } = new();

        public void Dispose() => Folders.Dispose();
    }
}
