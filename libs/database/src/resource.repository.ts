import { randomUUID } from 'node:crypto';

import { type Client, inTransaction } from './client.js';
import { AlreadyExistsError, ConflictError, NotFoundError } from './errors.js';
import type { Prisma, Resource } from './generated/client.js';
import { isSameJson, toJson, toNullableJson } from './json.js';
import type { IfVersion, ResourceRepository } from './ports.js';
import { createHistory, observe, toHistoryRow } from './resource.history.js';
import type { HistoryChange, JsonObject, NewResource, ResourceRef, ResourceRow } from './rows.js';

/** The channel on which every write to a resource is notified; see resource.watch.ts. */
export const RESOURCE_CHANNEL = 'caricature_resources';
// Any constant that every controller agrees on.
const WRITE_LOCK = 7_226_934_019;

export function createResourceRepository(client: Client): ResourceRepository {
  return {
    create: (resource) => write(client, (tx, version) => create(tx, version, resource)),
    find: (ref) => find(client, ref),
    findByUid: async (uid) => toRow(await client.resource.findUnique({ where: { uid } })),
    get: (ref) => getRow(client, ref),
    list: (filter) => list(client, filter),
    updateSpec: (ref, change) => write(client, (tx, version) => updateSpec(tx, version, ref, change)),
    updateStatus: (ref, status, condition) => write(client, (tx, version) => updateStatus(tx, version, ref, status, condition)),
    updateFinalizers: (ref, finalizers, condition) => write(client, (tx, version) => updateFinalizers(tx, version, ref, finalizers, condition)),
    delete: (ref, condition) => write(client, (tx, version) => remove(tx, version, ref, condition)),
    history: async (uid) => (await client.resourceHistory.findMany({ where: { uid }, orderBy: { id: 'asc' } })).map(toHistoryRow),
    observe: (resource) => observe(client, [resource]),
  };
}

type Tx = Prisma.TransactionClient;

/**
 * One writer at a time: without the lock a lower version could become visible after a higher one, and whoever watches by
 * version would miss it. Resources are few and written seldom.
 */
