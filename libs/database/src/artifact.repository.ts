import { type Client, inTransaction } from './client.js';
import { NotFoundError } from './errors.js';
import type { Artifact, Prisma } from './generated/client.js';
import { toJson } from './json.js';
import type { ArtifactRepository } from './ports.js';
import type { ArtifactRow, JsonObject, Lineage, NewArtifact } from './rows.js';

export function createArtifactRepository(client: Client): ArtifactRepository {
  return {
    record: (artifact) => inTransaction(client, (tx) => record(tx, artifact)),
    findByKey: async (key) => toRow(await client.artifact.findUnique({ where: { key } })),
    findByDigest: async (digest) => toRow(await findByDigest(client, digest)),
    listForRun: (runUid) => listForRun(client, runUid),
    list: async ({ stage, limit = 200 } = {}) =>
      (await client.artifact.findMany({ where: { stage }, orderBy: { id: 'desc' }, take: limit })).map((row) => toRow(row)),
    lineage: (digest) => lineage(client, digest),
    forget: async (key) => void (await client.artifact.updateMany({ where: { key }, data: { key: null } })),
  };
}

async function record(tx: Prisma.TransactionClient, artifact: NewArtifact): Promise<ArtifactRow> {
  const { digest, stage, key, uri, bytes, metadata = {}, from = [] } = artifact;
  const sources = await Promise.all(from.map((each) => getByDigest(tx, each)));
  const data = { digest, stage, key, uri, bytes: BigInt(bytes), metadata: toJson(metadata) as Prisma.InputJsonObject };
  const { count } = await tx.artifact.createMany({ data: [data], skipDuplicates: true });
  const row = await tx.artifact.findUniqueOrThrow({ where: { key } });
  if (count > 0) {
    await tx.artifactLineage.createMany({ data: sources.map(({ id }) => ({ fromId: id, toId: row.id })), skipDuplicates: true });
  }
  return toRow(row);
}

/** Two keys may give the same bytes: the row that the store still has, then the newest. */
function findByDigest(client: Client, digest: string): Promise<Artifact | null> {
  return client.artifact.findFirst({ where: { digest }, orderBy: [{ key: { sort: 'asc', nulls: 'last' } }, { id: 'desc' }] });
}

async function getByDigest(client: Client, digest: string): Promise<Artifact> {
  const row = await findByDigest(client, digest);
  if (!row) throw new NotFoundError(`artifact ${digest}`);
  return row;
}

async function listForRun(client: Client, runUid: string): Promise<ArtifactRow[]> {
  const attempts = await client.stageAttempt.findMany({ where: { runUid, artifactDigest: { not: null } }, orderBy: { id: 'asc' } });
  const digests = new Set(attempts.map(({ artifactDigest }) => artifactDigest ?? ''));
  const rows = await Promise.all([...digests].map((digest) => findByDigest(client, digest)));
  return rows.flatMap((row) => (row ? [toRow(row)] : []));
}

async function lineage(client: Client, digest: string): Promise<Lineage> {
  const root = await getByDigest(client, digest);
  const links = await client.$queryRaw<{ from: bigint; to: bigint }[]>`
    WITH RECURSIVE ancestry (from_id, to_id) AS (
      SELECT from_id, to_id FROM artifact_lineage WHERE to_id = ${root.id}
      UNION SELECT link.from_id, link.to_id FROM artifact_lineage link JOIN ancestry ON link.to_id = ancestry.from_id
    ) SELECT from_id AS "from", to_id AS "to" FROM ancestry`;
  const ids = new Set([root.id, ...links.map(({ from }) => from)]);
  const artifacts = await client.artifact.findMany({ where: { id: { in: [...ids] } }, orderBy: { id: 'asc' } });
  const digestOf = new Map(artifacts.map(({ id, digest: each }) => [id, each]));
  const edges = links.map(({ from, to }) => ({ from: digestOf.get(from) ?? '', to: digestOf.get(to) ?? '' }));
  return { artifacts: artifacts.map((row) => toRow(row)), edges };
}

function toRow(row: Artifact): ArtifactRow;
function toRow(row: Artifact | null): ArtifactRow | undefined;
function toRow(row: Artifact | null): ArtifactRow | undefined {
  if (!row) return undefined;
  const { id: _, ...rest } = row;
  return { ...rest, bytes: Number(row.bytes), metadata: row.metadata as JsonObject };
}
