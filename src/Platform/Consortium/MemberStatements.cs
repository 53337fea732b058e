using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;

namespace Salus.Platform.Consortium;

/// <summary>Asks members' nodes what they say of themselves, and keeps what the chain bears out.</summary>
public sealed class MemberStatements(ChainLink link, MemberWire wire)
{
    const int BytesMax = 64 << 10;
    const int NameLengthMax = 200;

    /// <summary>The hash under which a name stands on the chain.</summary>
    public static byte[] NameHash(string name) => SHA256.HashData(Encoding.UTF8.GetBytes(name));

    /// <summary>The member with its name and keys, as far as its node tells them and the chain bears them out.</summary>
    public async Task<Member> HearAsync(Member member, CancellationToken cancellation)
    {
        if (member.Endpoint is not { } endpoint || await StatementAsync(endpoint, cancellation) is not { } statement || !NameHash(statement.Name).AsSpan().SequenceEqual(member.NameHash))
        {
            return member;
        }
        var title = string.Concat(statement.Title.Where(letter => !char.IsControl(letter)).Take(NameLengthMax)).Trim();
        var named = member with { Name = statement.Name, Title = title.Length == 0 ? null : title };
        return named with
        {
            WitnessKey = IsKeyOf(statement.Name, member.PublishedWitnessKey, isWitness: true) ? member.PublishedWitnessKey : null,
            LogKey = await LogKeyAsync(named, endpoint, cancellation),
        };
    }

    async Task<MemberStatement?> StatementAsync(Uri endpoint, CancellationToken cancellation)
    {
        try
        {
            var answer = await wire.GetAsync(endpoint, "/api/consortium/self", BytesMax, cancellation);
            return answer.Status == HttpStatusCode.OK && JsonSerializer.Deserialize<MemberStatement>(answer.Body, JsonSerializerOptions.Web) is { Name: not null, Title: not null } statement
                ? statement
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The key of the log that the node shows, where the anchor contract knows that log as this member's.</summary>
    async Task<string?> LogKeyAsync(Member member, Uri endpoint, CancellationToken cancellation)
    {
        string key;
        try
        {
            var answer = await wire.GetAsync(endpoint, "/log/policy", BytesMax, cancellation);
            if (answer.Status != HttpStatusCode.OK || ProofPolicy.Read(answer.Body).Logs is not [{ Keys: [.., { Key: var newest }] }, ..])
            {
                return null;
            }
            key = newest.ToString();
        }
        catch (FormatException)
        {
            return null;
        }
        // A log of another member's name would stand in for that member's at every witness.
        if (!IsKeyOf(member.Name!, key, isWitness: false))
        {
            return null;
        }
        var head = await AnchorContract.HeadAsync(link.Rpc, link.Contracts[ChainContract.Anchor], NodeKeys.LogIdOf(key), cancellationToken: cancellation);
        return head.Owner == member.Id ? key : null;
    }

    /// <summary>Whether a verifier key is of its kind and bears the name of the member, or one below it.</summary>
    static bool IsKeyOf(string name, string text, bool isWitness)
    {
        try
        {
            using var key = NoteVerifier.Parse(text);
            return key.IsWitness == isWitness && (key.Name == name || key.Name.StartsWith(name + "/", StringComparison.Ordinal));
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
