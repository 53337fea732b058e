using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Platform.Identity.Passkeys;
using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>A row whose binding does not hold.</summary>
/// <param name="Table">Its table.</param>
/// <param name="Account">The account it concerns; for a code, who made it.</param>
public sealed record AlteredRow(string Table, Guid Account);

/// <summary>The tables of this feature, whose rows are bound under the organisation's key.</summary>
public sealed class IdentityTables
{
    readonly NpgsqlDataSource database;

    /// <summary>The tables of one node.</summary>
    public IdentityTables(NpgsqlDataSource database, NodeMessages messages, OrganizationDesk organization, IdentityHooks hooks, TimeProvider time, ILogger<IdentityTables> logger)
    {
        this.database = database;
        var binding = new RowBinding(organization);
        var altered = new AlteredRows(database, hooks, time, logger);
        Accounts = new AccountStore(binding, altered);
        Access = new AccessStore(messages, binding, Accounts, altered);
        Codes = new CodeStore(binding, altered);
        Passkeys = new PasskeyStore(organization, binding, altered);
    }

    internal AccountStore Accounts { get; }

    internal AccessStore Access { get; }

    internal CodeStore Codes { get; }

    internal PasskeyStore Passkeys { get; }

    /// <summary>Goes through all rows for those that were written, changed or put together by somebody without the key.</summary>
    public async Task<IReadOnlyList<AlteredRow>> FindAlteredAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return
        [
            .. await Accounts.AlteredAsync(connection, cancellation), .. await Access.AlteredAsync(connection, cancellation), .. await Codes.AlteredAsync(connection, cancellation),
            .. await Passkeys.AlteredAsync(connection, cancellation),
        ];
    }
}
