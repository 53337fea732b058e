using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Salus.Cli.Terminal;

/// <summary>The help of a command: its options as the library tells them, then examples, settings in the environment and exit codes.</summary>
sealed class FullHelp(HelpAction options) : SynchronousCommandLineAction
{
    static readonly Dictionary<string, string[]> Examples = new()
    {
        ["salus"] =
        [
            "salus up                                     a node with a demonstration hospital, at http://localhost:7411",
            "salus demo                                   the main job, step by step, on a node that is thrown away",
            "salus verify --data DIR --checkpoint FILE    is the record what it was?",
        ],
        ["up"] =
        [
            "salus up",
            "salus up --hospitals 3                       three hospitals on one chain, at ports 7411 to 7413",
            "salus up --data /srv/salus --keys /etc/salus --port 8080 --name 'St. Mary' --no-demonstration",
            "Salus__Database__ConnectionString='Host=db;Database=salus;Username=salus;Password=…' salus up --ledger http://besu:8545",
        ],
        ["demo"] = ["salus demo", "salus demo --hospitals 3", "salus demo --keep ./kept bundles/", "salus demo --json patient.json > steps.jsonl"],
        ["import"] =
        [
            "salus import --url http://localhost:7411 --email practitioner@salus.example bundles/",
            "salus import --url http://localhost:7411 --email practitioner@salus.example --password-stdin a.json b.json < password",
        ],
        ["verify"] =
        [
            "salus verify --data /srv/salus",
            "salus verify --data /srv/salus --checkpoint /mnt/elsewhere/checkpoint --json",
            "salus verify Condition-1.salus-proof.json --policy trusted.json --rpc https://chain.example",
            "salus verify --node https://hospital.example --rpc https://chain.example",
        ],
        ["checkpoint"] = ["salus checkpoint --url http://localhost:7411 --out /mnt/elsewhere/checkpoint"],
        ["backup"] =
        [
            "salus backup --data /srv/salus --out /mnt/elsewhere/salus-2030-01-31",
            "salus backup --data /srv/salus --out /mnt/elsewhere/today --json > backup.json",
        ],
        ["restore"] =
        [
            "salus restore --from /mnt/elsewhere/salus-2030-01-31 --data /srv/salus-again",
            "salus restore --from BACKUP --data /srv/salus-again --log /srv/salus/log --manifest-hash 1f3a…",
        ],
        ["learn"] =
        [
            "salus learn evaluate --data heart.csv --target disease --model logistic",
            "salus learn train --data heart.csv --target disease --out heart.model",
            "salus learn predict heart.model --data new.csv",
        ],
        ["train"] =
        [
            "salus learn train --data heart.csv --target disease --positive 1 --drop id --group patient --out heart.model",
            "salus learn train --data notes.csv --target specialty --text note --model text-linear --out notes.model",
            "salus learn train --url http://localhost:7411 --email practitioner@salus.example",
        ],
        ["evaluate"] =
        [
            "salus learn evaluate --data diabetes.csv --target outcome --missing glucose=0 --missing bmi=0 --model logistic --folds 5 --repeats 10 --seed 1 --json",
            "salus learn evaluate --data stays.csv --target readmitted --positive yes --group patient --by sex,age --plots plots",
            "salus learn evaluate --data notes.csv --target specialty --text note --model text-linear --deduplicate",
        ],
        ["predict"] = ["salus learn predict heart.model --data new.csv > judged.csv", "salus learn predict heart.model --data new.csv --json --drift"],
        ["explain"] = ["salus learn explain heart.model", "salus learn explain heart.model --data new.csv --row 3"],
        ["compare"] = ["salus learn compare --data heart.csv --target disease --models forest,logistic --repeats 3"],
        ["card"] = ["salus learn card heart.model", "salus learn card heart.model --json"],
        ["anomaly"] = ["salus learn anomaly --data access.csv --label unusual --model ecod --json", "salus learn anomaly --data access.csv --model isolation-forest > scores.csv"],
    };

