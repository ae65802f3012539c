import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArtifactStore, createWorkArea, publishArtifact, type Artifact, type ArtifactStore } from '@caricature/artifacts';
import { API_VERSION, parseResource, trainingStages, type ArtifactRef, type StageAssignment, type StageName, type TrainingRun } from '@caricature/contracts';
import { ShardWriter } from '@caricature/tensors';
import { COMMANDS } from '../commands/index.js';
import { exitCodeOf } from '../stage.error.js';
import { createInput, runStage, scratchFolder, type WorkArea } from '../stage.js';

const KEY = '0'.repeat(64);

export interface StageResult {
  exitCode: number;
  /** Of the error that the stage ended with. */
  message: string;
  code?: string;
  work: WorkArea;
}

/** Runs stages of a TrainingRun as the worker does, on inputs that a test makes. */
export class StageBench {
  private readonly inputs: Record<string, ArtifactRef> = {};

  private constructor(
    readonly folder: string,
    private readonly store: ArtifactStore,
  ) {}

  static async create(): Promise<StageBench> {
    const folder = await mkdtemp(join(tmpdir(), 'stage-'));
    return new StageBench(folder, createArtifactStore(`file://${join(folder, 'store')}`));
  }

  async clear(): Promise<void> {
    this.store.close?.();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Publishes random images of `people` (a data set of the training images and an empty one) as the output of a stage. */
  async publishImages(stage: StageName, { images, people, size, traits }: { images: number; people: number; size: number; traits?: string[] }): Promise<void> {
    const dir = await mkdtemp(join(this.folder, `${stage}-`));
    for (const [part, count] of [['train', images], ['heldout', 0]] as const) {
      const labelNames = Array.from({ length: people }, (_, i) => `person ${i}`);
      const writer = new ShardWriter({ folder: join(dir, part), shape: [size, size, 3], labelNames, ...(traits && { traitNames: traits }) });
      for (let i = 0; i < count; i++) await writer.add(Uint8Array.from({ length: size * size * 3 }, (_, k) => (k * 37 + i * 101) % 256), i % people, traits?.map(() => i % 3));
      await writer.finish();
    }
    await this.publish(stage, dir);
  }

  /** Makes a folder the output of a stage. */
  async publish(stage: StageName, dir: string): Promise<void> {
    this.take(await publishArtifact(this.store, { stage, key: KEY, dir, from: [], metadata: {} }));
  }

  /** Runs a stage of the run with this spec; its output becomes an input of the next. `prepareWork` may leave something of an earlier attempt. */
  async run(spec: object, stage: StageName, prepareWork: (work: WorkArea) => Promise<void> = async () => {}): Promise<StageResult> {
    const { spec: full } = parseResource({ apiVersion: API_VERSION, kind: 'TrainingRun', metadata: { name: 'tested' }, spec }) as TrainingRun;
    const definition = trainingStages(full).find(({ name }) => name === stage)!;
    const owner = { kind: 'TrainingRun', namespace: 'default', name: 'tested', uid: '1' } as const;
    const assignment: StageAssignment = { job: 'job', stage, attempt: 1, key: KEY, owner, config: definition.config(full), pace: definition.pace?.(full) ?? {}, inputs: this.inputs };
    const work = createWorkArea(this.store, assignment);
    await prepareWork(work);
    const part = { index: 0, of: 1 };
    try {
      const artifact = await runStage(COMMANDS[stage], {
        assignment,
        part,
        config: { ...assignment.config, ...assignment.pace },
        store: this.store,
        work,
        scratchDir: scratchFolder(join(this.folder, 'scratch'), assignment, part),
        signal: new AbortController().signal,
        report: () => {},
        unsentReports: async () => [],
        flushReports: async () => {},
        log: () => {},
        input: createInput(this.store, assignment, join(this.folder, 'inputs')),
      });
      this.take(artifact!);
      return { exitCode: 0, message: '', work };
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      return { exitCode: exitCodeOf(error), message, ...(code && { code }), work };
    }
  }

  private take({ stage, key, digest }: Artifact): void {
    this.inputs[stage] = { stage: stage as StageName, key, digest, uri: `${this.store.uri}/${stage}/${key}` };
  }
}
