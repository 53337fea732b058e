using Salus.Learning.Tables;

namespace Salus.Platform.Cohorts;

/// <summary>The tables last worked on, in memory, up to a number of values; the least lately used goes first.</summary>
sealed class TableCache(long valuesMax)
{
    readonly Lock gate = new();
    readonly LinkedList<((Guid DataSet, int Version) Key, Table Table)> tables = [];
    long values;

    public Table? Find(Guid dataSet, int version)
    {
        lock (gate)
        {
            for (var node = tables.First; node is not null; node = node.Next)
            {
                if (node.Value.Key == (dataSet, version))
                {
                    tables.Remove(node);
                    tables.AddFirst(node);
                    return node.Value.Table;
                }
            }
            return null;
        }
    }

    public void Add(Guid dataSet, int version, Table table)
    {
        lock (gate)
        {
            Remove(other => other == (dataSet, version));
            if (SizeOf(table) > valuesMax)
            {
                return;
            }
            tables.AddFirst(((dataSet, version), table));
            values += SizeOf(table);
            while (values > valuesMax)
            {
                values -= SizeOf(tables.Last!.Value.Table);
                tables.RemoveLast();
            }
        }
    }

    public void Remove(Guid dataSet)
    {
        lock (gate)
        {
            Remove(other => other.DataSet == dataSet);
        }
    }

    void Remove(Predicate<(Guid DataSet, int Version)> which)
    {
        for (var node = tables.First; node is not null;)
        {
            var next = node.Next;
            if (which(node.Value.Key))
            {
                values -= SizeOf(node.Value.Table);
                tables.Remove(node);
            }
            node = next;
        }
    }

    static long SizeOf(Table table) => (long)table.RowCount * table.Columns.Count;
}
