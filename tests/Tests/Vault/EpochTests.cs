using Salus.Tests.Platform;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Tests.Vault;

public sealed class EpochTests
{
    static readonly SealContext Context = new("Condition", "c-1", 1);
    static readonly TimeSpan Age = TimeSpan.FromDays(30);
    static readonly TimeSpan Window = TimeSpan.FromDays(35);

    [Fact]
    public async Task A_young_epoch_stays_and_nothing_is_destroyed()
    {
        await using var ground = await VaultGround.NewAsync();
        await ground.NewOwnerAsync();
        var turn = await ground.Vault.TurnAsync(Age, Window, default);
        Assert.Equal((1, 0), (turn.Epoch, turn.Rewrapped));
        Assert.Empty(turn.Destroyed);
    }

    [Fact]
    public async Task Living_owners_are_taken_into_the_new_epoch_and_the_old_ones_key_is_destroyed_after_the_window()
    {
        await using var ground = await VaultGround.NewAsync();
        var clock = new MovedClock();
        var vault = await OpenAsync(ground, clock);
        var key = await vault.EnsureOwnerAsync(Guid.NewGuid(), OwnerKind.Patient, default);
        var sealedBytes = key.Seal(Context, "a note"u8);

        clock.By = TimeSpan.FromDays(31);
        var turn = await vault.TurnAsync(Age, Window, default);
        Assert.Equal((2, 2), (turn.Epoch, turn.Rewrapped)); // the patient and the index
        Assert.Empty(turn.Destroyed);
        Assert.Equal(0, (await vault.TurnAsync(Age, Window, default)).Rewrapped);

        clock.By = TimeSpan.FromDays(31 + 36);
        turn = await vault.TurnAsync(Age, Window, default);
        Assert.Equal(3, turn.Epoch);
        Assert.Equal([1], turn.Destroyed);
        Assert.False(await ground.Database.ValueAsync<bool>("SELECT wrapped IS NOT NULL FROM vault_epoch WHERE epoch = 1"));
        foreach (var opened in new[] { vault, await OpenAsync(ground, clock) })
        {
            Assert.True((await opened.FindOwnerAsync(key.Id, default))!.TryOpen(Context, sealedBytes, out var note));
            Assert.Equal("a note"u8.ToArray(), note);
        }
    }

    [Fact]
    public async Task An_old_row_of_an_erased_owner_opens_until_its_epoch_is_destroyed_and_never_after()
    {
        await using var ground = await VaultGround.NewAsync();
        var clock = new MovedClock();
        var vault = await OpenAsync(ground, clock);
        var owner = (await vault.EnsureOwnerAsync(Guid.NewGuid(), OwnerKind.Patient, default)).Id;
        await ground.Database.ExecuteAsync("CREATE TABLE stray AS SELECT * FROM vault_owner WHERE id = $1", owner);
        await using (var connection = await ground.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            Assert.True(await vault.EraseOwnerAsync(connection, owner, default));
        }
        Assert.Null(await (await OpenAsync(ground, clock)).FindOwnerAsync(owner, default));
        const string putBack = "UPDATE vault_owner o SET wrapped = s.wrapped, epoch = s.epoch FROM stray s WHERE o.id = s.id";
        await ground.Database.ExecuteAsync(putBack);
        Assert.NotNull(await (await OpenAsync(ground, clock)).FindOwnerAsync(owner, default));

        await ground.Database.ExecuteAsync("UPDATE vault_owner SET wrapped = NULL WHERE id = $1", owner);
        clock.By = TimeSpan.FromDays(31);
        Assert.Empty((await vault.TurnAsync(Age, Window, default)).Destroyed);
        clock.By = TimeSpan.FromDays(31 + 36);
        Assert.Equal([1], (await vault.TurnAsync(Age, Window, default)).Destroyed);
        await ground.Database.ExecuteAsync(putBack);
        Assert.Null(await (await OpenAsync(ground, clock)).FindOwnerAsync(owner, default));
    }

    [Fact]
    public async Task Another_process_that_knows_of_no_new_epoch_reads_its_owners_and_makes_none_under_a_destroyed_one()
    {
        await using var ground = await VaultGround.NewAsync();
        var clock = new MovedClock();
        var (turning, other) = (await OpenAsync(ground, clock), await OpenAsync(ground, clock));
        clock.By = TimeSpan.FromDays(31);
        await turning.TurnAsync(Age, Window, default);
        var made = await turning.EnsureOwnerAsync(Guid.NewGuid(), OwnerKind.Patient, default);
        Assert.NotNull(await other.FindOwnerAsync(made.Id, default));

        var stale = await OpenAsync(ground, clock);
        clock.By = TimeSpan.FromDays(31 + 36);
        Assert.Equal([1], (await turning.TurnAsync(Age, Window, default)).Destroyed);
        clock.By += TimeSpan.FromDays(36);
        Assert.Equal([2], (await turning.TurnAsync(Age, Window, default)).Destroyed);
        var late = await stale.EnsureOwnerAsync(Guid.NewGuid(), OwnerKind.Patient, default);
        Assert.NotNull(await (await OpenAsync(ground, clock)).FindOwnerAsync(late.Id, default));
    }

    static async Task<KeyVault> OpenAsync(VaultGround ground, TimeProvider clock)
    {
        var vault = new KeyVault(ground.Database, ground.Master, clock);
        await vault.OpenAsync(default);
        return vault;
    }
}
