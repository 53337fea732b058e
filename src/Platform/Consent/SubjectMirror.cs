using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Consent.Delegates;
using Salus.Platform.Consent.Recovery;

namespace Salus.Platform.Consent;

/// <summary>Brings what the contract says of who signs for patients into the tables, one event after the other.</summary>
static class SubjectMirror
{
    public static async Task ApplyAsync(NpgsqlConnection connection, SubjectsEvent? happened, DateTimeOffset now, long block, CancellationToken cancellation)
    {
        switch (happened)
        {
            case SubjectsEvent.Enrolled enrolled:
                await ConsentKeyStore.AddedAsync(connection, enrolled.Key, block, cancellation);
                break;
            case SubjectsEvent.KeyAdded added:
                await ConsentKeyStore.AddedAsync(connection, added.Key, block, cancellation);
                break;
            case SubjectsEvent.KeyRemoved removed:
                await ConsentKeyStore.RemovedAsync(connection, removed.Key, block, cancellation);
                await ConsentKeyStore.ForgetNodeKeyAsync(connection, removed.Subject, removed.Key, cancellation);
                break;
            case SubjectsEvent.DelegateAdded added:
                await DelegateStore.AddedAsync(connection, added.Subject, added.Delegate, Time(added.NotAfter), added.Sequence, block, cancellation);
                break;
            case SubjectsEvent.DelegateRemoved removed:
                await DelegateStore.RemovedAsync(connection, removed.Subject, removed.Delegate, removed.Sequence, now, block, cancellation);
                break;
            case SubjectsEvent.RecoverySet set:
                await RecoveryStore.SetAsync(connection, set.Terms.Contacts, block, cancellation);
                break;
            case SubjectsEvent.RecoveryRequested requested:
                await RecoveryStore.RequestedAsync(connection, requested.Subject, requested.Key, requested.Sequence, Time(requested.EffectiveAt), now, block, cancellation);
                break;
            case SubjectsEvent.RecoveryCancelled cancelled:
                await RecoveryStore.CancelledAsync(connection, cancelled.Subject, now, block, cancellation);
                break;
            case SubjectsEvent.Recovered recovered:
                await RecoverAsync(connection, recovered, now, block, cancellation);
                break;
        }
    }

    /// <summary>
    /// All that signed until the recovery took effect signs no more. What was enrolled later is left alone, for the chain may be read again from
    /// long before.
    /// </summary>
    static async Task RecoverAsync(NpgsqlConnection connection, SubjectsEvent.Recovered recovered, DateTimeOffset now, long block, CancellationToken cancellation)
    {
        if (await RecoveryStore.CompletedAsync(connection, recovered.Subject, recovered.Key, block, cancellation) is var (patient, effectiveAt))
        {
            await ConsentKeyStore.ReplacedAsync(connection, patient, recovered.Key, effectiveAt, now, block, cancellation);
            await DelegateStore.EndedAsync(connection, patient, effectiveAt, now, block, cancellation);
        }
    }

    static DateTimeOffset Time(ulong unixSeconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(unixSeconds, 253_402_300_799));
}
