using Npgsql;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Schema;

namespace Salus.Tests.Platform;

public sealed class GatheringTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_while_others_are_answered_goes_together_and_each_gets_its_own_answer()
    {
        var gate = new TaskCompletionSource();
        List<int> sizes = [];
        var gathering = new Gathering<int, int>(async asks =>
        {
            lock (sizes)
            {
                sizes.Add(asks.Count);
            }
            await gate.Task;
            return [.. asks.Select(ask => ask * 10)];
        }, 7);
        var answers = Enumerable.Range(0, 200).Select(i => gathering.AskAsync(i, Cancellation)).ToList();
        gate.SetResult();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => i * 10), await Task.WhenAll(answers));
        Assert.Equal(200, sizes.Sum());
        Assert.Equal(7, sizes.Max());
        Assert.InRange(sizes.Count, 29, 29 + (7 * Environment.ProcessorCount));
        Assert.Equal(70, await gathering.AskAsync(7, Cancellation));
    }

    [Fact]
    public async Task A_fault_reaches_all_that_were_asked_with_it_and_nobody_else()
    {
        var gate = new TaskCompletionSource();
        var gathering = new Gathering<int, int>(async asks =>
        {
            await gate.Task;
            return asks.Contains(-1) ? throw new InvalidOperationException("lost") : [.. asks];
        }, 1000);
        var failing = gathering.AskAsync(-1, Cancellation);
        gate.SetResult();
        Assert.Equal("lost", (await Assert.ThrowsAsync<InvalidOperationException>(() => failing)).Message);
        Assert.Equal(5, await gathering.AskAsync(5, Cancellation));
    }

    [Fact]
    public async Task A_question_that_cannot_be_asked_fails_alone()
    {
        var gate = new TaskCompletionSource();
        List<int> sizes = [];
        var gathering = new Gathering<string, string>(async asks =>
        {
            await gate.Task;
            lock (sizes)
            {
                sizes.Add(asks.Count);
            }
            return asks.Contains("bad") ? throw new ArgumentException("no such text") : asks;
        }, 1000);
        var answers = new[] { "a", "b", "c", "bad", "d" }.ToDictionary(ask => ask, ask => gathering.AskAsync(ask, Cancellation));
        for (var i = 0; i < 50; i++)
        {
            answers[$"{i}"] = gathering.AskAsync($"{i}", Cancellation);
        }
        gate.SetResult();
        await Assert.ThrowsAsync<ArgumentException>(() => answers["bad"]);
        foreach (var (ask, answer) in answers.Where(pair => pair.Key != "bad"))
        {
            Assert.Equal(ask, await answer);
        }
        Assert.InRange(sizes.Max(), 2, 55);
    }

    [Fact]
    public async Task Texts_that_the_database_cannot_hold_fail_nobody_elses_questions()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var self = await node.AddAsync(Role.Patient, patient);
        var read = Enumerable.Range(0, 200).Select(i => i % 4 == 0
            ? ReadAsync("Observation", i % 8 == 0 ? "\0" : "\ud800")
            : ReadAsync(records[0].Type, records[0].Id)).ToList();
        var ends = await Task.WhenAll(read);
        Assert.Equal(150, ends.Count(found => found));

        async Task<bool> ReadAsync(string type, string id)
        {
            await Task.Yield();
            try
            {
                return await node.Records.ReadAsync(self, type, id, null, Purpose.Treatment, Cancellation) is ReadOutcome.Found;
            }
            catch (Exception refused) when (refused is PostgresException or ArgumentException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Who_no_longer_waits_holds_up_nobody_and_is_answered_all_the_same()
    {
        var gate = new TaskCompletionSource();
        List<int> asked = [];
        var gathering = new Gathering<int, int>(async asks =>
        {
            await gate.Task;
            lock (asked)
            {
                asked.AddRange(asks);
            }
            return [.. asks];
        }, 10);
        using var gone = new CancellationTokenSource();
        var left = gathering.AskAsync(1, gone.Token);
        var stays = gathering.AskAsync(2, Cancellation);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        gate.SetResult();
        Assert.Equal(2, await stays);
        await TestNode.UntilAsync(() =>
        {
            lock (asked)
            {
                return Task.FromResult(asked.Contains(1));
            }
        }, "what was left is asked");
    }
}
