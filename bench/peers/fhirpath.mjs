// Answers, line by line, how fast npm's fhirpath evaluates: {"file", "expression"} in, {"count", "microseconds"} of CPU out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import fhirpath from "fhirpath";
import model from "fhirpath/fhir-context/r4/index.js";

const warmUp = 0.3;
const measured = 1;
const resources = new Map();

function cpu(evaluate, seconds) {
  const started = process.cpuUsage();
  let rounds = 0;
  for (let size = 1; ; size = Math.min(size * 2, 1024)) {
    for (let i = 0; i < size; i++) evaluate();
    rounds += size;
    const { user, system } = process.cpuUsage(started);
    if (user + system > seconds * 1e6) return (user + system) / rounds;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { file, expression } = JSON.parse(line);
  if (!resources.has(file)) resources.set(file, JSON.parse(readFileSync(file, "utf8")));
  const resource = resources.get(file);
  const evaluate = fhirpath.compile(expression, model, { async: false });
  const { length: count } = evaluate(resource);
  cpu(() => evaluate(resource), warmUp);
  console.log(JSON.stringify({ count, microseconds: cpu(() => evaluate(resource), measured) }));
}
