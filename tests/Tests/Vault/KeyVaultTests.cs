using Salus.Tests.Platform;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Tests.Vault;

public sealed class KeyVaultTests
{
    static readonly SealContext Context = new("Condition", "c-1", 1);

    [Fact]
    public async Task What_was_sealed_opens_after_a_restart()
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        var sealedBytes = key.Seal(Context, "a note"u8);
        var again = await VaultGround.OpenAsync(ground.Database, ground.Master);
        Assert.True((await again.FindOwnerAsync(key.Id, default))!.TryOpen(Context, sealedBytes, out var opened));
        Assert.Equal("a note"u8.ToArray(), opened);
    }

    [Fact]
    public async Task Another_master_key_is_refused_with_the_mend()
    {
        await using var ground = await VaultGround.NewAsync();
        var refusal = await Assert.ThrowsAsync<VaultException>(() => VaultGround.OpenAsync(ground.Database, MasterKey.CreateTransient()));
        Assert.Contains("sealed under another master key", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--keys", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("set_byte(wrapped, 0, get_byte(wrapped, 0) # 1)")]
    [InlineData("set_byte(wrapped, 59, get_byte(wrapped, 59) # 128)")]
    [InlineData("substring(wrapped FROM 1 FOR 40)")]
    public async Task An_altered_wrapped_key_is_refused_with_its_owner(string change)
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        Assert.Equal(1, await ground.Database.ExecuteAsync($"UPDATE vault_owner SET wrapped = {change} WHERE id = $1", key.Id));
        var again = await VaultGround.OpenAsync(ground.Database, ground.Master);
        var refusal = await Assert.ThrowsAsync<VaultException>(async () => await again.FindOwnerAsync(key.Id, default));
        Assert.Contains(key.Id.ToString(), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrapped_key_moved_to_another_owner_is_refused()
    {
        await using var ground = await VaultGround.NewAsync();
        var (mine, theirs) = (await ground.NewOwnerAsync(), await ground.NewOwnerAsync());
        await ground.Database.ExecuteAsync("UPDATE vault_owner SET wrapped = (SELECT wrapped FROM vault_owner WHERE id = $2) WHERE id = $1", mine.Id, theirs.Id);
        var again = await VaultGround.OpenAsync(ground.Database, ground.Master);
        await Assert.ThrowsAsync<VaultException>(async () => await again.FindOwnerAsync(mine.Id, default));
    }

    [Fact]
    public async Task A_key_that_is_told_to_be_of_another_kind_is_refused()
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        await ground.Database.ExecuteAsync("UPDATE vault_owner SET kind = 2 WHERE id = $1", key.Id);
        var again = await VaultGround.OpenAsync(ground.Database, ground.Master);
        await Assert.ThrowsAsync<VaultException>(async () => await again.FindOwnerAsync(key.Id, default));
    }

    [Fact]
    public async Task An_erased_owner_opens_nothing_and_leaves_no_key()
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        await using (var connection = await ground.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            Assert.True(await ground.Vault.EraseOwnerAsync(connection, key.Id, default));
            Assert.False(await ground.Vault.EraseOwnerAsync(connection, key.Id, default));
        }
        Assert.Null(await ground.Vault.FindOwnerAsync(key.Id, default));
        Assert.Null(await (await VaultGround.OpenAsync(ground.Database, ground.Master)).FindOwnerAsync(key.Id, default));
        Assert.True(await ground.Database.ValueAsync<bool>("SELECT wrapped IS NULL AND erased IS NOT NULL FROM vault_owner WHERE id = $1", key.Id));
    }

    [Fact]
    public async Task An_owner_that_was_rolled_back_was_never_there()
    {
        await using var ground = await VaultGround.NewAsync();
        var id = Guid.NewGuid();
        await using (var connection = await ground.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await ground.Vault.CreateOwnerAsync(connection, id, OwnerKind.Patient, default);
            await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        }
        Assert.Null(await ground.Vault.FindOwnerAsync(id, default));
    }

    [Fact]
    public async Task Two_nodes_that_begin_together_share_one_epoch_and_one_index()
    {
        await using var ground = await VaultGround.NewAsync();
        var vaults = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => VaultGround.OpenAsync(ground.Database, ground.Master)));
        Assert.Single(vaults.Select(vault => Convert.ToHexString(vault.Blind("Patient.identifier", "P-1"))).Distinct());
        Assert.Equal(1, await ground.Database.ValueAsync<long>("SELECT count(*) FROM vault_epoch"));
    }

    [Fact]
    public async Task A_blind_value_is_the_same_each_time_and_differs_by_parameter_and_by_vault()
    {
        await using var ground = await VaultGround.NewAsync();
        await using var elsewhere = await VaultGround.NewAsync();
        var blind = ground.Vault.Blind("Patient.identifier", "P-1");
        Assert.Equal(16, blind.Length);
        Assert.Equal(blind, ground.Vault.Blind("Patient.identifier", "P-1"));
        Assert.NotEqual(blind, ground.Vault.Blind("Patient.identifier", "P-2"));
        Assert.NotEqual(blind, ground.Vault.Blind("Encounter.identifier", "P-1"));
        Assert.NotEqual(blind, elsewhere.Vault.Blind("Patient.identifier", "P-1"));
    }

    [Fact]
    public async Task Many_values_blinded_through_one_hash_are_those_blinded_one_by_one()
    {
        await using var ground = await VaultGround.NewAsync();
        using var hash = ground.Vault.OpenBlindHash();
        foreach (var value in (string[])["", "P-1", "Öztürk", new string('ä', 5000), "P-1"])
        {
            Assert.Equal(ground.Vault.Blind("Patient.identifier", value), hash.Of("Patient.identifier", value));
            Assert.Equal(ground.Vault.Blind("Patient.identifier", value), hash.UuidOf("Patient.identifier", value).ToByteArray(bigEndian: true));
        }
        Assert.NotEqual(hash.Of("Patient.name", "x"), hash.Of("Patient.nam", "ex"));
    }

    [Fact]
    public async Task No_key_stands_in_the_database_unwrapped()
    {
        await using var ground = await VaultGround.NewAsync();
        await ground.NewOwnerAsync();
        var lengths = await ground.Database.RowsAsync(row => row.GetInt32(0),
            "SELECT octet_length(wrapped) FROM vault_owner UNION ALL SELECT octet_length(wrapped) FROM vault_epoch");
        Assert.Equal(3, lengths.Count);
        Assert.All(lengths, length => Assert.Equal(32 + 12 + 16, length));
    }
}
