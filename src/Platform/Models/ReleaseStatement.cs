using System.Security.Cryptography;
using System.Text.Json;

namespace Salus.Platform.Models;

/// <summary>What a person signs who releases a model or withdraws it.</summary>
/// <param name="Kind">That it is such a statement, so that it can be taken for nothing else.</param>
/// <param name="Model">The model.</param>
/// <param name="Hash">SHA-256 of the model's bytes.</param>
/// <param name="IsWithdrawal">Whether it is withdrawn.</param>
/// <param name="By">The account.</param>
/// <param name="Time">When it was asked for.</param>
/// <param name="Statement">Why.</param>
/// <param name="Nonce">Random, so that no two are alike.</param>
sealed record ReleaseStatement(string Kind, string Model, string Hash, bool IsWithdrawal, Guid By, DateTimeOffset Time, string Statement, string Nonce)
{
    const string OwnKind = "salus model release, version 1";
    const int NonceBytes = 16;

    /// <summary>The statement of a release that is to be made.</summary>
    public static ReleaseStatement Of(ModelRelease release) => new(
        OwnKind, release.Model, release.Hash, release.IsWithdrawal, release.By, release.Time, release.Statement, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NonceBytes)));

    /// <summary>The bytes that are signed.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web);

    /// <summary>The statement of such bytes.</summary>
    public static ReleaseStatement Read(byte[] signed) =>
        JsonSerializer.Deserialize<ReleaseStatement>(signed, JsonSerializerOptions.Web) ?? throw new InvalidDataException("What was signed is no statement.");

    /// <summary>Whether a release says the same, but for the moment at which it was stored.</summary>
    public bool Says(ModelRelease release) =>
        (Kind, Model, Hash, IsWithdrawal, By, Statement) == (OwnKind, release.Model, release.Hash, release.IsWithdrawal, release.By, release.Statement);
}
