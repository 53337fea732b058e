#!/usr/bin/env node
// Compiles the contracts that a node deploys, with the settings of contracts/foundry.toml, into the artifacts
// that src/Ledger embeds and their C# bindings. With --check it writes nothing and exits with 1 if any is not up to date.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bindingOf, typesOf } from "./contract-bindings.mjs";

const compiler = createRequire(import.meta.url)("solc");
const engines = dirname(fileURLToPath(import.meta.url));
const sources = join(engines, "..", "contracts", "src");
const artifacts = join(engines, "..", "src", "Ledger", "Contracts", "Artifacts");
const bindings = join(artifacts, "..", "Generated");
const contracts = ["Members", "Subjects", "Anchor", "Consents"];
// A call's error passes through the caller, whose ABI does not know it.
const called = { Consents: ["Subjects"] };

function readImport(name) {
  const path = name.startsWith("@openzeppelin/contracts/")
    ? join(engines, "node_modules", name)
    : join(sources, name.replace(/^src\//, ""));
  try {
    return { contents: readFileSync(path, "utf8") };
  } catch (error) {
    return { error: error.message };
  }
}

function compile() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(contracts.map((name) => {
      const path = `src/${name}.sol`;
      return [path, { content: readFileSync(join(engines, "..", "contracts", path), "utf8") }];
    })),
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 10000 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "": ["ast"], "*": ["abi", "userdoc", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(compiler.compile(JSON.stringify(input), { import: readImport }));
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  return output;
}

function readOrNull(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

const check = process.argv.includes("--check");
function put(path, text) {
  if (readOrNull(path) === text) return;
  if (check) {
    console.error(`${path} is not what contracts/src compiles to; run: npm run contracts:compile --prefix engines`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`wrote ${path}`);
  }
}

const output = compile();
const compiled = (contractName) => output.contracts[`src/${contractName}.sol`][contractName];
const isError = (entry) => entry.type === "error";
const interfaces = new Map(contracts.map((contractName) => {
  const { abi } = compiled(contractName);
  const own = new Set(abi.filter(isError).map((entry) => entry.name));
  const passing = (called[contractName] ?? []).flatMap((other) => compiled(other).abi.filter((entry) => isError(entry) && !own.has(entry.name)));
  return [contractName, [...abi, ...passing]];
}));
mkdirSync(artifacts, { recursive: true });
mkdirSync(bindings, { recursive: true });
for (const [contractName, abi] of interfaces) {
  const { evm, userdoc } = compiled(contractName);
  const bytecode = `0x${evm.bytecode.object}`;
  const deployedBytecode = `0x${evm.deployedBytecode.object}`;
  put(join(artifacts, `${contractName}.json`), `${JSON.stringify({ contractName, abi, bytecode, deployedBytecode }, null, 2)}\n`);
  put(join(bindings, `${contractName}Contract.g.cs`), bindingOf(contractName, abi, userdoc));
}
const asts = Object.entries(output.sources).filter(([path]) => path.startsWith("src/")).map(([, source]) => source.ast);
put(join(bindings, "ContractTypes.g.cs"), typesOf([...interfaces.values()], asts));
