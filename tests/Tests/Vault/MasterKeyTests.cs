using System.Security.Cryptography;
using Salus.Tests.Platform;
using Salus.Vault.Keys;

namespace Salus.Tests.Vault;

public sealed class MasterKeyTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-keys-");

    string KeyFile => Path.Combine(folder.FullName, "kept", "master.key");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_new_key_file_is_its_owners_alone()
    {
        MasterKey.FromFile(KeyFile, create: true);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal(32, Convert.FromBase64String(File.ReadAllText(KeyFile)).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(KeyFile)!));
    }

    [Fact]
    public async Task The_file_opens_what_it_sealed()
    {
        await using var ground = await VaultGround.NewAsync();
        await ground.Database.ExecuteAsync("DELETE FROM vault_owner");
        await ground.Database.ExecuteAsync("DELETE FROM vault_epoch");
        var before = (await VaultGround.OpenAsync(ground.Database, MasterKey.FromFile(KeyFile, create: true))).Blind("a", "b");
        Assert.Equal(before, (await VaultGround.OpenAsync(ground.Database, MasterKey.FromFile(KeyFile, create: true))).Blind("a", "b"));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_key_that_others_can_reach_is_refused_with_the_mend(UnixFileMode others)
    {
        MasterKey.FromFile(KeyFile, create: true);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
        var refusal = Assert.Throws<VaultException>(() => MasterKey.FromFile(KeyFile, create: false));
        Assert.Contains($"chmod 600 {KeyFile}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_key_is_not_replaced_by_a_new_one()
    {
        var refusal = Assert.Throws<VaultException>(() => MasterKey.FromFile(KeyFile, create: false));
        Assert.Contains(KeyFile, refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(KeyFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("c2hvcnQ=")]
    public void What_is_no_key_is_refused(string text) => Assert.Throws<VaultException>(() => MasterKey.Parse(text, "a test"));

    [Fact]
    public void A_key_that_is_too_long_is_refused_and_not_shown()
    {
        var text = Convert.ToBase64String(RandomNumberGenerator.GetBytes(33));
        var refusal = Assert.Throws<VaultException>(() => MasterKey.Parse(text, "a test"));
        Assert.DoesNotContain(text, refusal.Message, StringComparison.Ordinal);
    }
}
