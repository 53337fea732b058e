using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Salus.Platform.Identity;

/// <summary>Rules for e-mails and passwords, and the hashing of passwords (PBKDF2 with HMAC-SHA-512).</summary>
public sealed class Credentials
{
    /// <summary>The floor OWASP gives for PBKDF2 with HMAC-SHA-512.</summary>
    public const int IterationsMin = 210_000;
    const int PasswordLengthMax = 128; // a longer one costs the hash and gains nothing
    const int EmailLengthMax = 254;
    const int LocalPartLengthMax = 64;
    const int DistinctCharactersMin = 5;

    static readonly string[] Common =
        ["password", "passwort", "qwerty", "12345678", "letmein", "welcome", "iloveyou", "abcdefgh", "administrator", "salus"];

    readonly PasswordHasher<string> hasher;
    readonly string nobody;

    /// <summary>Hashes a password nobody has, so that unknown e-mails cost what known ones do.</summary>
    public Credentials() : this(IterationsMin) { }

    /// <summary>With another strength; a lower one protects nothing.</summary>
    /// <param name="iterations">Rounds of PBKDF2.</param>
    public Credentials(int iterations)
    {
        hasher = new PasswordHasher<string>(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        nobody = Hash(Guid.Empty, RandomNumberGenerator.GetHexString(32));
    }

    /// <summary>The e-mail as it is compared: trimmed, in lower case; null when it is none.</summary>
    public static string? NormalizeEmail(string? email)
    {
        var text = email?.Trim().ToLowerInvariant() ?? "";
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at is > 0 and <= LocalPartLengthMax
            && text.Length <= EmailLengthMax
            && at == text.LastIndexOf('@')
            && at < text.Length - 1
            && text[^1] != '.' && text[at + 1] != '.'
            && !text.Any(character => char.IsWhiteSpace(character) || char.IsControl(character) || character is '<' or '>' or ',' or ';')
            ? text : null;
    }

    /// <summary>Why a password is too weak, or null. Length counts, composition does not (NIST SP 800-63B section 3.1.1).</summary>
    public static string? Weakness(string? password, string email, string displayName, int lengthMin)
    {
        if (password is null || password.Length < lengthMin)
        {
            return $"It has fewer than {lengthMin} characters.";
        }
        if (password.Length > PasswordLengthMax)
        {
            return $"It has more than {PasswordLengthMax} characters.";
        }
        if (password.Distinct().Count() < DistinctCharactersMin)
        {
            return $"It has fewer than {DistinctCharactersMin} different characters.";
        }
        var lower = password.ToLowerInvariant();
        if (Personal(email, displayName).FirstOrDefault(part => lower.Contains(part, StringComparison.Ordinal)) is not null)
        {
            return "It contains a part of the name or the e-mail.";
        }
        return Common.Any(word => lower.Contains(word, StringComparison.Ordinal) && lower.Length < word.Length + lengthMin)
            ? "It is a common password with little added."
            : null;
    }

    /// <summary>The hash to store.</summary>
    public string Hash(Guid account, string password) => hasher.HashPassword(account.ToString(), password);

    /// <summary>Whether the password is right; <paramref name="rehash"/> when the stored hash is of an older strength.</summary>
    public bool Verify(Guid account, string hash, string password, out bool rehash)
    {
        var result = password.Length <= PasswordLengthMax
            ? hasher.VerifyHashedPassword(account.ToString(), hash, password)
            : PasswordVerificationResult.Failed;
        rehash = result == PasswordVerificationResult.SuccessRehashNeeded;
        return result != PasswordVerificationResult.Failed;
    }

    /// <summary>Does the work of a verification.</summary>
    public void VerifyNobody(string password) => Verify(Guid.Empty, nobody, password, out _);

    static IEnumerable<string> Personal(string email, string displayName) =>
        displayName.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries).Append(email.Split('@')[0]).Where(part => part.Length >= 4);
}
