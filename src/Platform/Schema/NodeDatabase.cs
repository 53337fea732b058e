using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>How a node speaks to its database.</summary>
public static class NodeDatabase
{
    const int PreparedMax = 200;

    /// <summary>
    /// Connections that prepare the statements they are asked again. Sessions are not reset between uses: nothing is left in one, for whoever holds a
    /// lock of the session has a connection of its own.
    /// </summary>
    /// <param name="connectionString">Npgsql's form of an address; what it says itself counts.</param>
    public static NpgsqlDataSource Open(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var said = settings.Keys.OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (!said.Contains("Max Auto Prepare"))
        {
            settings.MaxAutoPrepare = PreparedMax;
            settings.AutoPrepareMinUsages = 2;
        }
        if (!said.Contains("No Reset On Close"))
        {
            settings.NoResetOnClose = true;
        }
        return NpgsqlDataSource.Create(settings.ConnectionString);
    }
}
