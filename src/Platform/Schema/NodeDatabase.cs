using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>How a node speaks to its database.</summary>
public static class NodeDatabase
{
    const int PreparedMax = 200;

    // What waits to be put in its place in the index is read by every search: as little of it as can be set
    const string Waiting = "-c gin_pending_list_limit=64kB";

    // Of much at once the more can wait, the sooner it is put in its place together
    const string WaitingOfMuch = "SET LOCAL gin_pending_list_limit = '256kB'";

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
        if (settings.Options?.Contains("gin_pending_list_limit", StringComparison.Ordinal) != true)
        {
            settings.Options = $"{settings.Options} {Waiting}".Trim();
        }
        return NpgsqlDataSource.Create(settings.ConnectionString);
    }

    /// <summary>Tells the database that much is written to the index in the connection's transaction.</summary>
    internal static Task PrepareForMuchAsync(NpgsqlConnection connection, CancellationToken cancellation) => connection.ExecuteAsync(cancellation, WaitingOfMuch);
}
