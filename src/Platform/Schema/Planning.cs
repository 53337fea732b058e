namespace Salus.Platform.Schema;

/// <summary>How the database finds its way for a statement.</summary>
enum Planning
{
    /// <summary>As it thinks best, by the values and each time anew where they may matter: planning often costs more than answering.</summary>
    ByValues,

    /// <summary>Once for all values, through an index: for what is found by its key.</summary>
    Once,

    /// <summary>Once for all values, along an index in the order that is asked for, until enough is found.</summary>
    OnceInOrder,

    /// <summary>Once for all values, by what an index says of a condition that it can answer: no index is gone through in its order for want of one.</summary>
    OnceByCondition,
}