function write<T>(client: Client, work: (tx: Tx, version: () => Promise<bigint>) => Promise<T>): Promise<T> {
  return inTransaction(client, async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${WRITE_LOCK}::bigint)`;
    return work(tx, () => drawVersion(tx));
  });
}

async function drawVersion(tx: Tx): Promise<bigint> {
  const [row] = await tx.$queryRaw<[{ version: bigint }]>`SELECT nextval('resource_version_seq') AS version`;
  await tx.$executeRaw`SELECT pg_notify(${RESOURCE_CHANNEL}, ${String(row.version)})`;
  return row.version;
}

type Version = () => Promise<bigint>;

async function create(tx: Tx, version: Version, resource: NewResource): Promise<ResourceRow> {
  if (await find(tx, resource)) throw new AlreadyExistsError(resource);
  const { kind, namespace, name, apiVersion, spec, labels = {}, annotations = {}, finalizers = [], status = null } = resource;
  const identity = { uid: randomUUID(), apiVersion, kind, namespace, name, resourceVersion: await version() };
  const content = { labels, annotations, finalizers, spec: toJson(spec) as Prisma.InputJsonObject, status: toNullableJson(status) };
  return recorded(tx, await tx.resource.create({ data: { ...identity, ...content } }), 'Created');
}

async function updateSpec(tx: Tx, version: Version, ref: ResourceRef, change: Parameters<ResourceRepository['updateSpec']>[1]): Promise<ResourceRow> {
  const known = await getForWrite(tx, ref, change);
  const { spec, labels = known.labels, annotations = known.annotations } = change;
  const sameSpec = isSameJson(spec, known.spec);
  if (sameSpec && isSameJson(labels, known.labels) && isSameJson(annotations, known.annotations)) return known;
  const generation = sameSpec ? known.generation : known.generation + 1;
  const data = { spec: toJson(spec) as Prisma.InputJsonObject, labels, annotations, generation, resourceVersion: await version() };
  return recorded(tx, await tx.resource.update({ where: { uid: known.uid }, data }), sameSpec ? undefined : 'SpecChanged');
}

async function updateStatus(tx: Tx, version: Version, ref: ResourceRef, status: JsonObject, condition?: IfVersion): Promise<ResourceRow> {
  const known = await getForWrite(tx, ref, condition);
  if (known.status && isSameJson(status, known.status)) return known;
  const row = await tx.resource.update({ where: { uid: known.uid }, data: { status: toNullableJson(status), resourceVersion: await version() } });
  return recorded(tx, row, status.phase === known.status?.phase ? undefined : 'PhaseChanged');
}

async function updateFinalizers(tx: Tx, version: Version, ref: ResourceRef, finalizers: string[], condition?: IfVersion): Promise<ResourceRow | undefined> {
  const known = await getForWrite(tx, ref, condition);
  if (isSameJson(finalizers, known.finalizers)) return known;
  if (known.deletionTimestamp && finalizers.length === 0) return erase(tx, version, known);
  return recorded(tx, await tx.resource.update({ where: { uid: known.uid }, data: { finalizers, resourceVersion: await version() } }));
}

async function remove(tx: Tx, version: Version, ref: ResourceRef, condition?: IfVersion): Promise<ResourceRow | undefined> {
  const known = await getForWrite(tx, ref, condition);
  if (known.finalizers.length === 0) return erase(tx, version, known);
  if (known.deletionTimestamp) return known;
  const row = await tx.resource.update({ where: { uid: known.uid }, data: { deletionTimestamp: new Date(), resourceVersion: await version() } });
  return recorded(tx, row, 'DeletionRequested');
}

async function erase(tx: Tx, version: Version, known: ResourceRow): Promise<undefined> {
  await tx.resource.delete({ where: { uid: known.uid } });
  await createHistory(tx).append(known, 'Deleted', await version());
}

async function recorded(tx: Tx, resource: Resource, change?: HistoryChange): Promise<ResourceRow> {
  const row = toRow(resource);
  if (change) await createHistory(tx).append(row, change, resource.resourceVersion);
  return row;
}

async function getForWrite(tx: Tx, ref: ResourceRef, condition: IfVersion = {}): Promise<ResourceRow> {
  const known = await getRow(tx, ref);
  const { resourceVersion: expected } = condition;
  if (expected !== undefined && expected !== known.resourceVersion) throw new ConflictError(ref, expected, known.resourceVersion);
  return known;
}

async function find(client: Client, { kind, namespace, name }: ResourceRef): Promise<ResourceRow | undefined> {
  return toRow(await client.resource.findUnique({ where: { kind_namespace_name: { kind, namespace, name } } }));
}

async function getRow(client: Client, ref: ResourceRef): Promise<ResourceRow> {
  const row = await find(client, ref);
  if (!row) throw NotFoundError.of(ref);
  return row;
}

async function list(client: Client, filter: Parameters<ResourceRepository['list']>[0] = {}): Promise<ResourceRow[]> {
  const { kind, namespace, labels = {} } = filter;
  const labelled = Object.entries(labels).map(([name, value]) => ({ labels: { path: [name], equals: value } }));
  const rows = await client.resource.findMany({ where: { kind, namespace, AND: labelled }, orderBy: [{ createdAt: 'asc' }, { name: 'asc' }] });
  return rows.map((row) => toRow(row));
}

export function toRow(resource: Resource): ResourceRow;
export function toRow(resource: Resource | null): ResourceRow | undefined;
export function toRow(resource: Resource | null): ResourceRow | undefined {
  // What was written is what is read: the columns hold JSON of just these shapes.
  return resource ? ({ ...resource, resourceVersion: String(resource.resourceVersion) } as unknown as ResourceRow) : undefined;
}
