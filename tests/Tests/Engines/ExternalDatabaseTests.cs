using Npgsql;
using Salus.Host.Node;

namespace Salus.Tests.Engines;

public sealed class ExternalDatabaseTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("postgresql://dr%20who:p%40ss@db.example:6543/salus?sslmode=verify-full", "db.example", 6543, "salus", "dr who", "p@ss", SslMode.VerifyFull)]
    [InlineData("postgres://salus:pw@db/salus", "db", 5432, "salus", "salus", "pw", SslMode.Prefer)]
    [InlineData("Host=db;Port=6000;Database=salus;Username=salus;Password=pw;SSL Mode=Require", "db", 6000, "salus", "salus", "pw", SslMode.Require)]
    public void An_address_is_taken_as_keywords_or_as_a_URI(string address, string host, int port, string database, string user, string password, SslMode ssl)
    {
        var parsed = new NpgsqlConnectionStringBuilder(ExternalDatabase.Parse(address));
        Assert.Equal((host, port, database, user, password, ssl), (parsed.Host, parsed.Port, parsed.Database, parsed.Username, parsed.Password, parsed.SslMode));
        Assert.True(parsed.MaxPoolSize < 100, "a PostgreSQL allows 100 connections unless told otherwise");
    }

    [Theory]
    [InlineData("db.example/secret")]
    [InlineData("Hots=db;Password=secret")]
    [InlineData("postgresql://salus:secret@db/salus?nonsense=1")]
    public void What_is_no_address_is_refused_without_repeating_what_may_be_a_password(string address)
    {
        var refused = Assert.Throws<NodeException>(() => ExternalDatabase.Parse(address));
        Assert.Contains("--database is no connection string", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_too_old_is_refused_with_both_versions()
    {
        var database = await EngineFixture.NewDatabaseAsync();
        await ExternalDatabase.RequireAsync(database, 18, Cancellation);
        var refused = await Assert.ThrowsAsync<NodeException>(() => ExternalDatabase.RequireAsync(database, 19, Cancellation));
        Assert.Matches(@"runs version 18\.\d+; Salus needs 19 or later\. Upgrade it", refused.Message);
    }

    [Fact]
    public async Task A_database_in_another_encoding_is_refused_with_the_statement_that_makes_a_right_one()
    {
        var database = new NpgsqlConnectionStringBuilder(await EngineFixture.NewDatabaseAsync());
        await RunAsync(database.ConnectionString, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
        database.Database = "latin";
        var refused = await Assert.ThrowsAsync<NodeException>(() => ExternalDatabase.RequireAsync(database.ConnectionString, 15, Cancellation));
        Assert.Contains("LATIN1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("CREATE DATABASE latin ENCODING 'UTF8' TEMPLATE template0", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_refused_with_the_statement_that_makes_it()
    {
        var database = new NpgsqlConnectionStringBuilder(await EngineFixture.NewDatabaseAsync()) { Database = "nowhere" };
        var refused = await Assert.ThrowsAsync<NodeException>(() => ExternalDatabase.RequireAsync(database.ConnectionString, 15, Cancellation));
        Assert.Contains("CREATE DATABASE nowhere OWNER salus", refused.Message, StringComparison.Ordinal);
    }

    static async Task RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
