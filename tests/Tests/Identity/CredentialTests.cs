using System.Buffers.Binary;
using Microsoft.Extensions.DependencyInjection;
using Salus.Platform.Identity;

namespace Salus.Tests.Identity;

public sealed class CredentialTests
{
    const int IterationsAt = 5;

    [Fact]
    public void A_node_hashes_passwords_with_no_fewer_rounds_than_the_floor()
    {
        var credentials = new ServiceCollection().AddSalusIdentity().Last(service => service.ServiceType == typeof(Credentials)).ImplementationFactory!(null!);
        var hash = Convert.FromBase64String(Assert.IsType<Credentials>(credentials).Hash(Guid.NewGuid(), "harbour violet tractor"));
        Assert.Equal(1, hash[0]); // the format of ASP.NET Core Identity that names its rounds
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(1))); // HMAC-SHA-512
        Assert.InRange(BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(IterationsAt)), 210_000u, uint.MaxValue);
    }

    [Fact]
    public void A_hash_of_fewer_rounds_still_lets_in_and_asks_to_be_made_anew()
    {
        var account = Guid.NewGuid();
        var weak = new Credentials(iterations: 1_000).Hash(account, "harbour violet tractor");
        Assert.True(new Credentials().Verify(account, weak, "harbour violet tractor", out var rehash));
        Assert.True(rehash);
        Assert.False(new Credentials().Verify(account, weak, "harbour violet tractors", out _));
    }
}
