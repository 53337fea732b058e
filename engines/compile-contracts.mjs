#!/usr/bin/env node
// Compiles the contracts that a node deploys, with the settings of contracts/foundry.toml, into the artifacts
// that src/Ledger embeds. With --check it writes nothing and exits with 1 if they are not up to date.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const compiler = createRequire(import.meta.url)("solc");
const engines = dirname(fileURLToPath(import.meta.url));
const sources = join(engines, "..", "contracts", "src");
const artifacts = join(engines, "..", "src", "Ledger", "Contracts", "Artifacts");
const contracts = ["Members", "Anchor", "Consents"];

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
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(compiler.compile(JSON.stringify(input), { import: readImport }));
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  return output.contracts;
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
const output = compile();
mkdirSync(artifacts, { recursive: true });
for (const contractName of contracts) {
  const { abi, evm } = output[`src/${contractName}.sol`][contractName];
  const bytecode = `0x${evm.bytecode.object}`;
  const deployedBytecode = `0x${evm.deployedBytecode.object}`;
  const text = `${JSON.stringify({ contractName, abi, bytecode, deployedBytecode }, null, 2)}\n`;
  const path = join(artifacts, `${contractName}.json`);
  if (readOrNull(path) === text) continue;
  if (check) {
    console.error(`${path} is not what contracts/src compiles to; run: npm run contracts:compile --prefix engines`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`wrote ${path}`);
  }
}
