import { type Client, inTransaction } from './client.js';
import { NotFoundError } from './errors.js';
import type { ModelVersion, Prisma } from './generated/client.js';
import { toJson } from './json.js';
import type { ModelRepository } from './ports.js';
import type { JsonObject, ModelAliasChangeRow, ModelAliasRow, ModelRow, ModelVersionRow, NewModelVersion } from './rows.js';

export function createModelRepository(client: Client): ModelRepository {
  return {
    publish: (version) => inTransaction(client, (tx) => publish(tx, version)),
    setAlias: (model, alias, version) => inTransaction(client, (tx) => setAlias(tx, model, alias, version)),
    find: (model, aliasOrVersion) => find(client, model, aliasOrVersion),
    findPublished: (publication) => findPublished(client, publication),
    list: () => list(client),
    versions: async (model) => (await client.modelVersion.findMany({ where: { modelName: model }, orderBy: { version: 'desc' } })).map(toRow),
    isPublished: async (uri) => (await client.modelVersion.findFirst({ where: { uri } })) !== null,
    aliasHistory: (model) => aliasHistory(client, model),
  };
}

async function publish(tx: Prisma.TransactionClient, published: NewModelVersion): Promise<ModelVersionRow> {
  const { model, runUid, artifactDigest, uri, scores, stage, alias } = published;
  await lock(tx, model);
  const known = await findPublished(tx, published);
  // A repeated publication leaves the alias where somebody may have put it since.
  if (known) return known;
  const { _max } = await tx.modelVersion.aggregate({ where: { modelName: model }, _max: { version: true } });
  const version = (_max.version ?? 0) + 1;
  const content = { runUid, artifactDigest, uri, stage, scores: toJson(scores) as Prisma.InputJsonObject };
  const row = await tx.modelVersion.create({ data: { modelName: model, version, ...content } });
  if (alias !== undefined) await setAlias(tx, model, alias, version);
  return toRow(row);
}

type Publication = Parameters<ModelRepository['findPublished']>[0];

async function findPublished(client: Client, { model, runUid, artifactDigest }: Publication): Promise<ModelVersionRow | undefined> {
  const row = await client.modelVersion.findUnique({ where: { modelName_runUid_artifactDigest: { modelName: model, runUid, artifactDigest } } });
  return row ? toRow(row) : undefined;
}

/** Whoever changes a model holds its row, so versions and aliases are given out one after the other. */
async function lock(tx: Prisma.TransactionClient, model: string): Promise<void> {
  await tx.$executeRaw`INSERT INTO model (name) VALUES (${model}) ON CONFLICT DO NOTHING`;
  await tx.$executeRaw`SELECT 1 FROM model WHERE name = ${model} FOR UPDATE`;
}

async function setAlias(tx: Prisma.TransactionClient, model: string, alias: string, version: number): Promise<ModelAliasRow> {
  if (!(await tx.modelVersion.findUnique({ where: { modelName_version: { modelName: model, version } } }))) {
    throw new NotFoundError(`version ${version} of model ${model}`);
  }
  await lock(tx, model);
  const where = { modelName_alias: { modelName: model, alias } };
  const known = await tx.modelAlias.findUnique({ where });
  if (known?.version === version) return { model, alias, version, updatedAt: known.updatedAt };
  await tx.modelAliasChange.create({ data: { modelName: model, alias, fromVersion: known?.version ?? null, toVersion: version } });
  const row = await tx.modelAlias.upsert({ where, create: { modelName: model, alias, version }, update: { version, updatedAt: new Date() } });
  return { model, alias, version, updatedAt: row.updatedAt };
}

async function find(client: Client, model: string, aliasOrVersion?: string | number): Promise<ModelVersionRow | undefined> {
  const where: Prisma.ModelVersionWhereInput = { modelName: model };
  if (typeof aliasOrVersion === 'number') where.version = aliasOrVersion;
  if (typeof aliasOrVersion === 'string') where.aliases = { some: { alias: aliasOrVersion } };
  const row = await client.modelVersion.findFirst({ where, orderBy: { version: 'desc' } });
  return row ? toRow(row) : undefined;
}

async function list(client: Client): Promise<ModelRow[]> {
  const aliases = { select: { alias: true, version: true } };
  const models = await client.model.findMany({ orderBy: { name: 'asc' }, include: { versions: { select: { version: true, aliases } } } });
  return models.map(({ name, createdAt, versions }) => ({
    name,
    createdAt,
    latestVersion: Math.max(...versions.map(({ version }) => version)),
    aliases: Object.fromEntries(versions.flatMap((each) => each.aliases.map(({ alias, version }) => [alias, version]))),
  }));
}

async function aliasHistory(client: Client, model: string): Promise<ModelAliasChangeRow[]> {
  const rows = await client.modelAliasChange.findMany({ where: { modelName: model }, orderBy: { id: 'asc' } });
  return rows.map(({ alias, fromVersion, toVersion, at }) => ({ model, alias, fromVersion, toVersion, at }));
}

function toRow({ modelName, scores, ...rest }: ModelVersion): ModelVersionRow {
  return { model: modelName, ...rest, scores: scores as JsonObject };
}
