using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;
using Salus.Ledger.Merkle;

namespace Salus.Bench;

/// <summary>The tree beside the raw hash over the same bytes.</summary>
[MemoryDiagnoser]
public class LogBenchmarks
{
    const int Leaves = 10_000;
    readonly byte[][] envelopes = [.. Enumerable.Range(0, Leaves).Select(_ => RandomNumberGenerator.GetBytes(256))];

    /// <summary>SHA-256 of each envelope.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Leaves)]
    public int RawSha256()
    {
        var sum = 0;
        Span<byte> hash = stackalloc byte[32];
        foreach (var envelope in envelopes)
        {
            SHA256.HashData(envelope, hash);
            sum += hash[0];
        }
        return sum;
    }

    /// <summary>Leaf hashes, interior nodes and the root.</summary>
    [Benchmark(OperationsPerInvoke = Leaves)]
    public byte[] HashedAndSequenced() => RightEdge.Empty.Append([.. envelopes.Select(envelope => MerkleHash.Leaf(envelope))]).Edge.Root();
}

/// <summary>One Observation on its way in.</summary>
[MemoryDiagnoser]
public class RecordBenchmarks
{
    readonly byte[] json =
        """
        {"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/example"},
        "effectiveDateTime":"2026-01-01T09:00:00Z","valueQuantity":{"value":72,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}}
        """u8.ToArray();

    /// <summary>Parsed.</summary>
    [Benchmark(Baseline = true)]
    public FhirReadOutcome Read() => FhirJson.Read(json);

    /// <summary>Parsed and validated.</summary>
    [Benchmark]
    public int Validate() => Validator.R4.Validate(((FhirReadOutcome.Ok)FhirJson.Read(json)).Resource).Count;

    /// <summary>Parsed and search values extracted.</summary>
    [Benchmark]
    public int Index() => SearchIndexer.R4.Extract(((FhirReadOutcome.Ok)FhirJson.Read(json)).Resource).Count;
}
