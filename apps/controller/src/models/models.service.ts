import { Inject, Injectable } from '@nestjs/common';
import type { Database, ModelAliasChangeRow, ModelRow, ModelVersionRow } from '@caricature/database';
import { ControllerError } from '../controller.error.js';
import { DATABASE } from '../controller.tokens.js';

/** What an alias points at. */
export interface ResolvedModel {
  model: string;
  version: number;
  artifactUri: string;
  digest: string;
  scores: ModelVersionRow['scores'];
}

/** Published models, their versions, and the aliases that say which is served. */
@Injectable()
export class ModelsService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  async list(): Promise<{ items: ModelRow[] }> {
    return { items: await this.database.models.list() };
  }

  async get(name: string): Promise<ModelRow & { versions: ModelVersionRow[]; aliasHistory: ModelAliasChangeRow[] }> {
    const model = (await this.database.models.list()).find((row) => row.name === name);
    if (!model) throw new ControllerError('NotFound', `There is no model ${name}: a TrainingRun with spec.publish.model makes it.`);
    const [versions, aliasHistory] = await Promise.all([this.database.models.versions(name), this.database.models.aliasHistory(name)]);
    return { ...model, versions, aliasHistory };
  }

  async resolve(name: string, alias: string): Promise<ResolvedModel> {
    const row = await this.database.models.find(name, alias);
    if (!row) throw new ControllerError('NotFound', `No version of model ${name} has the alias ${alias}.`);
    return { model: row.model, version: row.version, artifactUri: row.uri, digest: row.artifactDigest, scores: row.scores };
  }

  async setAlias(name: string, alias: string, version: number): Promise<ResolvedModel> {
    await this.database.models.setAlias(name, alias, version);
    return this.resolve(name, alias);
  }
}
