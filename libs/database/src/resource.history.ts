import type { Prisma, ResourceHistory } from './generated/client.js';
import { toJson, toNullableJson } from './json.js';
import type { HistoryChange, ObservedResource, ResourceHistoryRow } from './rows.js';

/** Writes the transitions of resources. */
export function createHistory(tx: Prisma.TransactionClient) {
  const append = async (resource: ObservedResource, change: HistoryChange, resourceVersion: bigint | null = null): Promise<void> => {
    const { uid, kind, namespace, name, generation, spec, status } = resource;
    const content = { spec: toJson(spec) as Prisma.InputJsonObject, status: toNullableJson(status), phase: phaseOf(resource) };
    await tx.resourceHistory.create({ data: { uid, kind, namespace, name, change, generation, resourceVersion, ...content } });
  };
  const observe = async (resource: ObservedResource): Promise<void> => {
    // Two observers of one resource wait for each other, so that neither writes what the other just wrote.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${resource.uid}, 0))`;
    const last = await tx.resourceHistory.findFirst({ where: { uid: resource.uid }, orderBy: { id: 'desc' } });
    if (!last) return append(resource, 'Created');
    if (last.generation !== resource.generation) return append(resource, 'SpecChanged');
    if (last.phase !== phaseOf(resource)) return append(resource, 'PhaseChanged');
  };
  return { append, observe };
}

const phaseOf = ({ status }: ObservedResource): string | null => (typeof status?.phase === 'string' ? status.phase : null);

export function toHistoryRow({ id: _, resourceVersion: __, ...row }: ResourceHistory): ResourceHistoryRow {
  return row as unknown as ResourceHistoryRow;
}
