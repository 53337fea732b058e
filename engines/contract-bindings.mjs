// Writes the C# binding of a contract from what the compiler says of it: its ABI, its comments, its enums.

const pascal = (name) => name.replace(/^_*/, "").replace(/^./, (first) => first.toUpperCase());
const keywords = new Set(["delegate", "event", "lock", "object", "operator", "params", "ref", "string"]);
const variable = (name) => keywords.has(name) ? `@${name}` : name;
const signatureOf = (entry) => `${entry.name}(${entry.inputs.map(typeName).join(",")})`;
const typeName = ({ type, components }) => type.startsWith("tuple") ? `(${components.map(typeName).join(",")})${type.slice(5)}` : type;
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/`([^`]*)`/g, "<c>$1</c>");
const summary = (text, indent) => `${indent}/// <summary>${escape(text.trim().replace(/\s+/g, " "))}</summary>`;
const fallback = (name) => `${name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().replace(/^./, (first) => first.toUpperCase())}.`;

// OpenZeppelin's tuple has a type of its own, which also reads what a browser gives.
const handWritten = { WebAuthnAuth: "WebAuthnAssertion" };

const declaredName = ({ internalType = "" }, kind) =>
  internalType.startsWith(`${kind} `) ? internalType.slice(kind.length + 1).replace(/^.*\./, "").replace(/\[.*$/, "") : undefined;
const elementOf = (parameter) => ({
  ...parameter, type: parameter.type.replace(/\[\]$/, ""), internalType: parameter.internalType?.replace(/\[\]$/, ""),
});

function csharpType(parameter, isInput = true) {
  if (parameter.type.endsWith("[]")) return `IReadOnlyList<${csharpType(elementOf(parameter), isInput)}>`;
  const declared = declaredName(parameter, "struct") ?? declaredName(parameter, "enum");
  if (declared) return handWritten[declared] ?? declared;
  const { type } = parameter;
  if (type === "address") return "Address";
  if (type === "bool" || type === "string") return type;
  if (type.startsWith("bytes")) return "byte[]";
  const bits = Number(type.match(/^uint(\d+)$/)?.[1] ?? NaN);
  if (bits <= 8) return "byte";
  if (bits <= 32) return "uint";
  if (bits <= 64) return "ulong";
  if (bits <= 256) return "BigInteger";
  throw new Error(`${type} has no C# type here`);
}

function encoded(parameter, value) {
  if (parameter.type.endsWith("[]")) {
    const inner = encoded(elementOf(parameter), "item");
    return inner === "item" ? value : `${value}.Select(item => (object)${inner}).ToArray()`;
  }
  if (declaredName(parameter, "struct")) return `${value}.ToAbi()`;
  if (declaredName(parameter, "enum")) return `(byte)${value}`;
  return value;
}

function decoded(parameter, value) {
  const type = csharpType(parameter);
  if (parameter.type.endsWith("[]")) return `[.. ((object[])${value}).Select(item => ${decoded(elementOf(parameter), "item")})]`;
  if (declaredName(parameter, "struct")) return `${type}.FromAbi((object[])${value})`;
  if (declaredName(parameter, "enum")) return `(${type})(byte)(BigInteger)${value}`;
  if (type === "BigInteger" || !/^(byte|uint|ulong)$/.test(type)) return `(${type})${value}`;
  return `(${type})(BigInteger)${value}`;
}

const parameterList = (inputs) => inputs.map((input) => `${csharpType(input)} ${variable(input.name)}`).join(", ");
const propertyList = (inputs) => inputs.map((input) => `${csharpType(input)} ${pascal(input.name)}`).join(", ");
const encodedList = (inputs) => inputs.map((input) => encoded(input, variable(input.name))).join(", ");
const decodedList = (inputs, values) => inputs.map((input, i) => decoded(input, `${values}[${i}]`)).join(", ");

/** The declarations of a union: an abstract record with one sealed record for each event or error. */
function union(kind, contract, entries, docs) {
  const lines = entries.map((entry) => [
    summary(docs[signatureOf(entry)] ?? fallback(entry.name), "    "),
    `    public sealed record ${entry.name}(${propertyList(entry.inputs)}) : ${contract}${kind};`,
  ].join("\n"));
  return `/// <summary>An ${kind.toLowerCase()} of ${contract}.sol.</summary>
public abstract record ${contract}${kind}
{
    ${contract}${kind}() { }

${lines.join("\n\n")}
}
`;
}

function viewMethod(entry, doc) {
  const { name, inputs, outputs } = entry;
  const [result, read] = outputs.length === 1
    ? [csharpType(outputs[0]), decoded(outputs[0], "values[0]")]
    : [`${pascal(name)}Result`, `new ${pascal(name)}Result(${decodedList(outputs, "values")})`];
  const record = outputs.length === 1 ? "" : `    /// <summary>What <see cref="${pascal(name)}Async"/> finds.</summary>
    public sealed record ${pascal(name)}Result(${propertyList(outputs)});

`;
  const given = inputs.length === 0 ? "" : `, ${parameterList(inputs)}`;
  // In brackets, or a struct alone would be taken for the list of all arguments.
  const passed = `, [${encodedList(inputs)}]`;
  return `${record}${summary(doc, "    ")}
    public static async Task<${result}> ${pascal(name)}Async(
        EvmRpc rpc, Address contract${given}, BlockTag tag = default, CancellationToken cancellationToken = default)
    {
        var values = await Artifact.ViewAsync(rpc, contract, "${name}", tag, cancellationToken${passed});
        return ${read};
    }`;
}

const callMethod = (entry, doc) => `${summary(`The call of ${entry.name}. ${doc}`, "    ")}
    public static byte[] ${pascal(entry.name)}(${parameterList(entry.inputs)}) =>
        Artifact.Function("${entry.name}").Encode([${encodedList(entry.inputs)}]);`;

const header = `// <auto-generated>engines/compile-contracts.mjs writes this file: npm run contracts:compile --prefix engines</auto-generated>
#nullable enable
using System.Linq;
using System.Numerics;
using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

`;

function docsOf(userdoc) {
  const notices = (section) => Object.fromEntries(Object.entries(section ?? {}).map(([key, value]) => [key, (Array.isArray(value) ? value[0] : value).notice]));
  return { methods: notices(userdoc.methods), events: notices(userdoc.events), errors: notices(userdoc.errors) };
}

/** The binding of one contract, as C# source. */
export function bindingOf(contract, abi, userdoc) {
  const docs = docsOf(userdoc);
  const of = (type) => abi.filter((entry) => entry.type === type);
  // EIP-5267's view and event are for wallets.
  const events = of("event").filter((entry) => entry.name !== "EIP712DomainChanged");
  const errors = of("error");
  const create = of("constructor")[0] ?? { inputs: [] };
  const functions = of("function").filter((entry) => entry.name !== "eip712Domain");
  const methods = functions.map((entry) => {
    const doc = docs.methods[signatureOf(entry)] ?? fallback(entry.name);
    return /view|pure/.test(entry.stateMutability) ? viewMethod(entry, doc) : callMethod(entry, doc);
  });
  const eventCases = events.map((entry) => `        if (Artifact.Event("${entry.name}").TryDecode(log) is { } ${entry.name[0].toLowerCase()}${entry.name.slice(1)})
            return new ${contract}Event.${entry.name}(${decodedList(entry.inputs, `${entry.name[0].toLowerCase()}${entry.name.slice(1)}`)});`);
  const errorCases = errors.map((entry) => `            "${entry.name}" => new ${contract}Error.${entry.name}(${decodedList(entry.inputs, "reason.Values")}),`);
  return `${header}${union("Event", contract, events, docs.events)}
${union("Error", contract, errors, docs.errors)}
/// <summary>${contract}.sol: ${escape((userdoc.notice ?? "").split(/(?<=[.]) /)[0])}</summary>
public static partial class ${contract}Contract
{
    /// <summary>The compiled contract.</summary>
    public static ContractArtifact Artifact { get; } = ContractArtifact.Load("${contract}");

    /// <summary>The data of the transaction that creates the contract.</summary>
    public static byte[] Create(${parameterList(create.inputs)}) => Artifact.Create([${encodedList(create.inputs)}]);

${methods.join("\n\n")}

    /// <summary>The event in a log entry; null where it is none of this contract's.</summary>
    public static ${contract}Event? TryDecode(EventLog log)
    {
${eventCases.join("\n")}
        return null;
    }

    /// <summary>The error that revert data spells; null where it is none of this contract's.</summary>
    public static ${contract}Error? TryDecodeError(ReadOnlySpan<byte> revertData) =>
        Artifact.Reason(revertData) is not { } reason ? null : reason.Name switch
        {
${errorCases.join("\n")}
            _ => null,
        };
}
`;
}

function collectStructs(abi) {
  const structs = new Map();
  const visit = (parameter) => {
    const name = declaredName(parameter, "struct");
    if (name && !handWritten[name]) structs.set(name, parameter.components);
    (parameter.components ?? []).forEach(visit);
  };
  for (const entry of abi) [...entry.inputs ?? [], ...entry.outputs ?? []].forEach(visit);
  return structs;
}

function structRecord(name, components) {
  // A struct with a member that is only ever written has no way back.
  const readable = components.every((component) => !handWritten[declaredName(component, "struct")]);
  const read = readable ? `

    internal static ${name} FromAbi(object[] values) => new(${decodedList(components, "values")});` : "";
  const members = components.map((component) => encoded(component, pascal(component.name))).join(", ");
  return `/// <summary>${name}, a struct of the contracts.</summary>
public sealed record ${name}(${propertyList(components)})
{
    internal object[] ToAbi() => [${members}];${read}
}
`;
}

const enumOf = ({ name, members }) => `/// <summary>${name}, an enum of the contracts.</summary>
public enum ${name}
{
${members.map((member, value) => `    /// <summary>${fallback(member.name)}</summary>\n    ${member.name} = ${value},`).join("\n")}
}
`;

/** The structs and enums that the contracts' interfaces name, as C# source. */
export function typesOf(abis, asts) {
  const structs = new Map(abis.flatMap((abi) => [...collectStructs(abi)]));
  const text = JSON.stringify(abis);
  const enums = asts.flatMap((ast) => ast.nodes).filter((node) => node.nodeType === "EnumDefinition" && text.includes(`"enum ${node.name}"`));
  return header + [...enums.map(enumOf), ...[...structs].map(([name, components]) => structRecord(name, components))].join("\n");
}
