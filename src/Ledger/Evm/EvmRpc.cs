using System.Net.Http.Headers;
using System.Numerics;
using System.Text.Json;

namespace Salus.Ledger.Evm;

/// <summary>One call of a batch.</summary>
public sealed record RpcCall(string Method, params IReadOnlyList<object?> Parameters);

/// <summary>
/// Ethereum's JSON-RPC over HTTP, in the part that every client speaks. Safe for use by several threads at once.
/// Throws <see cref="EvmRpcException"/> for an error the node answers with, <see cref="HttpRequestException"/> for one
/// of the transport, and <see cref="FormatException"/> for an answer that is not what was asked for.
/// </summary>
/// <remarks>With several endpoints of one network, a question that one does not answer goes to the next.</remarks>
public sealed class EvmRpc
{
    static readonly MediaTypeHeaderValue Json = new("application/json");

    readonly HttpClient http;
    readonly int responseBytesMax;
    readonly RpcEndpoints endpoints;

    long lastId;
    ulong? chainId;

    /// <summary>A network behind one endpoint.</summary>
    /// <param name="http">Owned by the caller, its timeout too.</param>
    /// <param name="address">Where it is asked.</param>
    /// <param name="responseBytesMax">The longest answer read.</param>
    public EvmRpc(HttpClient http, Uri address, int responseBytesMax = 16 << 20)
        : this(http, [address], TimeProvider.System, responseBytesMax)
    {
    }

