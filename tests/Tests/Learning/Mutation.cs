using Salus.Learning;

namespace Salus.Tests.Learning;

/// <summary>Bends bytes in many ways from one seed: what reads them refuses with a reason, or gives what can still be used.</summary>
static class Mutation
{
    public delegate string? Reader(byte[] bytes);

    /// <summary>The reader gives the refusal, or null where it could read and use them; an exception fails the test. Returns how many were refused.</summary>
    public static int Run(byte[] bytes, Reader read, int attempts = 1_500)
    {
        var generator = new SeededGenerator(5);
        var refused = 0;
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            var bent = (byte[])bytes.Clone();
            switch (attempt % 3)
            {
                case 0:
                    bent[generator.NextInt(bent.Length)] ^= (byte)(1 + generator.NextInt(255));
                    break;
                case 1:
                    bent = bent[..generator.NextInt(bent.Length)];
                    break;
                default:
                    // A count or an index turned huge or negative.
                    for (int at = generator.NextInt(bent.Length), end = Math.Min(bent.Length, at + 4); at < end; at++)
                        bent[at] = 0xFF;
                    break;
            }
            if (read(bent) is not { } refusal)
                continue;
            Assert.NotEmpty(refusal);
            refused++;
        }
        return refused;
    }
}
