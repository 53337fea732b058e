// Runs every suite and prints their true totals; the last line is always "N passed, N failed".
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const artifacts = join(root, "artifacts");
const suites = ["contracts", "dotnet", "system"];
const results = [];
/** The variables that name a folder of public cases, and the trait of the tests that read it. */
const cases = { SALUS_MERKLE_VECTORS: "merkle", SALUS_FHIRPATH_CASES: "fhirpath", SALUS_VALIDATOR_CASES: "validator", SALUS_PATCH_CASES: "patch" };

function refuse(message) {
  process.stderr.write(`salus test: ${message}\n`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

function readOptions([caller, ...words]) {
  const options = { only: suites, data: undefined };
  for (let at = 0; at < words.length; at++) {
    const [name, inline] = words[at].split(/=(.*)/s);
    const value = inline ?? words[++at];
    if (name !== "--data" && name !== "--only") refuse(`${name} is not an option; there are --data DIR and --only ${suites.join(",")}`);
    if (!value) refuse(`${name} needs a value`);
    if (name === "--data") options.data = resolve(caller, value);
    else options.only = value.split(",");
  }
  const unknown = options.only.find((suite) => !suites.includes(suite));
  if (unknown !== undefined) refuse(`--only knows ${suites.join(", ")}, not "${unknown}"`);
  if (options.data && !(existsSync(options.data) && statSync(options.data).isDirectory())) refuse(`the data folder ${options.data} does not exist`);
  return options;
}

let running;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    running?.kill(signal);
    process.exit(130);
  });
}

/** Runs a command to its end; `onLine` sees each line of standard output as it comes. */
function run(command, args, { cwd = root, env = {}, onLine } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    running = child;
    const out = [];
    const err = [];
    let rest = "";
    child.stdout.on("data", (part) => {
      out.push(part);
      if (!onLine) return;
      const lines = (rest + part).split("\n");
      rest = lines.pop();
      lines.forEach(onLine);
    });
    child.stderr.on("data", (part) => err.push(part));
    child.on("error", (error) => done({ code: -1, out: "", err: error.message }));
    child.on("close", (code) => done({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }));
  });
}

const firstLines = (text, count = 6) => (text ?? "").trim().split("\n").slice(0, count).map((line) => `      ${line.trimEnd()}`).join("\n");

function report(suite, passed, failures, started) {
  for (const { name, message } of failures) console.log(`  FAILED ${name}\n${firstLines(message)}`);
  const seconds = (performance.now() - started) / 1000;
  results.push({ suite, passed, failed: failures.length, seconds });
  console.log(`${suite}: ${passed} passed, ${failures.length} failed, ${seconds.toFixed(0)} s`);
}

async function runForge() {
  console.log("contracts …");
  const started = performance.now();
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const forge = join(root, "engines/node_modules/@foundry-rs", `forge-linux-${architecture}`, "bin/forge");
  const { code, out, err } = await run(forge, ["test", "--json"], { cwd: join(root, "contracts") });
  const failures = [];
  let passed = 0;
  try {
    for (const [contract, { test_results: tests }] of Object.entries(JSON.parse(out.slice(out.indexOf("{"))))) {
      for (const [name, { status, reason }] of Object.entries(tests)) {
        if (status === "Success") passed++;
        else failures.push({ name: `${contract} ${name}`, message: reason ?? status });
      }
    }
  } catch {
    failures.push({ name: "contracts (forge)", message: err || out || `forge ended with ${code}` });
  }
  if (passed + failures.length === 0) failures.push({ name: "contracts (forge)", message: "no tests ran" });
  if (code !== 0 && failures.length === 0) failures.push({ name: "contracts (forge)", message: err || `forge ended with ${code}` });

  const check = await run(process.execPath, [join(root, "engines/compile-contracts.mjs"), "--check"]);
  if (check.code === 0) passed++;
  else failures.push({ name: "contracts: the compiled artifacts are up to date", message: check.err || check.out });
  report("contracts", passed, failures, started);
}

const entities = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const plain = (text) => text
  .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
  .replace(/&#(\d+);/g, (_, digits) => String.fromCodePoint(Number(digits)))
  .replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => entities[name]);

/** What a .trx file says: its counters, and the name and message of each test that did not pass. */
function readTrx(file) {
  const text = readFileSync(file, "utf8");
  const counters = text.match(/<Counters\s[^>]*>/)[0];
  const count = (name) => Number(counters.match(new RegExp(`\\b${name}="(\\d+)"`))[1]);
  for (const [line] of text.matchAll(/^.*\b(?:merkle [^:<]+: \d+ of \d+|(?:fhirpath|patch|validator)(?:: \d+ of \d+| failed: .*))/gm)) console.log(`  ${plain(line.replace(/^.*<StdOut>/, "").trim())}`);
  const failures = [];
  for (const [, attributes, body] of text.matchAll(/<UnitTestResult\s((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/UnitTestResult>)/g)) {
    const outcome = attributes.match(/\boutcome="([^"]*)"/)?.[1];
    if (outcome === "Passed") continue;
    const name = plain(attributes.match(/\btestName="([^"]*)"/)?.[1] ?? "unnamed");
    const message = plain(body?.match(/<Message>([\s\S]*?)<\/Message>/)?.[1] ?? `outcome: ${outcome}`);
    failures.push({ name, message });
  }
  return { total: count("total"), passed: count("passed"), failures };
}