    /// <summary>A network behind one to eight endpoints, asked in this order.</summary>
    public EvmRpc(HttpClient http, IReadOnlyList<Uri> addresses, TimeProvider time, int responseBytesMax = 16 << 20)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        (this.http, this.responseBytesMax) = (http, responseBytesMax);
        endpoints = new RpcEndpoints(addresses, time);
        Each = addresses.Count == 1 ? [this] : [.. addresses.Select(address => new EvmRpc(http, address, responseBytesMax))];
    }

    /// <summary>The endpoints as they stand now.</summary>
    public IReadOnlyList<RpcEndpoint> Endpoints => endpoints.All;

    /// <summary>Each endpoint alone, to compare what they say.</summary>
    public IReadOnlyList<EvmRpc> Each { get; }

    /// <summary>From now on, an endpoint is asked only after it has answered for this chain: one that was lost may come back as another.</summary>
    public void RequireChain(ulong id)
    {
        chainId = id;
        foreach (var each in Each.Where(each => each != this))
            each.RequireChain(id);
    }

    /// <summary>The chain's id.</summary>
    public Task<ulong> ChainIdAsync(CancellationToken cancellationToken = default) =>
        CallAsync("eth_chainId", Quantity64, cancellationToken);

    /// <summary>The number of the newest block.</summary>
    public Task<ulong> BlockNumberAsync(CancellationToken cancellationToken = default) =>
        CallAsync("eth_blockNumber", Quantity64, cancellationToken);

    /// <summary>A block by its number, or the newest; null where there is none.</summary>
    public Task<Block?> BlockAsync(BlockTag tag, CancellationToken cancellationToken = default) =>
        CallAsync("eth_getBlockByNumber", json => Optional(json, Block.Read), cancellationToken, tag.ToString(), false);

    /// <summary>A block by its hash; null where there is none.</summary>
    public Task<Block?> BlockAsync(ReadOnlyMemory<byte> hash, CancellationToken cancellationToken = default) =>
        CallAsync("eth_getBlockByHash", json => Optional(json, Block.Read), cancellationToken, Hex.Of(hash.Span), false);

    /// <summary>The number of transactions an account has sent: its next nonce.</summary>
    public Task<ulong> TransactionCountAsync(Address account, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        CallAsync("eth_getTransactionCount", Quantity64, cancellationToken, account.ToString(), tag.ToString());

    /// <summary>An account's balance, in wei.</summary>
    public Task<BigInteger> BalanceAsync(Address account, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        CallAsync("eth_getBalance", json => Hex.Quantity(json.GetString()), cancellationToken, account.ToString(), tag.ToString());

    /// <summary>A contract's code; empty where the account is none.</summary>
    public Task<byte[]> CodeAsync(Address account, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        CallAsync("eth_getCode", Data, cancellationToken, account.ToString(), tag.ToString());

    /// <summary>The price of gas that the node suggests, in wei.</summary>
    public Task<BigInteger> GasPriceAsync(CancellationToken cancellationToken = default) =>
        CallAsync("eth_gasPrice", json => Hex.Quantity(json.GetString()), cancellationToken);

    /// <summary>The gas a call would use.</summary>
    public Task<ulong> EstimateGasAsync(EvmCall call, CancellationToken cancellationToken = default) =>
        CallAsync("eth_estimateGas", Quantity64, cancellationToken, call.ToJson());

    /// <summary>What a call would return, changing nothing.</summary>
    public Task<byte[]> CallAsync(EvmCall call, BlockTag tag = default, CancellationToken cancellationToken = default) =>
        CallAsync("eth_call", Data, cancellationToken, call.ToJson(), tag.ToString());

    /// <summary>Hands a signed transaction to the node; gives the hash by which the node knows it.</summary>
    public Task<byte[]> SendRawTransactionAsync(ReadOnlyMemory<byte> raw, CancellationToken cancellationToken = default) =>
        CallAsync("eth_sendRawTransaction", json => Hex.Data(json.GetString(), 32), cancellationToken, Hex.Of(raw.Span));

    /// <summary>A transaction's receipt; null as long as it is in no block.</summary>
    public Task<Receipt?> ReceiptAsync(ReadOnlyMemory<byte> transactionHash, CancellationToken cancellationToken = default) =>
        CallAsync("eth_getTransactionReceipt", json => Optional(json, Receipt.Read), cancellationToken, Hex.Of(transactionHash.Span));

    /// <summary>The logs that a filter lets through, in the chain's order.</summary>
    public Task<IReadOnlyList<EventLog>> LogsAsync(LogFilter filter, CancellationToken cancellationToken = default) =>
        CallAsync<IReadOnlyList<EventLog>>("eth_getLogs", json => [.. json.EnumerateArray().Select(EventLog.Read)], cancellationToken, filter.ToJson());

    /// <summary>Any method, its result read by <paramref name="read"/>.</summary>
    public async Task<T> CallAsync<T>(string method, Func<JsonElement, T> read, CancellationToken cancellationToken, params IReadOnlyList<object?> parameters)
    {
        ArgumentNullException.ThrowIfNull(read);
        var id = Interlocked.Increment(ref lastId);
        using var answer = await SendAsync(Envelope(id, method, parameters), cancellationToken);
        return Reading(method, () => read(Result(method, id, answer.RootElement)));
    }

    /// <summary>Several calls in one request; the results in the order of the calls. The first error is thrown.</summary>
    public async Task<IReadOnlyList<JsonElement>> BatchAsync(IReadOnlyList<RpcCall> calls, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calls);
        if (calls.Count == 0)
            return [];
        var first = Interlocked.Add(ref lastId, calls.Count) - calls.Count + 1;
        using var answer = await SendAsync(calls.Select((call, i) => Envelope(first + i, call.Method, call.Parameters)).ToArray(), cancellationToken);
        return Reading("batch", () => Results(calls, first, answer.RootElement));
    }

    static JsonElement[] Results(IReadOnlyList<RpcCall> calls, long first, JsonElement answer)
    {
        // Some nodes answer a batch they refuse as a whole with a single error
        if (answer.ValueKind == JsonValueKind.Object)
            throw (Exception?)Error("batch", answer) ?? new FormatException("The answer to the batch is not a list.");
        var results = new JsonElement?[calls.Count];
        foreach (var entry in answer.EnumerateArray())
        {
            if (!entry.Member("id").TryGetInt64(out var id) || id < first || id >= first + calls.Count || results[id - first] is not null)
                throw new FormatException("The answer to the batch has an id that was not asked for, or twice.");
            results[id - first] = Result(calls[(int)(id - first)].Method, id, entry).Clone();
        }
        return [.. results.Select(result => result ?? throw new FormatException("The answer to the batch lacks a result."))];
    }

    static object Envelope(long id, string method, IReadOnlyList<object?> parameters) =>
        new { jsonrpc = "2.0", id, method, @params = parameters };

    Task<JsonDocument> SendAsync(object body, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body);
        return endpoints.AskAsync((address, patience) => SendAsync(address, bytes, patience), ObjectionAsync, cancellationToken);
    }

    async Task<string?> ObjectionAsync(Uri address, CancellationToken cancellationToken)
    {
        if (chainId is not { } wanted)
            return null;
        var id = Interlocked.Increment(ref lastId);
        using var answer = await SendAsync(address, JsonSerializer.SerializeToUtf8Bytes(Envelope(id, "eth_chainId", [])), cancellationToken);
        var given = Reading("eth_chainId", () => Quantity64(Result("eth_chainId", id, answer.RootElement)));
        return given == wanted ? null : $"answers for the chain {given}, not {wanted}";
    }

    async Task<JsonDocument> SendAsync(Uri address, byte[] body, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = Json } };
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var isJson = response.Content.Headers.ContentType?.MediaType == Json.MediaType;
        if (!isJson)
            response.EnsureSuccessStatusCode();
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var bytes = await ReadBoundedAsync(stream, cancellationToken);
        try
        {
            return JsonDocument.Parse(bytes);
        }
        catch (JsonException cause)
        {
            response.EnsureSuccessStatusCode();
            throw new FormatException("The answer is not JSON.", cause);
        }
    }

    async Task<ReadOnlyMemory<byte>> ReadBoundedAsync(Stream stream, CancellationToken cancellationToken)
    {
        var bytes = new MemoryStream();
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (bytes.Length + read > responseBytesMax)
                throw new FormatException($"The answer is longer than {responseBytesMax} bytes.");
            bytes.Write(buffer, 0, read);
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    static JsonElement Result(string method, long id, JsonElement answer)
    {
        if (Error(method, answer) is { } error)
            throw error;
        return answer.Member("id").TryGetInt64(out var given) && given == id
            ? answer.Member("result")
            : throw new FormatException($"The answer to {method} has another id.");
    }

    static EvmRpcException? Error(string method, JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("error", out var error) || error.ValueKind == JsonValueKind.Null)
            return null;
        return new EvmRpcException(method, error.Member("code").GetInt32(), error.OptionalText("message") ?? "", RevertData(error));
    }

    // Most nodes give the data as text, some wrap it once more
    static byte[]? RevertData(JsonElement error)
    {
        if (!error.TryGetProperty("data", out var data))
            return null;
        var text = data.ValueKind == JsonValueKind.String ? data.GetString() : data.OptionalText("data");
        try
        {
            return text is null ? null : Hex.Data(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    static T Reading<T>(string method, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException cause)
        {
            throw new FormatException($"The answer to {method} has values of another kind.", cause);
        }
    }

    static T? Optional<T>(JsonElement json, Func<JsonElement, T> read) where T : class =>
        json.ValueKind == JsonValueKind.Null ? null : read(json);

    static ulong Quantity64(JsonElement json) => Hex.Quantity64(json.GetString());

    static byte[] Data(JsonElement json) => Hex.Data(json.GetString());
}