    static readonly (string Name, string Meaning)[] NodeSettings =
    [
        ("Salus__Data, Salus__Keys, Salus__Port", "as --data, --keys, --port; an option goes before"),
        ("Salus__Database__ConnectionString", "as --database, and not seen in the list of processes"),
        ("Salus__Ledger__Endpoint", "as --ledger; several endpoints with commas between them"),
        ("Salus__Ledger__Members", "the consortium to join at the first start: its contract Members"),
        ("Salus__Consortium__Endpoint", "where the other members reach this node, https://…"),
        ("Salus__Ledger__Depth", "blocks above a transaction before it counts as durable there (1)"),
        ("SALUS_MASTER_KEY", "the master key, 32 bytes in base64, instead of a file"),
        ("XDG_DATA_HOME, XDG_CONFIG_HOME", "where the folders lie that are not named"),
        ("SALUS_ENGINES", "the folder of the native engines"),
    ];

    static readonly Dictionary<string, (string Name, string Meaning)[]> Environment = new()
    {
        ["up"] = NodeSettings,
        ["verify"] = [.. NodeSettings.Where(setting => !setting.Name.Contains("KEY", StringComparison.Ordinal) && !setting.Name.Contains("Depth", StringComparison.Ordinal))],
        ["backup"] = [.. NodeSettings.Where(setting => !setting.Name.Contains("KEY", StringComparison.Ordinal) && !setting.Name.Contains("Depth", StringComparison.Ordinal))],
        ["restore"] = [.. NodeSettings.Where(setting => setting.Name.Contains("Database", StringComparison.Ordinal) || setting.Name == "SALUS_ENGINES")],
        ["salus"] = [("Salus__Section__Name", "every setting of a node (docs/operations.md); see salus up --help"), ("SALUS_TRACE", "1 tells where a fault of this program is")],
    };

    static readonly (int Code, string Meaning)[] Common =
    [
        (ExitCodes.Done, "done"), (ExitCodes.Refused, "not done; the last line says why, and the mend"), (ExitCodes.Usage, "the command line is not understood"),
        (ExitCodes.Fault, "a fault of this program"), (ExitCodes.Interrupted, "interrupted"),
    ];

    static readonly (int Code, string Meaning)[] OfVerify =
    [
        (ExitCodes.Done, "all of it was checked, and holds"), (ExitCodes.Refused, "not checked; the last line says why, and the mend"),
        (ExitCodes.Findings, "something differs; every finding is named"), (ExitCodes.Unchecked, "what was checked holds, but something could not be checked, or was lost and the log tells so"),
        (20, "the proof file cannot be read; 21 the policy cannot"),
        (30, "the content is not what the leaf commits to"),
        (40, "an unknown log; 41 its signature; 42 the leaf's path"),
        (50, "a cosignature does not verify; 51 too few witnesses"),
        (80, "no anchor in the file; 81 another chain or contract; 82 the header; 83 nobody vouches for the block; 84 the receipt; 85 the event; 86 the account; 87 the storage"),
        (ExitCodes.Usage, "the command line is not understood"), (ExitCodes.Interrupted, "interrupted"),
    ];

    static readonly (int Code, string Meaning)[] OfLearning =
    [
        (ExitCodes.Done, "done"), (ExitCodes.Refused, "not done; the last line says why, and the mend"), (ExitCodes.Findings, "the leakage guard refused; every finding is named"),
        (ExitCodes.Usage, "the command line is not understood"), (ExitCodes.Fault, "a fault of this program"), (ExitCodes.Interrupted, "interrupted"),
    ];

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var code = options.Invoke(parseResult);
        var name = parseResult.CommandResult.Command.Name;
        var output = parseResult.InvocationConfiguration.Output;
        Section(output, "Examples", Examples.GetValueOrDefault(name, []));
        var settings = Environment.GetValueOrDefault(name, []);
        Section(output, "Environment", settings.Select(setting => $"{setting.Name.PadRight(settings.Max(other => other.Name.Length))}  {setting.Meaning}"));
        Section(output, "Exit codes", (name switch { "verify" => OfVerify, "evaluate" or "train" or "compare" => OfLearning, _ => Common }).Select(exit => $"{exit.Code,-4}{exit.Meaning}"));
        return code;
    }

    static void Section(TextWriter output, string title, IEnumerable<string> lines)
    {
        var shown = lines.ToList();
        if (shown.Count == 0)
        {
            return;
        }
        output.WriteLine($"{title}:");
        foreach (var line in shown)
        {
            output.WriteLine($"  {line}");
        }
        output.WriteLine();
    }
}
