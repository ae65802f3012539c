import type { Client } from './client.js';
import type { Prisma, ResourceHistory } from './generated/client.js';
import { toJson, toJsonText, toNullableJson } from './json.js';
import type { HistoryChange, ObservedResource, ResourceHistoryRow } from './rows.js';

/** Writes the transitions of resources. */
export function createHistory(tx: Prisma.TransactionClient) {
  const append = async (resource: ObservedResource, change: HistoryChange, resourceVersion: bigint | null = null): Promise<void> => {
    const { uid, kind, namespace, name, generation, spec, status } = resource;
    const content = { spec: toJson(spec) as Prisma.InputJsonObject, status: toNullableJson(status), phase: phaseOf(resource) };
    await tx.resourceHistory.create({ data: { uid, kind, namespace, name, change, generation, resourceVersion, ...content } });
  };
  return { append };
}

/** Writes what has changed since each resource was last observed, if anything has. */
export async function observe(client: Client, resources: ObservedResource[]): Promise<void> {
  const seen = resources.map((resource) => {
    const { uid, kind, namespace, name, generation, spec, status } = resource;
    return { uid, kind, namespace, name, generation, phase: phaseOf(resource), spec, status };
  });
  // Always in one order, so that no two observers wait for each other.
  seen.sort((a, b) => (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0));
  await client.$executeRaw`SELECT observe_resource(value) FROM jsonb_array_elements(${toJsonText(seen)}::jsonb) WITH ORDINALITY ORDER BY ordinality`;
}

const phaseOf = ({ status }: ObservedResource): string | null => (typeof status?.phase === 'string' ? status.phase : null);

export function toHistoryRow({ id: _, resourceVersion: __, ...row }: ResourceHistory): ResourceHistoryRow {
  return row as unknown as ResourceHistoryRow;
}
