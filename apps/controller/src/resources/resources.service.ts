import { Inject, Injectable } from '@nestjs/common';
import type { ArtifactStore } from '@caricature/artifacts';
import { findKind, parseResource, type Kind } from '@caricature/contracts';
import type { Database, EventRow, ResourceHistoryRow, StageAttemptRow } from '@caricature/database';
import { jobName, type JobObservation, type Resource, type ResourceKey } from '@caricature/reconciler';
import { ControllerError } from '../controller.error.js';
import { ARTIFACT_STORE, DATABASE, PLATFORM } from '../controller.tokens.js';
import type { Applied, Platform } from '../platform/platform.js';
import { ownerOf } from '../reconcile/act.js';
import { allAttempts } from '../reconcile/attempts.js';
import { logObject, podLogsPrefix } from '../reconcile/log-objects.js';

interface ResourceRef {
  kind: string;
  namespace: string;
  name: string;
}

/** Reads and writes the custom resources, wherever they live. */
@Injectable()
export class ResourcesService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(PLATFORM) private readonly platform: Platform,
    @Inject(ARTIFACT_STORE) private readonly artifacts: ArtifactStore,
  ) {}

  async list({ kind, namespace }: { kind?: string | undefined; namespace?: string | undefined }): Promise<{ items: Resource[] }> {
    return { items: await this.platform.catalog.list({ ...(kind ? { kind: kindOf(kind) } : {}), ...(namespace ? { namespace } : {}) }) };
  }

  async get(ref: ResourceRef): Promise<Resource> {
    const key = keyOf(ref);
    const resource = await this.platform.catalog.find(key);
    if (!resource) throw new ControllerError('NotFound', `${key.kind} ${key.namespace}/${key.name} does not exist: check its name with "caricature get"`);
    return resource;
  }

  /** @throws InvalidResourceError naming each field that is wrong, or that may not change any more. */
  apply(document: unknown): Promise<Applied> {
    return this.platform.catalog.apply(parseResource(document));
  }

  async delete(ref: ResourceRef): Promise<{ result: 'deleted' | 'deleting' }> {
    const key = keyOf(ref);
    await this.get(ref);
    return { result: (await this.platform.catalog.delete(key)) ? 'deleting' : 'deleted' };
  }

  async events(ref: ResourceRef): Promise<{ items: EventRow[] }> {
    return { items: await this.database.events.list((await this.get(ref)).metadata.uid) };
  }

  async history(ref: ResourceRef): Promise<{ items: ResourceHistoryRow[] }> {
    return { items: await this.database.resources.history((await this.get(ref)).metadata.uid) };
  }

  /** The log of one attempt, kept beyond the life of its job: of the newest one unless told which. */
  async log(ref: ResourceRef, { stage, attempt }: { stage?: string | undefined; attempt?: number | undefined }): Promise<string> {
    const resource = await this.get(ref);
    const rows = await this.database.stages.list(resource.metadata.uid);
    const jobs = allAttempts(resource, await this.platform.driver.list(ownerOf(resource)), rows);
    const newest = jobs.filter((job) => (!stage || job.stage === stage) && (!attempt || job.attempt === attempt)).sort(byStart).at(-1);
    if (!newest) throw new ControllerError('NotFound', `${resource.kind} ${ref.name} has no attempt ${[stage, attempt].filter(Boolean).join(' ')} with a log: see its stages for what has run.`);
    const whole = (await this.platform.driver.log(ownerOf(resource), newest.name)) ?? (await this.keptLog(resource, newest)) ?? '';
    return [...(await this.logsOfPodsGone(resource, newest, whole)), whole].join('');
  }

  /** What pods of the attempt have said that are not in `whole`: they were evicted, or went with their node. */
  private async logsOfPodsGone({ metadata }: Resource, { stage, attempt }: Pick<JobObservation, 'stage' | 'attempt'>, whole: string): Promise<string[]> {
    const prefix = podLogsPrefix(metadata.uid, jobName(metadata.name, stage, attempt));
    const parts = await Promise.all((await this.artifacts.list(prefix)).map(async ({ name }) => ({ pod: name.slice(prefix.length).replace(/\.txt$/, ''), text: (await this.artifacts.get(name)).toString() })));
    const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)!;
    return parts.filter(({ text }) => !whole.includes(lastLine(text))).map(({ pod, text }) => `--- ${pod}\n${text}`);
  }

  private async keptLog({ metadata }: Resource, { stage, attempt }: Pick<StageAttemptRow, 'attempt'> & Pick<JobObservation, 'stage'>): Promise<string | undefined> {
    const object = logObject(metadata.uid, jobName(metadata.name, stage, attempt));
    return (await this.artifacts.head(object)) ? (await this.artifacts.get(object)).toString() : undefined;
  }
}

function keyOf({ kind, namespace, name }: ResourceRef): ResourceKey {
  return { kind: kindOf(kind), namespace, name };
}

function kindOf(name: string): Kind {
  const kind = findKind(name);
  if (!kind) throw new ControllerError('InvalidRequest', `There is no kind ${name}: ask for CrawlJob or TrainingRun.`);
  return kind;
}

function byStart(a: JobObservation, b: JobObservation): number {
  return (a.startTime ?? '').localeCompare(b.startTime ?? '') || a.attempt - b.attempt;
}
