using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>Keeps ASP.NET's data protection keys in table <c>data_protection_key</c>, so that all processes of a node share them.</summary>
sealed class KeyRing(NpgsqlDataSource database, TimeProvider time) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var connection = database.OpenConnection();
        using var read = new NpgsqlCommand("SELECT xml FROM data_protection_key ORDER BY created", connection);
        using var rows = read.ExecuteReader();
        List<XElement> elements = [];
        while (rows.Read())
        {
            elements.Add(XElement.Parse(rows.GetString(0)));
        }
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var connection = database.OpenConnection();
        using var insert = new NpgsqlCommand("INSERT INTO data_protection_key (name, xml, created) VALUES ($1, $2, $3)", connection)
        {
            Parameters =
            {
                new() { Value = friendlyName },
                new() { Value = element.ToString(SaveOptions.DisableFormatting) },
                new() { Value = time.GetUtcNow() },
            },
        };
        insert.ExecuteNonQuery();
    }
}

/// <summary>Seals key material under the organisation's key.</summary>
sealed class KeyRingEncryptor(OrganizationDesk organization) : IXmlEncryptor
{
    internal static readonly SealContext Context = new("DataProtectionKey", "ring", 1);

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plaintext = System.Text.Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var sealedBytes = organization.Key.Seal(Context, plaintext);
        return new EncryptedXmlInfo(new XElement("sealed", Convert.ToBase64String(sealedBytes)), typeof(KeyRingDecryptor));
    }
}

/// <summary>Opens what <see cref="KeyRingEncryptor"/> sealed; the framework makes it by the type's name in the stored XML.</summary>
sealed class KeyRingDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) =>
        services.GetRequiredService<OrganizationDesk>().Key.TryOpen(
            KeyRingEncryptor.Context, Convert.FromBase64String(encryptedElement.Value), out var plaintext)
            ? XElement.Parse(System.Text.Encoding.UTF8.GetString(plaintext))
            : throw new VaultException("A data protection key was altered in the database. Delete its row of table data_protection_key; sessions made under it end.");
}

/// <summary>Connects the key ring to data protection.</summary>
sealed class KeyRingSetup(NpgsqlDataSource database, OrganizationDesk organization, TimeProvider time) : IConfigureOptions<KeyManagementOptions>
{
    public void Configure(KeyManagementOptions options)
    {
        options.XmlRepository = new KeyRing(database, time);
        options.XmlEncryptor = new KeyRingEncryptor(organization);
    }
}
