using System.Security.Cryptography;
using Salus.Vault.Envelopes;

namespace Salus.Vault.Keys;

/// <summary>The vault cannot open; the message says why and the mend.</summary>
public sealed class VaultException(string message) : Exception(message);

/// <summary>The key that wraps the epoch keys. It lives outside the data folder: in a file of its own, or in the environment.</summary>
public sealed class MasterKey
{
    const UnixFileMode OthersMay = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    MasterKey(byte[] bytes) => Bytes = bytes;

    internal byte[] Bytes { get; }

    /// <summary>A key from 32 bytes in base64.</summary>
    /// <exception cref="VaultException">It is not 32 bytes in base64.</exception>
    public static MasterKey Parse(string base64, string source)
    {
        var bytes = new byte[Aead.KeyBytes];
        return Convert.TryFromBase64String(base64.Trim(), bytes, out var written) && written == bytes.Length
            ? new MasterKey(bytes)
            : throw new VaultException($"The master key in {source} is not 32 bytes in base64. Put the original key back; without it nothing sealed can be opened.");
    }

    /// <summary>The key in the file; with <paramref name="create"/> a missing file is made, readable by its owner only.</summary>
    /// <exception cref="VaultException">Missing, malformed, or readable by others.</exception>
    public static MasterKey FromFile(string path, bool create)
    {
        if (!File.Exists(path))
        {
            return create
                ? Create(path)
                : throw new VaultException($"There is no master key at {path}. Put it back, or name its place with --keys.");
        }
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & OthersMay) != 0)
        {
            throw new VaultException($"The master key at {path} can be read or written by others. Run: chmod 600 {path}");
        }
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>A fresh random key, kept nowhere.</summary>
    public static MasterKey CreateTransient() => new(RandomNumberGenerator.GetBytes(Aead.KeyBytes));

    static MasterKey Create(string path)
    {
        var key = CreateTransient();
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        else
        {
            Directory.CreateDirectory(folder);
        }
        using var file = new FileStream(path, options);
        using var writer = new StreamWriter(file);
        writer.Write(Convert.ToBase64String(key.Bytes));
        writer.Flush();
        file.Flush(flushToDisk: true);
        return key;
    }
}
