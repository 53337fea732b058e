// Compiles HL7's R4 definitions into the one file that Salus.Fhir embeds.
//   npm ci --prefix engines/definitions --ignore-scripts && node engines/compile-definitions.mjs
// The file holds three packed parts, each opened when it is needed: the types, what is searched by and the index of the rest;
// the profiles and extensions; the code systems and value sets.
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

const isComplete = expansion => expansion && !expansion.parameter?.some(p => p.name === "limitedExpansion");
const expansions = new Map();
for (const set of read("hl7.fhir.r4.expansions", "ValueSet-")) {
  if (set.resourceType === "ValueSet" && set.expansion) expansions.set(set.url, set.expansion);
}

const valueSets = new Map();
function codesOf(canonical) {
  const url = canonical?.split("|")[0];
  const expansion = expansions.get(url);
  if (!isComplete(expansion)) return undefined;
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

// Held by the validator itself, for every element
const everywhere = new Set(["ele-1", "ext-1"]);

function constraints(definition) {
  const own = (definition.constraint ?? []).filter(c => c.expression && !everywhere.has(c.key));
  return own.length === 0 ? undefined : own.map(c => ({ k: c.key, w: c.severity === "warning" ? 1 : undefined, h: c.human, x: c.expression }));
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
  if (definition.binding?.valueSet && ["required", "extensible"].includes(definition.binding.strength)) {
    compiled.v = definition.binding.valueSet;
    if (definition.binding.strength === "extensible") compiled.o = 1;
  }
  const profiles = definition.type?.filter(t => t.profile && !children.has(definition.path)).flatMap(t => t.profile);
  if (profiles?.length) compiled.f = profiles;
  if (definition.isModifier) compiled.m = 1;
  if (definition.isSummary) compiled.s = 1;
  compiled.i = constraints(definition);
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
    if (owner === structure.type) type.i = constraints(elements[0]);
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

// What the validator reads of a profile, in the form it has in any package
function profile(structure) {
  const { resourceType, url, version, name, type, kind, derivation, baseDefinition, context, contextInvariant } = structure;
  return {
    resourceType, url, version, name, type, kind, derivation, baseDefinition, context, contextInvariant,
    snapshot: { element: structure.snapshot.element.map(profileElement) },
  };
}

function profileElement(definition) {
  const kept = {};
  // Of an extension as a whole: where it may stand depends on it
  if (definition.isModifier && !definition.path.includes(".")) kept.isModifier = true;
  for (const [key, value] of Object.entries(definition)) {
    if (["id", "path", "sliceName", "min", "max", "contentReference", "maxLength"].includes(key) || /^(fixed|pattern|minValue|maxValue)[A-Z]/.test(key)) {
      kept[key] = value;
    }
  }
  const { base, slicing, type, constraint, binding } = definition;
  if (base) kept.base = { min: base.min, max: base.max };
  if (slicing) kept.slicing = { discriminator: slicing.discriminator, ordered: slicing.ordered, rules: slicing.rules };
  if (type) kept.type = type.map(t => ({ code: t.code.startsWith("http://hl7.org/fhirpath/") ? typeCode(t, definition.path) : t.code, profile: t.profile, targetProfile: t.targetProfile }));
  if (binding?.valueSet && ["required", "extensible"].includes(binding.strength)) kept.binding = { strength: binding.strength, valueSet: binding.valueSet };
  const own = (constraint ?? []).filter(c => c.expression && !everywhere.has(c.key));
  if (own.length) kept.constraint = own.map(c => ({ key: c.key, severity: c.severity, human: c.human, expression: c.expression }));
  return kept;
}

const concepts = list => list?.map(c => ({ code: c.code, display: c.display, concept: concepts(c.concept) }));
const contained = list => list?.map(c => ({ system: c.system, code: c.code, display: c.display, abstract: c.abstract, contains: contained(c.contains) }));

function codeSystem(system) {
  const { resourceType, url, version, name, caseSensitive, hierarchyMeaning, content, supplements } = system;
  return { resourceType, url, version, name, caseSensitive, hierarchyMeaning, content, supplements, concept: concepts(system.concept) };
}

function valueSet(set) {
  const { resourceType, url, version, name } = set;
  const part = p => ({ system: p.system, version: p.version, concept: p.concept?.map(c => ({ code: c.code, display: c.display })), filter: p.filter, valueSet: p.valueSet });
  const compose = set.compose && { include: set.compose.include?.map(part), exclude: set.compose.exclude?.map(part) };
  const expansion = expansions.get(url);
  return isComplete(expansion) ? { resourceType, url, version, name, expansion: { contains: contained(expansion.contains) } } : { resourceType, url, version, name, compose };
}

// One text of many resources, and where each begins and ends in it
function collect(resources) {
  const seen = new Map();
  for (const resource of resources) if (resource.url && !seen.has(resource.url)) seen.set(resource.url, resource);
  let at = 0;
  const parts = [], index = [];
  for (const [url, resource] of seen) {
    const bytes = Buffer.from(JSON.stringify(resource));
    index.push([url, resource.resourceType, resource.type ?? "", at, bytes.length]);
    parts.push(bytes);
    at += bytes.length;
  }
  return { text: Buffer.concat(parts), index };
}

const isType = new Set(structures.map(s => s.url));
const profiles = collect([...read("hl7.fhir.r4.examples", "StructureDefinition-")]
  .filter(s => s.resourceType === "StructureDefinition" && s.snapshot && s.version === "4.0.1" && s.derivation === "constraint" && !isType.has(s.url)).map(profile));
const terms = collect([
  ...[...read("hl7.fhir.r4.examples", "CodeSystem-")].filter(s => s.resourceType === "CodeSystem").map(codeSystem),
  ...[...read("hl7.fhir.r4.expansions", "ValueSet-"), ...read("hl7.fhir.r4.examples", "ValueSet-")].filter(s => s.resourceType === "ValueSet").map(valueSet),
]);

const core = JSON.stringify({
  version: "4.0.1", types, valueSets: Object.fromEntries(valueSets), parameters, compartments, profiles: profiles.index, terms: terms.index,
});
const pack = bytes => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});
const parts = [Buffer.from(core), profiles.text, terms.text];
const packed = parts.map(pack);
const header = Buffer.alloc(8 * parts.length);
parts.forEach((part, at) => {
  header.writeUInt32LE(part.length, 8 * at);
  header.writeUInt32LE(packed[at].length, 8 * at + 4);
});
writeFileSync(target, Buffer.concat([header, ...packed]));
console.log(`${types.length} types, ${valueSets.size} required value sets, ${parameters.length} search parameters, ${profiles.index.length} profiles and extensions, ${terms.index.length} code systems and value sets`);
console.log(`parts of ${parts.map(p => p.length).join(", ")} bytes, packed ${packed.map(p => p.length).join(", ")}`);
