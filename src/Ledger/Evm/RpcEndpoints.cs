namespace Salus.Ledger.Evm;

/// <summary>One endpoint of a network, as it stands now.</summary>
/// <param name="Address">Where it is asked.</param>
/// <param name="Fault">Why it rests; null while it is asked.</param>
public sealed record RpcEndpoint(Uri Address, string? Fault);

/// <summary>
/// Endpoints of one network, asked in their order. One that fails rests, twice as long each time up to a limit, and the next is asked; each at most
/// once a question. One that answers for another chain is not asked again until its rest is over. Safe for use by several threads at once.
/// </summary>
sealed class RpcEndpoints
{
    internal const int CountMax = 8;
    static readonly TimeSpan RestMin = TimeSpan.FromSeconds(1);
    static readonly TimeSpan RestMax = TimeSpan.FromMinutes(1);
    // How long an answer is waited for while there is another endpoint to ask.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly TimeProvider time;
    readonly Place[] places;
    readonly Lock state = new();

    public RpcEndpoints(IReadOnlyList<Uri> addresses, TimeProvider time)
    {
        if (addresses.Count is 0 or > CountMax)
            throw new ArgumentException($"A network has 1 to {CountMax} endpoints, not {addresses.Count}.", nameof(addresses));
        this.time = time;
        places = [.. addresses.Select(address => new Place(address))];
    }

    public IReadOnlyList<RpcEndpoint> All
    {
        get
        {
            lock (state)
                return [.. places.Select(place => new RpcEndpoint(place.Address, place.Fault))];
        }
    }

    /// <remarks>Faults name an endpoint by host and port alone: the rest of its address may be a secret.</remarks>
    /// <summary>Asks the first endpoint that answers. With all of them resting, each is asked all the same: there is nobody else.</summary>
    /// <param name="ask">Asks an address; a fault of the transport sends the question on to the next.</param>
    /// <param name="objection">What stands against an address that is asked for the first time or after a rest; null when nothing does.</param>
    public async Task<T> AskAsync<T>(
        Func<Uri, CancellationToken, Task<T>> ask, Func<Uri, CancellationToken, Task<string?>> objection, CancellationToken cancellationToken)
    {
        HttpRequestException? last = null;
        var order = Order();
        foreach (var place in order)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (place != order[^1])
                patience.CancelAfter(Patience);
            try
            {
                if (!place.IsKnown && await objection(place.Address, patience.Token) is { } against)
                    throw new HttpRequestException($"{place.Address.Authority} {against}");
                var answer = await ask(place.Address, patience.Token);
                Answered(place);
                return answer;
            }
            catch (HttpRequestException fault)
            {
                Failed(place, fault.Message);
                last = fault;
            }
            catch (OperationCanceledException slow) when (!cancellationToken.IsCancellationRequested)
            {
                Failed(place, slow.Message);
                last = new HttpRequestException($"{place.Address.Authority} does not answer in time.", slow);
            }
        }
        throw last!;
    }

    List<Place> Order()
    {
        lock (state)
        {
            var now = time.GetTimestamp();
            var awake = places.Where(place => place.RestsUntil <= now);
            return [.. awake, .. places.Where(place => place.RestsUntil > now).OrderBy(place => place.RestsUntil)];
        }
    }

    void Answered(Place place)
    {
        lock (state)
            (place.IsKnown, place.Fault, place.Rest, place.RestsUntil) = (true, null, RestMin, 0);
    }

    void Failed(Place place, string fault)
    {
        lock (state)
        {
            (place.IsKnown, place.Fault) = (false, fault);
            place.RestsUntil = time.GetTimestamp() + (long)(place.Rest.TotalSeconds * time.TimestampFrequency);
            place.Rest = place.Rest * 2 < RestMax ? place.Rest * 2 : RestMax;
        }
    }

    // Guarded by `state`
    sealed class Place(Uri address)
    {
        public Uri Address { get; } = address;

        public bool IsKnown { get; set; }

        public string? Fault { get; set; }

        public TimeSpan Rest { get; set; } = RestMin;

        public long RestsUntil { get; set; }
    }
}
