namespace Salus.Host.Node;

/// <summary>Settings under <c>Salus</c> that say where a node lives. Each can be given as an option, in the environment (<c>Salus__Data</c>) or in a file.</summary>
public sealed record NodeOptions
{
    /// <summary>The folder of all state.</summary>
    public string Data { get; init; } = "";

    /// <summary>The folder of the master key, apart from the state.</summary>
    public string Keys { get; init; } = "";

    /// <summary>The loopback port to serve on.</summary>
    public int Port { get; init; } = 7411;

    /// <summary>The hospital's name, used at the first start.</summary>
    public string Name { get; init; } = "Salus General Hospital";

    /// <summary>Whether an empty node gets a demonstration consortium.</summary>
    public bool Demonstration { get; init; } = true;

    /// <summary>Synthetic patients in the demonstration consortium.</summary>
    public int DemonstrationPatients { get; init; } = 120;

    /// <summary>From which seed they are drawn: hospitals with others have other patients.</summary>
    public int DemonstrationSeed { get; init; } = 1;

    /// <summary>Whether the node stops when its standard input ends: the program that started it is gone then, however it ended.</summary>
    public bool StopsWithInput { get; init; }

    /// <summary>Where the database is.</summary>
    public DatabaseOptions Database { get; init; } = new();

    /// <summary>The folder of the embedded PostgreSQL.</summary>
    public string PostgresFolder => Path.Combine(Data, "postgres");

    /// <summary>The folder of the embedded chain.</summary>
    public string ChainFolder => Path.Combine(Data, "chain");

    /// <summary>The folder of sealed content.</summary>
    public string BlobFolder => Path.Combine(Data, "blobs");

    /// <summary>The folder of the log's hashes.</summary>
    public string LogFolder => Path.Combine(Data, "log");

    /// <summary>The file of the master key.</summary>
    public string MasterKeyFile => Path.Combine(Keys, "master.key");

    /// <summary>The first thing that is wrong with these settings, or null.</summary>
    public string? Objection() =>
        Port is < 0 or > 65535 ? $"--port {Port}: a port is a number from 0 (any free one) to 65535."
        : DemonstrationPatients is < 0 or > 10_000 ? "--patients is a number from 0 to 10000."
        : Path.GetFullPath(Keys).StartsWith(Path.GetFullPath(Data) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? "The master key may not lie inside the data folder: a thief of one would have both. Give --keys another folder."
        : null;

    /// <summary>Why the engines asked for are not those that this folder's node was set up with, or null.</summary>
    /// <param name="hasExternalChain">Whether an external chain is asked for.</param>
    public string? EnginesObjection(bool hasExternalChain)
    {
        if (!Directory.Exists(LogFolder))
        {
            return null;
        }
        var hasExternalDatabase = Database.ConnectionString.Length > 0;
        return (hasExternalDatabase, Directory.Exists(Path.Combine(PostgresFolder, "cluster"))) switch
        {
            (false, false) => $"The records of {Data} lie in an external PostgreSQL. Name it with --database.",
            (true, true) => $"The records of {Data} lie in its own PostgreSQL, not in the one that --database names. Leave --database away, or name another folder with --data; to move them, copy them with pg_dump and take {PostgresFolder} away.",
            _ when !hasExternalChain && !File.Exists(Path.Combine(ChainFolder, "chain.state.gz")) && !File.Exists(Path.Combine(ChainFolder, "chain.state.1.gz")) =>
                $"The heads of {Data} are anchored on an external chain. Name it with --ledger.",
            _ => null,
        };
    }
}

/// <summary>Settings under <c>Salus:Database</c>.</summary>
public sealed record DatabaseOptions
{
    /// <summary>An external PostgreSQL (15 or later); empty for the embedded one.</summary>
    public string ConnectionString { get; init; } = "";
}
