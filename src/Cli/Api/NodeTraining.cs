using Salus.Learning.Models;

namespace Salus.Cli.Api;

/// <summary>The best that any model could do, where it is known.</summary>
sealed record BestAnswer(double Accuracy, double Error, string About);

/// <summary>What the node tells of a model.</summary>
sealed record ModelSummaryAnswer(string Id, int Patients, string Hash, ModelCard Card);

/// <summary>A model of the node with its proof.</summary>
sealed record ModelAnswer(ModelSummaryAnswer Summary, ProofAnswer Proof);

/// <summary>Asks a node to train on its own records.</summary>
static class NodeTraining
{
    /// <summary>What is asked for.</summary>
    public sealed record Request
    {
        public int Trees { get; init; } = 200;

        public ulong Seed { get; init; } = 1;

        public string Kind { get; init; } = "forest";

        public string? Recipe { get; init; }

        public string? Override { get; init; }

        public BestAnswer? BestAttainable { get; init; }
    }

    /// <summary>Trains; the answer comes when the model stands.</summary>
    /// <exception cref="CliException">The node refuses.</exception>
    public static Task<ModelAnswer> TrainAsync(NodeClient client, Request request, CancellationToken cancellation) =>
        client.SendAsync<ModelAnswer>(HttpMethod.Post, "/api/models/train", request, cancellation);

    /// <summary>Releases a model for use, with what the caller states; the release's id.</summary>
    /// <exception cref="CliException">The node refuses.</exception>
    public static async Task<string> ReleaseAsync(NodeClient client, string model, string statement, CancellationToken cancellation) =>
        (await client.SendAsync<Release>(HttpMethod.Post, $"/api/models/{model}/release", new { Statement = statement }, cancellation)).Id;

    sealed record Release(string Id);
}
