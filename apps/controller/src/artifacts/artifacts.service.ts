import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { artifactObject, getArtifact, type Artifact, type ArtifactStore } from '@caricature/artifacts';
import type { ArtifactRow, Database, Lineage } from '@caricature/database';
import { ControllerError } from '../controller.error.js';
import { ARTIFACT_STORE, DATABASE } from '../controller.tokens.js';
import { objectNameOf } from './object-address.js';

export interface ArtifactDetails extends ArtifactRow {
  files: { path: string; sha256: string; bytes: number }[];
}

/** Finished artifacts: what they are, where they come from, and what is in them. */
@Injectable()
export class ArtifactsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(ARTIFACT_STORE) private readonly store: ArtifactStore,
  ) {}

  async get(digest: string): Promise<ArtifactDetails> {
    const row = await this.row(digest);
    const { files } = await this.published(row);
    return { ...row, files: files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })) };
  }

  lineage(digest: string): Promise<Lineage> {
    return this.database.artifacts.lineage(digest);
  }

  /** One file, checked against its digest while it is read. Only paths that the artifact lists exist. */
  async openFile(digest: string, path: string): Promise<{ stream: Readable; bytes: number }> {
    const object = artifactObject(await this.published(await this.row(digest)), path);
    return { stream: await this.store.open(object.name, object), bytes: object.bytes };
  }

  private async row(digest: string): Promise<ArtifactRow> {
    const row = await this.database.artifacts.findByDigest(digest);
    if (!row) throw new ControllerError('NotFound', `There is no artifact ${digest}.`);
    return row;
  }

  private published(row: ArtifactRow): Promise<Artifact> {
    const [stage = '', key = ''] = objectNameOf(row.uri, this.store).split('/');
    return getArtifact(this.store, stage, key);
  }
}
