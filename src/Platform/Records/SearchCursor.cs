using System.Buffers.Text;
using System.Text.Json;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

/// <summary>Where the next page of a search begins. It holds what is searched for, so it goes into addresses sealed, for the account it was given to alone.</summary>
/// <param name="Type">The resource type; empty for a listing over all types.</param>
/// <param name="Parameters">The search's parameters.</param>
/// <param name="Keys">The values of the order's fields in the last match; a null sorts last.</param>
/// <param name="Id">The last match.</param>
/// <param name="Written">When it was written.</param>
sealed record SearchCursor(string Type, IReadOnlyList<KeyValuePair<string, string>> Parameters, IReadOnlyList<string?> Keys, string Id, DateTimeOffset Written)
{
    /// <summary>Longer ones do not fit into an address.</summary>
    public const int TextMax = 6_000;

    /// <summary>The cursor as it stands in an address; null when it is too long for one.</summary>
    public string? Seal(OwnerKey key, Guid account)
    {
        var text = Base64Url.EncodeToString(key.Seal(Context(account), JsonSerializer.SerializeToUtf8Bytes(this)));
        return text.Length <= TextMax ? text : null;
    }

    /// <summary>The cursor that was sealed for this account; null when it is none.</summary>
    public static SearchCursor? Open(string text, OwnerKey key, Guid account)
    {
        if (text.Length > TextMax || !Base64Url.IsValid(text))
        {
            return null;
        }
        return key.TryOpen(Context(account), Base64Url.DecodeFromChars(text), out var bytes) ? JsonSerializer.Deserialize<SearchCursor>(bytes) : null;
    }

    static SealContext Context(Guid account) => new("search-cursor", account.ToString(), 1);
}
