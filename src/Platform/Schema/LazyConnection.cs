using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>A connection that is opened when it is first needed, or one that is lent: who holds none may ask in messages that are shared.</summary>
sealed class LazyConnection : IAsyncDisposable
{
    readonly NpgsqlDataSource? database;
    NpgsqlConnection? open;

    /// <summary>One of its own.</summary>
    public LazyConnection(NpgsqlDataSource database) => this.database = database;

    /// <summary>One that is lent, and stays open.</summary>
    public LazyConnection(NpgsqlConnection lent) => open = lent;

    /// <summary>Whether one is held.</summary>
    public bool IsOpen => open is not null;

    /// <summary>The connection.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellation) => open ??= await database!.OpenConnectionAsync(cancellation);

    /// <summary>Gives it back, unless it is lent.</summary>
    public async ValueTask CloseAsync()
    {
        if (database is not null && open is { } own)
        {
            open = null;
            await own.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync();
}
