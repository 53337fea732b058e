using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Salus.Platform.Audit;
using Salus.Platform.Identity;

namespace Salus.Platform.DecisionSupport;

/// <summary>Keeps which other systems may ask, and tells from a token which of them asks. No address that a caller names is ever fetched: keys are those that an administrator entered.</summary>
public sealed class CdsClientDesk(NpgsqlDataSource database, OrganizationDesk organization, AuditTrail audit, TimeProvider time)
{
    const int NameMax = 100;
    const int IssuerMax = 500;
    const int OriginsMax = 10;
    const string Entity = "other-systems";
    const string Unvouched = "No registered system vouches for this token. Send one as CDS Hooks has it, signed with ES256, ES384 or RS384.";

    readonly CdsStore store = new(new RowBinding(organization));

    /// <summary>All systems, the newest first, those that were withdrawn as well.</summary>
    public async Task<IReadOnlyList<CdsClient>> ListAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await store.ListAsync(connection, cancellation);
    }

    /// <summary>Registers a system.</summary>
    public async Task<CdsClientOutcome> RegisterAsync(Caller caller, CdsRegistration registration, CancellationToken cancellation)
    {
        var (name, issuer) = (registration.Name?.Trim() ?? "", registration.Issuer?.Trim() ?? "");
        if (name.Length is 0 or > NameMax || name.Any(char.IsControl))
        {
            return new CdsClientOutcome.Invalid("name", $"Give the system a name of 1 to {NameMax} characters.");
        }
        if (issuer.Length is 0 or > IssuerMax || issuer.Any(char.IsWhiteSpace))
        {
            return new CdsClientOutcome.Invalid("issuer", $"Give what its tokens say as iss, without spaces, of 1 to {IssuerMax} characters.");
        }
        IReadOnlyList<CdsKey> keys;
        try
        {
            keys = CdsKey.ReadAll(registration.Keys ?? "");
        }
        catch (FormatException unusable)
        {
            return new CdsClientOutcome.Invalid("keys", unusable.Message);
        }
        var origins = (registration.Origins ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (origins.Length > OriginsMax || origins.FirstOrDefault(origin => !IsOrigin(origin)) is not null)
        {
            return new CdsClientOutcome.Invalid("origins", $"Give at most {OriginsMax} origins such as https://ehr.example.org, without a path, apart by spaces.");
        }
        var client = new CdsClient(Guid.CreateVersion7(), name, issuer, keys, origins, time.GetUtcNow(), caller.Account);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await store.AddAsync(connection, client, cancellation) == 0)
        {
            return new CdsClientOutcome.Invalid("issuer", "A system of this issuer is registered. Withdraw it first.");
        }
        await audit.RecordAsync(connection, new AuditFact(AuditAction.Systems, true, caller.Account, null, $"{Entity}/{client.Id}", "registered"), cancellation);
        await transaction.CommitAsync(cancellation);
        return new CdsClientOutcome.Done(client);
    }

    /// <summary>Withdraws a system for good: from now on its tokens open nothing.</summary>
    public async Task<CdsClientOutcome> WithdrawAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if ((await store.ListAsync(connection, cancellation)).FirstOrDefault(known => known.Id == id && known.Withdrawn is null) is not { } client)
        {
            return new CdsClientOutcome.Unknown();
        }
        client = client with { Withdrawn = time.GetUtcNow(), WithdrawnBy = caller.Account };
        if (await store.WithdrawAsync(connection, client, cancellation) == 0)
        {
            return new CdsClientOutcome.Unknown();
        }
        await audit.RecordAsync(connection, new AuditFact(AuditAction.Systems, true, caller.Account, null, $"{Entity}/{client.Id}", "withdrawn"), cancellation);
        await transaction.CommitAsync(cancellation);
        return new CdsClientOutcome.Done(client);
    }

    /// <summary>The origins whose pages may call from a browser.</summary>
    internal async Task<IReadOnlyList<string>> OriginsAsync(CancellationToken cancellation) =>
        [.. (await ListAsync(cancellation)).Where(client => client.Withdrawn is null).SelectMany(client => client.Origins).Distinct(StringComparer.Ordinal)];

    /// <summary>Which system a token comes from. What somebody else could have written of another's name is not audited: a stranger fills no trail.</summary>
    /// <param name="text">The token.</param>
    /// <param name="address">The address that was asked, as the token must name it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task<CdsTokenOutcome> RecognizeAsync(string text, string address, CancellationToken cancellation)
    {
        if (CdsToken.Read(text) is not { } token)
        {
            return new CdsTokenOutcome.Refused(Unvouched);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if ((await store.OfIssuerAsync(connection, token.Issuer, cancellation)).FirstOrDefault(client => token.IsSignedBy(client.Keys)) is not { } known)
        {
            return new CdsTokenOutcome.Refused(Unvouched);
        }
        var now = time.GetUtcNow();
        var objection = known.Withdrawn is not null ? "The system was withdrawn here." : token.Objection(address, now);
        if (objection is null && !await CdsStore.TakeAsync(connection, HashOf(known, token), now, now + CdsToken.RememberedFor, cancellation))
        {
            objection = "The token was used before: each has a jti of its own and counts once.";
        }
        if (objection is null)
        {
            return new CdsTokenOutcome.Valid(known);
        }
        await audit.RecordAsync(new AuditFact(AuditAction.Systems, false, null, null, $"{Entity}/{known.Id}", objection) { Requester = known.Name }, cancellation);
        return new CdsTokenOutcome.Refused(objection, known);
    }

    static byte[] HashOf(CdsClient client, CdsToken token) => SHA256.HashData([.. client.Id.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(token.Name)]);

    static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
        && text == uri.GetLeftPart(UriPartial.Authority) && uri.UserInfo.Length == 0;
}
