// Compiles HL7's R4 definitions into the one file that Salus.Fhir embeds.
//   npm ci --prefix engines/definitions --ignore-scripts && node engines/compile-definitions.mjs
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "definitions", "node_modules");
const target = join(here, "..", "src", "Fhir", "Definitions", "r4.bin");
const fhirType = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

function* read(name, prefix) {
  const folder = join(packages, name);
  for (const file of readdirSync(folder).sort()) {
    if (file.startsWith(prefix) && file.endsWith(".json")) {
      yield JSON.parse(readFileSync(join(folder, file), "utf8"));
    }
  }
}

const expansions = new Map();
for (const set of read("hl7.fhir.r4.expansions", "ValueSet-")) {
  if (set.resourceType === "ValueSet" && set.expansion) expansions.set(set.url, set.expansion);
}

const valueSets = new Map();
function codesOf(canonical) {
  const url = canonical?.split("|")[0];
  const expansion = expansions.get(url);
  if (!expansion || expansion.parameter?.some(p => p.name === "limitedExpansion")) return undefined;
  if (!valueSets.has(url)) {
    const systems = {};
    const take = items => {
      for (const item of items ?? []) {
        if (item.code !== undefined && !item.abstract) (systems[item.system ?? ""] ??= []).push(item.code);
        take(item.contains);
      }
    };
    take(expansion.contains);
    if (Object.keys(systems).length === 0) return undefined;
    valueSets.set(url, systems);
  }
  return url;
}

function typeCode(type, path) {
  if (type.code.startsWith("http://hl7.org/fhirpath/")) {
    const named = type.extension?.find(e => e.url === fhirType)?.valueUrl ?? "string";
    // The definitions give Resource.id as string; its own rule is that of an id
    return /^[A-Z][A-Za-z]*\.id$/.test(path) && resourceNames.has(path.split(".")[0]) ? "id" : named;
  }
  return type.code;
}

function element(definition, children) {
  const name = definition.path.slice(definition.path.lastIndexOf(".") + 1);
  const compiled = { n: name.replace("[x]", ""), min: definition.min, max: definition.max === "*" ? 0 : Number(definition.max) };
  if (name.endsWith("[x]")) compiled.x = 1;
  if (definition.contentReference) compiled.c = definition.contentReference.slice(definition.contentReference.indexOf("#") + 1);
  else if (children.has(definition.path)) compiled.c = definition.path;
  else compiled.t = definition.type.map(t => typeCode(t, definition.path));
  const targets = definition.type?.filter(t => t.code === "Reference").flatMap(t => t.targetProfile ?? []).map(p => p.slice(p.lastIndexOf("/") + 1));
  if (targets?.length && !targets.includes("Resource")) compiled.r = [...new Set(targets)];
  if (definition.binding?.strength === "required") {
    const set = codesOf(definition.binding.valueSet);
    if (set) compiled.b = set;
  }
  return compiled;
}

const structures = [...read("hl7.fhir.r4.examples", "StructureDefinition-")].filter(
  s => s.url === `http://hl7.org/fhir/StructureDefinition/${s.type}` && s.kind !== "logical" && s.derivation !== "constraint");
const resourceNames = new Set(structures.filter(s => s.kind === "resource").map(s => s.type));

const types = [];
for (const structure of structures) {
  const elements = structure.snapshot.element;
  const children = new Set(elements.filter(e => e.path.includes(".")).map(e => e.path.slice(0, e.path.lastIndexOf("."))));
  for (const owner of children) {
    const own = elements.filter(e => e.path.startsWith(owner + ".") && !e.path.slice(owner.length + 1).includes("."));
    const kind = owner !== structure.type ? "b" : structure.kind === "resource" ? "r" : structure.kind === "primitive-type" ? "p" : "d";
    const type = { n: owner, k: kind };
    if (structure.abstract && owner === structure.type) type.a = 1;
    if (structure.baseDefinition) type.p = structure.baseDefinition.slice(structure.baseDefinition.lastIndexOf("/") + 1);
    type.e = own.map(e => element(e, children));
    types.push(type);
  }
}

const parameters = [...read("hl7.fhir.r4.examples", "SearchParameter-")]
  .filter(p => p.url.startsWith("http://hl7.org/fhir/SearchParameter/") && p.version === "4.0.1" && p.base && (p.expression || p.code.startsWith("_")))
  .map(p => ({
    c: p.code, u: p.url, b: p.base, t: p.type, e: p.expression, r: p.target,
    k: p.component?.map(k => ({ d: k.definition, e: k.expression })),
  }));

const compartments = {};
for (const compartment of read("hl7.fhir.r4.examples", "CompartmentDefinition-")) {
  if (compartment.id === "example") continue;
  compartments[compartment.code] = Object.fromEntries(
    compartment.resource.filter(r => r.param).map(r => [r.code, r.param]));
}

const json = JSON.stringify({ version: "4.0.1", types, valueSets: Object.fromEntries(valueSets), parameters, compartments });
const packed = brotliCompressSync(json, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 } });
writeFileSync(target, packed);
console.log(`${types.length} types, ${valueSets.size} value sets, ${parameters.length} search parameters: ${json.length} bytes, packed ${packed.length}`);
