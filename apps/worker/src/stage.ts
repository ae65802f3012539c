import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorkArea, findArtifact, materializeArtifact, publishArtifact, type Artifact, type ArtifactStore } from '@caricature/artifacts';
import type { ReportItem, StageAssignment } from '@caricature/contracts';

export type WorkArea = ReturnType<typeof createWorkArea>;

/** One of the processes that share a stage, from 0. */
export interface StagePart {
  index: number;
  of: number;
}

/** What a command works with. */
export interface StageContext<Config = Record<string, unknown>> {
  assignment: StageAssignment;
  config: Config;
  /** Of a stage that is not shared: the first of one. */
  part: StagePart;
  store: ArtifactStore;
  /** Files that outlive this attempt but not the stage: checkpoints, a half-done crawl. */
  work: WorkArea;
  /** A local folder of this part's own that survives a restart on the same machine. */
  scratchDir: string;
  signal: AbortSignal;
  report(item: ReportItem): void;
  /** What of it the controller has not taken yet. */
  unsentReports(): Promise<ReportItem[]>;
  /** Waits until the controller has taken all of it. */
  flushReports(): Promise<void>;
  log(line: string): void;
  /** The local folder of an input artifact, verified. */
  input(stage: string): Promise<string>;
}

/** What a command hands over: a folder that becomes the artifact, and what is to be known of it. */
export interface StageOutput {
  dir: string;
  metadata: Record<string, unknown> & { metrics?: Record<string, number> };
}

/** Without an output its part of the stage is done, and another makes the artifact. */
export type StageCommand = (context: StageContext<never>) => Promise<StageOutput | undefined>;

/**
 * Runs one stage, or a part of one: makes its artifact unless it is there already, and reports it. Whatever moment it is killed at, running
 * it again ends with the same single artifact. Gives nothing when the stage's other parts are not done.
 */
export async function runStage(command: StageCommand, context: StageContext): Promise<Artifact | undefined> {
  const { assignment, store } = context;
  const existing = await findArtifact(store, assignment.stage, assignment.key);
  const artifact = existing ?? (await makeArtifact(command, context));
  if (!artifact) return undefined;
  context.report({
    type: 'artifact',
    digest: artifact.digest,
    uri: `${store.uri.replace(/\/$/, '')}/${artifact.stage}/${artifact.key}`,
    bytes: artifact.files.reduce((sum, f) => sum + f.bytes, 0),
    from: artifact.from,
    metadata: artifact.metadata ?? {},
  });
  return artifact;
}

async function makeArtifact(command: StageCommand, context: StageContext): Promise<Artifact | undefined> {
  const { assignment, store, scratchDir } = context;
  await mkdir(scratchDir, { recursive: true });
  const output = await command(context as StageContext<never>);
  // A finished stage is never run again: whatever it has told must have been heard before it is finished.
  await context.flushReports();
  const { stage, key, inputs } = assignment;
  const artifact = output
    ? await publishArtifact(store, { stage, key, dir: output.dir, from: Object.values(inputs).map((i) => i.digest), metadata: output.metadata })
    : // Another part, or another resource with this key, may have made it meanwhile.
      await findArtifact(store, stage, key);
  if (artifact) await context.work.remove();
  await rm(scratchDir, { recursive: true, force: true });
  return artifact;
}

export function createInput(store: ArtifactStore, assignment: StageAssignment, cacheDir: string): StageContext['input'] {
  return async (stage) => {
    const ref = assignment.inputs[stage];
    if (!ref) throw new Error(`the assignment names no input ${stage}`);
    return materializeArtifact(store, { stage: ref.stage, key: ref.key }, cacheDir);
  };
}

/**
 * A folder for this stage's key, the same for every attempt on this machine; another resource with the same key at the same time has its own,
 * and so has each part.
 */
export function scratchFolder(root: string, { stage, key, owner }: StageAssignment, { index, of }: StagePart): string {
  const name = createHash('sha256').update(`${owner.uid}/${key}`).digest('hex').slice(0, 16);
  return join(root, stage, of > 1 ? `${name}-${index}-of-${of}` : name);
}
