using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Salus.Platform.Identity;

/// <summary>
/// Binds a row's columns together by a hash under the organisation's key, so that a row which somebody without the key has written, changed
/// or copied together is told from one that this node wrote. An older row of this node, put back whole, is not.
/// </summary>
sealed class RowBinding(OrganizationDesk organization)
{
    /// <summary>The binding of these columns, in this order, in a row of the table.</summary>
    public byte[] Of(string table, params ReadOnlySpan<object?> columns) => organization.Key.Authenticate($"row {table}", Encode(columns));

    /// <summary>Whether the binding is the one of these columns.</summary>
    public bool Holds(byte[] binding, string table, params ReadOnlySpan<object?> columns) =>
        CryptographicOperations.FixedTimeEquals(binding, Of(table, columns));

    /// <summary>The keyed hash under which a secret is looked up; without the key nobody can put one of their own into the table.</summary>
    public byte[] Hash(string purpose, string secret) => organization.Key.Authenticate($"secret {purpose}", Encoding.UTF8.GetBytes(secret));

    /// <summary>Each column as its kind (1), the length of its bytes (4) and its bytes, so that no two lists of columns read the same.</summary>
    static byte[] Encode(ReadOnlySpan<object?> columns)
    {
        var encoded = new ArrayBufferWriter<byte>(512);
        foreach (var column in columns)
        {
            var (kind, bytes) = Bytes(column);
            encoded.Write([kind]);
            BinaryPrimitives.WriteInt32BigEndian(encoded.GetSpan(4), bytes.Length);
            encoded.Advance(4);
            encoded.Write(bytes);
        }
        return encoded.WrittenSpan.ToArray();
    }

    static (byte Kind, byte[] Bytes) Bytes(object? column) => column switch
    {
        null => (0, []),
        byte[] bytes => (1, bytes),
        string text => (2, Encoding.UTF8.GetBytes(text)),
        Guid id => (3, id.ToByteArray(bigEndian: true)),
        bool flag => (4, [flag ? (byte)1 : (byte)0]),
        int number => (5, Bytes((long)number)),
        Enum value => (5, Bytes(Convert.ToInt64(value, null))),
        // To the microsecond that PostgreSQL keeps.
        DateTimeOffset at => (6, Bytes(at.UtcTicks / TimeSpan.TicksPerMicrosecond)),
        _ => throw new NotSupportedException($"A column of type {column.GetType().Name} has no encoding."),
    };

    static byte[] Bytes(long number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }
}
