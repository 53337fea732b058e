using System.Net.Sockets;
using Npgsql;

namespace Salus.Host.Node;

/// <summary>A PostgreSQL that somebody else runs: its address, and whether it can hold a node.</summary>
static class ExternalDatabase
{
    /// <summary>The oldest PostgreSQL that a node runs on.</summary>
    public const int VersionMin = 15;

    // With those that are not pooled: fewer than a server of the usual 100 gives to those who are not its superuser
    const int PoolMax = 72;
    static readonly string[] Schemes = ["postgres", "postgresql"];

    /// <summary>Npgsql's form of an address: <c>Host=…;Database=…</c>, or a URI as libpq takes it (<c>postgresql://user:password@host:port/database</c>).</summary>
    /// <exception cref="NodeException">It is neither.</exception>
    public static string Parse(string address)
    {
        try
        {
            var builder = Uri.TryCreate(address, UriKind.Absolute, out var uri) && Schemes.Contains(uri.Scheme) ? OfUri(uri) : new NpgsqlConnectionStringBuilder(address);
            if (string.IsNullOrEmpty(builder.Host))
            {
                throw new NodeException("--database names no host. Give one such as 'Host=db.example;Database=salus;Username=salus;Password=…'.");
            }
            // ContainsKey would say whether the keyword is known, not whether it was given.
            if (!builder.Keys.OfType<string>().Contains("Maximum Pool Size"))
            {
                // Below the 100 connections that a PostgreSQL allows unless told otherwise.
                builder.MaxPoolSize = PoolMax;
            }
            return builder.ConnectionString;
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException)
        {
            // The reason may quote the string, and that may hold a password.
            throw new NodeException("--database is no connection string. Give one such as 'Host=db.example;Database=salus;Username=salus;Password=…', or postgresql://user:password@host/database.");
        }
    }

    /// <summary>Connects once, and looks whether the server can hold a node.</summary>
    /// <exception cref="NodeException">It does not answer, refuses this account, is older than <paramref name="versionMin"/>, or lacks what a node needs.</exception>
    public static async Task RequireAsync(string connectionString, int versionMin, CancellationToken cancellation)
    {
        var named = new NpgsqlConnectionStringBuilder(connectionString);
        var place = $"{named.Host}:{named.Port}";
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand(
                """
                SELECT current_setting('server_version_num')::int / 10000, current_setting('server_version'), current_setting('server_encoding'),
                    pg_is_in_recovery(), has_schema_privilege(current_schema(), 'CREATE')
                """, connection);
            await using var row = await command.ExecuteReaderAsync(cancellation);
            await row.ReadAsync(cancellation);
            var objection =
                row.GetInt32(0) < versionMin ? $"runs version {row.GetString(1)}; Salus needs {versionMin} or later. Upgrade it (pg_upgrade), or name another with --database."
                : row.GetString(2) != "UTF8" ? $"keeps the database {named.Database} in {row.GetString(2)}. Make one with: CREATE DATABASE {named.Database} ENCODING 'UTF8' TEMPLATE template0"
                : row.GetBoolean(3) ? "is a standby and takes no writes. Name the primary with --database."
                : row.IsDBNull(4) || !row.GetBoolean(4) ? $"does not let {named.Username} make tables. Let it: ALTER DATABASE {named.Database} OWNER TO {named.Username}"
                : null;
            if (objection is not null)
            {
                throw new NodeException($"The PostgreSQL at {place} {objection}");
            }
        }
        catch (PostgresException refused)
        {
            throw new NodeException($"The PostgreSQL at {place} {Reason(refused, named)}");
        }
        catch (NpgsqlException away)
        {
            throw new NodeException($"The PostgreSQL at {place} does not answer: {Innermost(away)}. Check --database, and that PostgreSQL runs and listens there.");
        }
        catch (Exception away) when (away is SocketException or TimeoutException)
        {
            throw new NodeException($"The PostgreSQL at {place} does not answer: {away.Message.TrimEnd('.')}. Check the host and the port in --database.");
        }
    }

    static string Reason(PostgresException refused, NpgsqlConnectionStringBuilder named) => refused.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            $"refuses the account {named.Username}: {refused.MessageText}. Check Username and Password in --database, and the server's pg_hba.conf.",
        PostgresErrorCodes.InvalidCatalogName => $"has no database {named.Database}. Make it with: CREATE DATABASE {named.Database} OWNER {named.Username}",
        PostgresErrorCodes.CannotConnectNow => $"is starting or stopping: {refused.MessageText}. Try again in a moment.",
        PostgresErrorCodes.TooManyConnections => $"has no connection left: {refused.MessageText}. Raise its max_connections to 100 or more.",
        _ => $"refuses: {refused.MessageText} ({refused.SqlState}). Check --database.",
    };

    static string Innermost(Exception fault) => fault.GetBaseException().Message.TrimEnd('.');

    static NpgsqlConnectionStringBuilder OfUri(Uri uri)
    {
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder { Host = Uri.UnescapeDataString(uri.Host), Database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')) };
        if (uri.Port > 0)
        {
            builder.Port = uri.Port;
        }
        if (user[0].Length > 0)
        {
            builder.Username = Uri.UnescapeDataString(user[0]);
        }
        if (user.Length > 1)
        {
            builder.Password = Uri.UnescapeDataString(user[1]);
        }
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)))
        {
            // libpq's sslmode is written with hyphens: verify-full.
            var value = Uri.UnescapeDataString(pair.ElementAtOrDefault(1) ?? "");
            builder[pair[0] == "sslmode" ? "SSL Mode" : pair[0]] = pair[0] == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        return builder;
    }
}
