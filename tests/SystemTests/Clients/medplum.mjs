// node medplum.mjs ENGINES ADDRESS TOKEN: drives a node with @medplum/core and prints what came of each step as one JSON object.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [engines, address, token] = process.argv.slice(2);
const { MedplumClient, MemoryStorage, ClientStorage } = createRequire(resolve(engines, "package.json"))("@medplum/core");
const client = new MedplumClient({ baseUrl: `${address}/`, fhirUrlPath: "fhir", cacheTime: 0, fetch, storage: new ClientStorage(new MemoryStorage()) });
client.setAccessToken(token);
const mark = `plum-${crypto.randomUUID()}`;
const resourceType = "Organization";
const organization = (name, value, more = {}) => ({ resourceType, name: `${mark} ${name}`, identifier: [{ system: "urn:client", value: `${mark}-${value}` }], ...more });
const codeOf = async (deed) => {
  try {
    await deed();
    return "done";
  } catch (refusal) {
    return refusal.outcome.issue[0].code;
  }
};
const found = {};

const created = [];
for (const name of ["A", "B", "C", "D", "E"]) created.push(await client.createResource(organization(name, name)));
found.created = new Set(created.map((one) => one.id)).size;
found.total = (await client.search(resourceType, { name: mark, _total: "accurate" })).total;
const pages = [];
for await (const page of client.searchResourcePages(resourceType, { name: mark, _count: 2, _sort: "-name" })) pages.push(page.map((one) => one.name.slice(-1)).join(""));
found.pages = pages;
// This client asks for a thousand where nothing is said
found.whole = 0;
for await (const page of client.searchResourcePages(resourceType, { name: mark })) found.whole += page.length;

const { id } = created[0];
found.patched = (await client.patchResource(resourceType, id, [{ op: "test", path: "/name", value: created[0].name }, { op: "replace", path: "/name", value: `${mark} Patched` }])).meta.versionId;
found.untrue = await codeOf(() => client.patchResource(resourceType, id, [{ op: "test", path: "/name", value: "untrue" }]));
found.upserted = (await client.upsertResource(organization("Upserted", "A"), { identifier: `urn:client|${mark}-A` })).id === id;
found.updated = (await client.updateResource({ ...(await client.readResource(resourceType, id)), name: `${mark} Updated` })).meta.versionId;
found.history = (await client.readHistory(resourceType, id)).entry.map((entry) => entry.resource.name.slice(mark.length + 1));
found.first = (await client.readVersion(resourceType, id, "1")).name === created[0].name;
await client.deleteResource(resourceType, created[4].id);
found.deleted = await codeOf(() => client.readResource(resourceType, created[4].id));
found.unknown = (await client.validateResource({ resourceType, nam: "x" })).issue[0].severity;

const parent = "urn:uuid:22222222-2222-4222-8222-222222222222";
const done = await client.executeBatch({
  resourceType: "Bundle",
  type: "transaction",
  entry: [
    { fullUrl: parent, resource: organization("Parent", "parent"), request: { method: "POST", url: resourceType } },
    { resource: organization("Child", "child", { partOf: { reference: parent } }), request: { method: "POST", url: resourceType } },
  ],
});
found.transaction = done.entry.map((entry) => entry.response.status.slice(0, 3)).join(",");
found.child = (await client.searchOne(resourceType, { "partof:Organization.identifier": `${mark}-parent` })).name.endsWith("Child");
const twice = (name) => ({ resource: organization(name, "twice"), request: { method: "PUT", url: `${resourceType}?identifier=urn:client|${mark}-twice` } });
found.twice = await codeOf(() => client.executeBatch({ resourceType: "Bundle", type: "transaction", entry: [twice("One"), twice("Other")] }));
found.twiceLeft = (await client.search(resourceType, { identifier: `${mark}-twice`, _total: "accurate" })).total;

const once = await Promise.all(Array.from({ length: 100 }, () => client.createResourceIfNoneExist(organization("Once", "once"), `identifier=urn:client|${mark}-once`)));
found.atOnce = once.length;
found.once = new Set(once.map((one) => one.id)).size;

// Somebody of whom something was observed: another may have come without
const { subject } = await client.searchOne("Observation", { code: "8867-4" });
found.everything = (await client.readPatientEverything(subject.reference.split("/")[1])).entry.length > 1;
found.observations = (await client.searchResources("Observation", { patient: subject.reference, _count: 3 })).length;
console.log(JSON.stringify(found));