async function runDotnet(suite, project, { data }) {
  console.log(`${suite} …`);
  const started = performance.now();
  const trx = join(artifacts, `${suite}.trx`);
  rmSync(trx, { force: true });
  const args = ["test", join(root, project), "--no-build", "-c", "Release", "--nologo",
    "--results-directory", artifacts, "--logger", `trx;LogFileName=${suite}.trx`, "--logger", "console;verbosity=normal"];
  // Cases in a folder of their own need no field data.
  const named = Object.entries(cases).filter(([variable]) => process.env[variable]).map(([, name]) => `Cases=${name}`);
  if (!data) args.push("--filter", ["Data!=field", ...named].join("|"));
  let finished = 0;
  let lastShown = performance.now();
  const onLine = (line) => {
    if (!/^\s+(Passed|Failed|Skipped) /.test(line)) return;
    finished++;
    if (performance.now() - lastShown < 10_000) return;
    lastShown = performance.now();
    console.log(`  ${finished} tests so far, ${((lastShown - started) / 1000).toFixed(0)} s`);
  };
  const { code, out, err } = await run("dotnet", args, { env: data ? { SALUS_DATA: data } : {}, onLine });
  let passed = 0;
  let failures = [];
  if (existsSync(trx)) {
    let total;
    ({ total, passed, failures } = readTrx(trx));
    // Counters and named results come from different places in the file; neither may hide a test.
    for (let missing = total - passed - failures.length; missing > 0; missing--) failures.push({ name: `${suite}: a test that did not finish`, message: "no result was recorded" });
  }
  if (passed + failures.length === 0) failures.push({ name: suite, message: `no tests ran\n${(err || out).trim()}` });
  else if (code !== 0 && failures.length === 0) failures.push({ name: suite, message: `the run ended with ${code}\n${err || out.split("\n").slice(-8).join("\n")}` });
  report(suite, passed, failures, started);
}

/** Why there is no browser, or undefined when there is one. */
function prepareChromium() {
  const found = () => ["chromium", "chromium-browser", "google-chrome"].some((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0);
  if (found()) return undefined;
  const mend = "Chromium is missing; install it (Debian: apt-get install chromium)";
  const prefix = process.getuid() === 0 ? [] : ["sudo", "-n"];
  if (spawnSync("sh", ["-c", "command -v apt-get"]).status !== 0) return mend;
  console.log("Installing Chromium …");
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    return spawnSync(command, rest, { stdio: "ignore" }).status === 0;
  };
  apt("update", "-q");
  return apt("install", "-y", "-q", "--no-install-recommends", "chromium") && found() ? undefined : mend;
}

async function buildAll() {
  console.log("Building every project …");
  const started = performance.now();
  const { code, out, err } = await run("dotnet", ["build", join(root, "Salus.slnx"), "-c", "Release", "-v", "q", "--nologo", "-p:RestoreLockedMode=true"]);
  console.log(`Building every project … ${((performance.now() - started) / 1000).toFixed(0)} s`);
  if (code === 0) return undefined;
  const errors = [...new Set(out.split("\n").filter((line) => /error/.test(line)).map((line) => line.trim()))];
  return errors.length > 0 ? errors.join("\n") : err || out;
}

const options = readOptions(process.argv.slice(2));
mkdirSync(artifacts, { recursive: true });
const projects = { dotnet: "tests/Tests/Tests.csproj", system: "tests/SystemTests/SystemTests.csproj" };
const chosen = Object.keys(projects).filter((suite) => options.only.includes(suite));
const noBrowser = chosen.includes("system") ? prepareChromium() : undefined;
const broken = chosen.length > 0 ? await buildAll() : undefined;
if (options.only.includes("contracts")) await runForge();
for (const suite of chosen) {
  if (broken) report(suite, 0, [{ name: `${suite}: the build`, message: broken }], performance.now());
  else if (suite === "system" && noBrowser) report(suite, 0, [{ name: "system: the browser", message: noBrowser }], performance.now());
  else await runDotnet(suite, projects[suite], options);
}

console.log(`\n${"suite".padEnd(12)}${"passed".padStart(8)}${"failed".padStart(8)}${"seconds".padStart(9)}`);
for (const { suite, passed, failed, seconds } of results) {
  console.log(`${suite.padEnd(12)}${String(passed).padStart(8)}${String(failed).padStart(8)}${seconds.toFixed(1).padStart(9)}`);
}
const sum = (column) => results.reduce((total, row) => total + row[column], 0);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
process.exitCode = sum("failed") > 0 ? 1 : 0;
