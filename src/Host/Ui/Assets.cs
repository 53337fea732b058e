using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.FileProviders;

namespace Salus.Host.Ui;

/// <summary>Addresses of static files that change with their content, so that browsers may keep them.</summary>
sealed class Assets(IWebHostEnvironment environment)
{
    /// <summary>The query parameter that marks an address as good for ever.</summary>
    public const string VersionParameter = "v";

    const int VersionCharacters = 12;
    readonly ConcurrentDictionary<string, string> urls = new();

    /// <summary>The address of a file under wwwroot.</summary>
    public string Url(string path) => urls.GetOrAdd(path, Make);

    string Make(string path)
    {
        using var stream = environment.WebRootFileProvider.GetFileInfo(path).CreateReadStream();
        return $"/{path}?{VersionParameter}={Convert.ToHexStringLower(SHA256.HashData(stream))[..VersionCharacters]}";
    }
}
