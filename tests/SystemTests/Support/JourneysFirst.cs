using Xunit.Sdk;
using Xunit.v3;

namespace Salus.SystemTests.Support;

/// <summary>Begins with the longest line, the journeys, which nothing shortens: what has nodes of its own fills the other.</summary>
public sealed class JourneysFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : notnull, ITestCollection =>
        [.. testCollections.OrderByDescending(collection => collection.TestCollectionDisplayName == SharedNode.Journeys).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];
}
