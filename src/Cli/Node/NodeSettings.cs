namespace Salus.Cli.Node;

/// <summary>How a node is started.</summary>
public sealed record NodeSettings(string Data, string Keys)
{
    /// <summary>The port that a node serves on unless told.</summary>
    public const int DefaultPort = 7411;

    /// <summary>The port to serve on; 0 for a free one, null for the node's own choice.</summary>
    public int? Port { get; init; }

    /// <summary>The hospital's name, for the first start.</summary>
    public string? Name { get; init; }

    /// <summary>An external PostgreSQL's connection string; null for what the environment says, empty for none.</summary>
    public string? Database { get; init; }

    /// <summary>An external chain's JSON-RPC address; null for what the environment says, empty for none.</summary>
    public string? Ledger { get; init; }

    /// <summary>Whether an empty node gets demonstration accounts.</summary>
    public bool? Demonstration { get; init; }

    /// <summary>Synthetic patients that an empty node gets.</summary>
    public int? DemonstrationPatients { get; init; }

    /// <summary>Further settings of the node.</summary>
    public IReadOnlyDictionary<string, string> More { get; init; } = new Dictionary<string, string>();

    /// <summary>The folder of all state when none is named: <c>Salus__Data</c>, or by the XDG base directories.</summary>
    public static string DefaultData => Named("Salus__Data") ?? Path.Combine(Home("XDG_DATA_HOME", ".local/share"), "salus");

    /// <summary>The folder of the master key when none is named: <c>Salus__Keys</c>, or by the XDG base directories.</summary>
    public static string DefaultKeys => Named("Salus__Keys") ?? Path.Combine(Home("XDG_CONFIG_HOME", ".config"), "salus");

    /// <summary>The arguments of the node's program. A connection string may hold a password and goes by <see cref="Environment"/> instead.</summary>
    public IEnumerable<string> Arguments()
    {
        var settings = new List<(string Key, string? Value)>
        {
            ("Data", Data), ("Keys", Keys), ("Port", Port?.ToString()), ("Name", Name), ("Ledger:Endpoint", Ledger),
            ("Demonstration", Demonstration?.ToString()), ("DemonstrationPatients", DemonstrationPatients?.ToString()),
        };
        settings.AddRange(More.Select(setting => (setting.Key, (string?)setting.Value)));
        return ["serve", "--Salus:StopsWithInput=true", .. settings.Where(setting => setting.Value is not null).Select(setting => $"--Salus:{setting.Key}={setting.Value}")];
    }

    /// <summary>The environment of the node's program, on top of this program's.</summary>
    public IReadOnlyDictionary<string, string> Environment() =>
        Database is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["Salus__Database__ConnectionString"] = Database };

    static string? Named(string variable) => System.Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named ? named : null;

    static string Home(string variable, string below) =>
        System.Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named && Path.IsPathRooted(named)
            ? named
            : Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), below);
}
