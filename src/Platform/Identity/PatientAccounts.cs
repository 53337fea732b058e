using System.Security.Cryptography;
using Npgsql;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Identity;

/// <summary>Ends what a patient's record has to do with accounts.</summary>
public sealed class PatientAccounts(IdentityTables tables, OrganizationDesk organization, Credentials credentials, TimeProvider time)
{
    const string Nobody = "erased";
    const int SignInBytes = 16;
    const int PasswordBytes = 32;

    /// <summary>Whether the record has an account.</summary>
    public async Task<bool> HasAccountAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        await tables.Accounts.FindOfPatientAsync(connection, patient, cancellation) is not null;

    /// <summary>
    /// Shuts the account of a record for good and takes name, e-mail, password, passkeys and second factor out of it, in the caller's transaction; codes
    /// for the record are void. Whether there was an account.
    /// </summary>
    public async Task<bool> ForgetAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation)
    {
        await CodeStore.RemoveEnrolmentsAsync(connection, patient, cancellation);
        if (await tables.Accounts.FindOfPatientAsync(connection, patient, cancellation) is not { } account)
        {
            return false;
        }
        var version = account.ProfileVersion + 1;
        var blank = account with
        {
            SignIn = RandomNumberGenerator.GetBytes(SignInBytes),
            Profile = new AccountProfile(Nobody, Nobody, RandomNumberGenerator.GetBytes(32)).Seal(organization.Key, account.Id, version),
            ProfileVersion = version,
            Disabled = account.Disabled ?? time.GetUtcNow(),
            PasswordHash = credentials.Hash(account.Id, Convert.ToHexString(RandomNumberGenerator.GetBytes(PasswordBytes))),
            Stamp = AccountDesk.NewStamp(),
            SecondFactor = null,
            SecondFactorOn = false,
            SecondFactorReset = null,
            Patient = null,
        };
        await tables.Accounts.BlankAsync(connection, blank, cancellation);
        await PasskeyStore.RemoveAllAsync(connection, blank.Id, cancellation);
        await tables.Codes.ReplaceRecoveryAsync(connection, blank, [], cancellation);
        await AccessStore.DeleteAllAsync(connection, blank.Id, cancellation);
        return true;
    }
}
