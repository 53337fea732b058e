using BenchmarkDotNet.Running;
using Salus.Bench;

// ./salus bench [import --data DIR | search | crud | gas | ledger | soak | learning | growth | micro]
return args switch
{
    ["import", .. var rest] => await ImportRun.RunAsync(rest),
    ["search", .. var rest] => await SearchRun.RunAsync(rest),
    ["crud", .. var rest] => await CrudRun.RunAsync(rest),
    ["gas"] => await GasRun.RunAsync(),
    ["ledger"] => await LedgerRun.RunAsync(),
    ["fhirpath", .. var rest] => FhirPathRun.Run(rest),
    ["soak", .. var rest] => await SoakRun.RunAsync(rest),
    ["definitions", .. var rest] => DefinitionsRun.Run(rest),
    ["validate", .. var rest] => await ValidateRun.RunAsync(rest),
    ["learning", .. var rest] => LearningRun.Run(rest),
    ["growth", .. var rest] => GrowthRun.Run(rest),
    ["text", .. var rest] => TextRun.Run(rest),
    ["learning-child", .. var rest] => LearningChild.Run(rest),
    ["micro", .. var rest] => BenchmarkSwitcher.FromAssembly(typeof(GasRun).Assembly).Run(rest.Length == 0 ? ["--filter", "*"] : rest).Any() ? 0 : 1,
    _ => Help(),
};

static int Help()
{
    Console.WriteLine("""
        import --data DIR [--clients N] [--rounds N]   resources/s into a node beside a bare PostgreSQL table, from DIR/synthea-r4/*.json
        search [--sizes N,N] [--times N] [--clients N] [--keep DIR]
                                                       searches of each kind in a node that holds 10,000 and 100,000 resources
        crud [--times N] [--clients N]                 Observations created, read, updated, found and deleted
        definitions                                    time and memory until FHIR's definitions answer, in processes just started
        validate --data DIR                            reading and validating DIR/synthea-r4/*.json beside @medplum/core (npm ci --prefix bench/peers/validation)
        fhirpath --data DIR                            FHIRPath beside npm's fhirpath (npm ci --prefix bench/peers)
        gas                                            gas per record at batch 1, 100 and 10,000 beside one transaction per record
        ledger                                         hashing into the tree beside raw SHA-256, proofs at 2^20, from the outbox to the anchored head
        soak [--kills N]                               a node killed N times under load; every acknowledged write must be there (100)
        text --data DIR [--rounds N] [--python FILE]   text models beside scikit-learn's, on DIR/text/mtsamples.csv
        learning [--rows N,N] [--models row,forest,boosting] [--rounds N] [--threads N] [--python FILE] [--peers FILE]
                                                       trees beside scikit-learn and XGBoost, which the Python named must have
        growth [--out FILE]                            how the time of a fit grows with rows and trees, as a table and a plot (bench/fit-time.svg)
        micro [BenchmarkDotNet options]                sealing, leaf hashing, validation, indexing
        """);
    return 1;
}
