using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Vault.Envelopes;

namespace Salus.Platform.Identity;

/// <summary>
/// Keeps ASP.NET's data protection keys in table <c>data_protection_key</c>, so that all processes of a node share them. Each is sealed whole
/// under the organisation's key: the framework takes a key that stands in the clear for its own, and with it whatever that key protects.
/// </summary>
sealed partial class KeyRing(NpgsqlDataSource database, OrganizationDesk organization, TimeProvider time, ILogger logger) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var connection = database.OpenConnection();
        using var read = new NpgsqlCommand("SELECT name, sealed FROM data_protection_key ORDER BY created", connection);
        using var rows = read.ExecuteReader();
        List<XElement> elements = [];
        while (rows.Read())
        {
            var name = rows.GetString(0);
            if (organization.Key.TryOpen(Context(name), rows.GetFieldValue<byte[]>(1), out var xml))
            {
                elements.Add(XElement.Parse(Encoding.UTF8.GetString(xml)));
            }
            else
            {
                LogAltered(logger, name);
            }
        }
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var connection = database.OpenConnection();
        using var insert = new NpgsqlCommand("INSERT INTO data_protection_key (name, sealed, created) VALUES ($1, $2, $3)", connection)
        {
            Parameters =
            {
                new() { Value = friendlyName },
                new() { Value = organization.Key.Seal(Context(friendlyName), Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting))) },
                new() { Value = time.GetUtcNow() },
            },
        };
        insert.ExecuteNonQuery();
    }

    static SealContext Context(string name) => new("DataProtectionKey", name, 1);

    [LoggerMessage(Level = LogLevel.Error, Message = "The data protection key {Name} was altered in the database and is not used; sessions made under it end")]
    static partial void LogAltered(ILogger logger, string name);
}

/// <summary>Connects the key ring to data protection.</summary>
sealed class KeyRingSetup(NpgsqlDataSource database, OrganizationDesk organization, TimeProvider time, ILogger<KeyRing> logger) : IConfigureOptions<KeyManagementOptions>
{
    public void Configure(KeyManagementOptions options)
    {
        options.XmlRepository = new KeyRing(database, organization, time, logger);
        options.XmlEncryptor = new NullXmlEncryptor(); // the repository seals the whole
    }
}
