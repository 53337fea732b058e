// node fhir-kit-client.mjs ENGINES ADDRESS TOKEN: drives a node with fhir-kit-client and prints what came of each step as one JSON object.
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [engines, address, token] = process.argv.slice(2);
const { Client } = await import(pathToFileURL(join(resolve(engines), "node_modules/fhir-kit-client/dist/index.js")));
const client = new Client({ baseUrl: `${address}/fhir`, bearerToken: token });
const mark = `kit-${crypto.randomUUID()}`;
const resourceType = "Organization";
const organization = (name, value, more = {}) => ({ resourceType, name: `${mark} ${name}`, identifier: [{ system: "urn:client", value: `${mark}-${value}` }], ...more });
const statusOf = async (deed) => {
  try {
    await deed();
    return 200;
  } catch (refusal) {
    return refusal.response.status;
  }
};
const found = {};

found.version = (await client.capabilityStatement()).fhirVersion;
const created = [];
for (const name of ["A", "B", "C", "D", "E"]) created.push(await client.create({ resourceType, body: organization(name, name) }));
found.created = new Set(created.map((one) => one.id)).size;

const read = [];
let page = await client.search({ resourceType, searchParams: { name: mark, _count: "2", _sort: "name" } });
found.total = page.total;
found.pages = 0;
for (; page; page = await client.nextPage({ bundle: page })) {
  found.pages++;
  read.push(...page.entry.map((entry) => entry.resource.name.slice(-1)));
}
found.names = read.join("");
found.byPost = (await client.search({ resourceType, searchParams: { name: mark }, options: { postSearch: true } })).entry.length;

const id = created[0].id;
found.patched = (await client.patch({ resourceType, id, jsonPatch: [{ op: "replace", path: "/name", value: `${mark} Patched` }] })).meta.versionId;
found.stale = await statusOf(() => client.patch({ resourceType, id, jsonPatch: [], options: { headers: { "If-Match": 'W/"1"' } } }));
found.updated = (await client.update({ resourceType, searchParams: { identifier: `urn:client|${mark}-A` }, body: organization("Updated", "A") })).id === id;
found.history = (await client.history({ resourceType, id })).entry.map((entry) => entry.resource.name.slice(mark.length + 1));
found.first = (await client.vread({ resourceType, id, version: "1" })).name === created[0].name;
await client.delete({ resourceType, id: created[4].id });
found.deleted = await statusOf(() => client.read({ resourceType, id: created[4].id }));
found.unknown = await statusOf(() => client.search({ resourceType, searchParams: { shoe: "1" } }));

const parent = "urn:uuid:11111111-1111-4111-8111-111111111111";
const done = await client.transaction({
  body: {
    resourceType: "Bundle",
    type: "transaction",
    entry: [
      { fullUrl: parent, resource: organization("Parent", "parent"), request: { method: "POST", url: resourceType } },
      { resource: organization("Child", "child", { partOf: { reference: parent } }), request: { method: "POST", url: resourceType } },
      { request: { method: "GET", url: `${resourceType}?identifier=${mark}-parent` } },
    ],
  },
});
found.transaction = done.entry.map((entry) => entry.response.status.slice(0, 3)).join(",");
found.children = (await client.search({ resourceType, searchParams: { "partof:Organization.identifier": `${mark}-parent` } })).total;

const twice = (name) => ({ resource: organization(name, "twice"), request: { method: "PUT", url: `${resourceType}?identifier=urn:client|${mark}-twice` } });
found.twice = await statusOf(() => client.transaction({ body: { resourceType: "Bundle", type: "transaction", entry: [twice("One"), twice("Other")] } }));
found.twiceLeft = (await client.search({ resourceType, searchParams: { identifier: `${mark}-twice` } })).total;

const once = await Promise.all(
  Array.from({ length: 100 }, () => client.create({ resourceType, body: organization("Once", "once"), options: { headers: { "If-None-Exist": `identifier=urn:client|${mark}-once` } } })),
);
found.atOnce = once.length;
found.once = new Set(once.map((one) => one.id)).size;
found.onceLeft = (await client.search({ resourceType, searchParams: { identifier: `${mark}-once` } })).total;

// Somebody of whom something was observed: another may have come without
const patients = await client.search({ resourceType: "Patient", searchParams: { _count: "1", "_has:Observation:patient:code": "8867-4", _revinclude: "Observation:patient" } });
found.patient = patients.entry.some((entry) => entry.search.mode === "match");
found.included = patients.entry.filter((entry) => entry.resource.resourceType === "Observation").length > 0;
found.everything = (await client.operation({ name: "everything", resourceType: "Patient", id: patients.entry[0].resource.id, method: "GET" })).entry.length > 1;
found.validated = (await client.operation({ name: "validate", resourceType, input: { resourceType, nam: "x" } })).issue[0].severity;
console.log(JSON.stringify(found));
