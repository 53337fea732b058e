using System.Security.Cryptography;
using System.Text.Json;

namespace Salus.Tests.Vault;

/// <summary>Wycheproof's AES-GCM cases, through the class the vault seals with and with the parameters it uses.</summary>
[Trait("Data", "field")]
public sealed class AesGcmVectorTests
{
    [Fact]
    public void Every_case_of_the_vaults_parameters_is_decided_as_wycheproof_says()
    {
        var (valid, invalid) = (0, 0);
        foreach (var (key, nonce, test) in Cases())
        {
            var (message, associated, text, tag) = (Bytes(test, "msg"), Bytes(test, "aad"), Bytes(test, "ct"), Bytes(test, "tag"));
            using var gcm = new AesGcm(key, 16);
            var opened = new byte[text.Length];
            if (test.GetProperty("result").GetString() == "valid")
            {
                var (sealedText, sealedTag) = (new byte[message.Length], new byte[16]);
                gcm.Encrypt(nonce, message, sealedText, sealedTag, associated);
                Assert.Equal(text, sealedText);
                Assert.Equal(tag, sealedTag);
                gcm.Decrypt(nonce, text, tag, opened, associated);
                Assert.Equal(message, opened);
                valid++;
            }
            else
            {
                Assert.Throws<AuthenticationTagMismatchException>(() => gcm.Decrypt(nonce, text, tag, opened, associated));
                invalid++;
            }
        }
        Assert.True(valid >= 30 && invalid >= 20, $"only {valid} valid and {invalid} invalid cases were found");
    }

    static IEnumerable<(byte[] Key, byte[] Nonce, JsonElement Test)> Cases()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(FieldData.File("vectors/wycheproof", "aes_gcm_test.json")));
        foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray().Where(group =>
            (group.GetProperty("keySize").GetInt32(), group.GetProperty("ivSize").GetInt32(), group.GetProperty("tagSize").GetInt32()) == (256, 96, 128)))
        {
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                yield return (Bytes(test, "key"), Bytes(test, "iv"), test);
            }
        }
    }

    static byte[] Bytes(JsonElement test, string name) => Convert.FromHexString(test.GetProperty(name).GetString()!);
}
