namespace Salus.Cli.Api;

/// <summary>An estimate and its 95 % interval.</summary>
sealed record IntervalAnswer(double Estimate, double Low, double High);

/// <summary>The best that any model could do, where it is known.</summary>
sealed record BestAnswer(double Accuracy, double Error, string About);

/// <summary>A feature and how much it matters.</summary>
sealed record ImportanceAnswer(string Feature, double Importance);

/// <summary>What the node tells of a model.</summary>
sealed record ModelSummaryAnswer(
    string Id, int Encounters, int Abnormal, int Patients, int Trees, int Folds, int Repeats, IntervalAnswer Accuracy, IntervalAnswer Auc, double Majority, double Brier,
    double Sensitivity, double Specificity, double OutOfBagAccuracy, string DataCommitment, IReadOnlyList<ImportanceAnswer> Importance);

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

        public BestAnswer? BestAttainable { get; init; }
    }

    /// <summary>Trains; the answer comes when the model stands.</summary>
    /// <exception cref="CliException">The node refuses.</exception>
    public static Task<ModelAnswer> TrainAsync(NodeClient client, Request request, CancellationToken cancellation) =>
        client.SendAsync<ModelAnswer>(HttpMethod.Post, "/api/models/train", request, cancellation);
}
