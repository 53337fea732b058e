using System.Security.Cryptography;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Tests.Vault;

public sealed class SealTests
{
    static readonly SealContext Context = new("Condition", "c-1", 3);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(100_000)]
    public async Task What_was_sealed_opens_to_the_same_bytes(int length)
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        var plaintext = RandomNumberGenerator.GetBytes(length);
        var sealedBytes = key.Seal(Context, plaintext);
        Assert.Equal(length + OwnerKey.SealOverhead, sealedBytes.Length);
        Assert.True(key.TryOpen(Context, sealedBytes, out var opened));
        Assert.Equal(plaintext, opened);
    }

    [Fact]
    public async Task One_bit_flipped_anywhere_is_refused()
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        var sealedBytes = key.Seal(Context, "a note"u8);
        for (var bit = 0; bit < sealedBytes.Length * 8; bit++)
        {
            var bent = (byte[])sealedBytes.Clone();
            bent[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(key.TryOpen(Context, bent, out var opened), $"bit {bit} may not be flipped");
            Assert.Null(opened);
        }
    }

    [Fact]
    public async Task A_text_cut_short_or_made_longer_is_refused()
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        var sealedBytes = key.Seal(Context, "a note"u8);
        for (var length = 0; length < sealedBytes.Length; length++)
        {
            Assert.False(key.TryOpen(Context, sealedBytes.AsSpan(0, length), out _), $"{length} bytes may not open");
        }
        Assert.False(key.TryOpen(Context, [.. sealedBytes, 0], out _));
    }

    [Fact]
    public async Task Another_context_or_owner_is_refused()
    {
        await using var ground = await VaultGround.NewAsync();
        var (key, other) = (await ground.NewOwnerAsync(), await ground.NewOwnerAsync());
        var sealedBytes = key.Seal(Context, "a note"u8);
        Assert.False(key.TryOpen(Context with { Kind = "Observation" }, sealedBytes, out _));
        Assert.False(key.TryOpen(Context with { Id = "c-2" }, sealedBytes, out _));
        Assert.False(key.TryOpen(Context with { Version = 2 }, sealedBytes, out _));
        Assert.False(key.TryOpen(new SealContext("Conditionc", "-1", 3), sealedBytes, out _));
        Assert.False(other.TryOpen(Context, sealedBytes, out _));
        Assert.True(key.TryOpen(Context, sealedBytes, out _));
    }

    [Fact]
    public async Task The_same_text_never_seals_to_the_same_bytes()
    {
        await using var ground = await VaultGround.NewAsync();
        var key = await ground.NewOwnerAsync();
        var texts = Enumerable.Range(0, 200).Select(_ => Convert.ToHexString(key.Seal(Context, "a note"u8))).ToList();
        Assert.Equal(texts.Count, texts.Select(text => text[2..26]).Distinct().Count());
        Assert.Equal(texts.Count, texts.Distinct().Count());
    }

    [Fact]
    public async Task An_alias_is_the_owners_own_and_differs_by_purpose()
    {
        await using var ground = await VaultGround.NewAsync();
        var (key, other) = (await ground.NewOwnerAsync(), await ground.NewOwnerAsync());
        var again = (await (await VaultGround.OpenAsync(ground.Database, ground.Master)).FindOwnerAsync(key.Id, default))!;
        Assert.Equal(key.Alias("audit"), again.Alias("audit"));
        Assert.Matches("^[0-9a-f]{32}$", key.Alias("audit"));
        Assert.NotEqual(key.Alias("audit"), key.Alias("another"));
        Assert.NotEqual(key.Alias("audit"), other.Alias("audit"));
        Assert.DoesNotContain(key.Id.ToString("n")[..8], key.Alias("audit"), StringComparison.Ordinal);
    }
}
