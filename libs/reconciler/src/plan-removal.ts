import type { Resource } from './ports.js';

/** An artifact that a resource has made or taken, or was about to. */
export interface Belonging {
  stage: string;
  key: string;
}

/** What decides whether an artifact may go, beside the resource that is deleted. */
export interface Referrers {
  /** Every resource that there is. */
  resources: Resource[];
  /** Attempts at stages that make one of the artifacts, whoever began them. */
  attempts: { runUid: string; key: string }[];
  /** Keys of artifacts that a version of a model consists of. */
  published: ReadonlySet<string>;
  /** Of the resources in `attempts` that are gone, those whose artifacts were to stay: what they were called, by uid. */
  retained: ReadonlyMap<string, string>;
}

export interface Removal {
  remove: Belonging[];
  kept: (Belonging & { because: string })[];
}

/** The artifacts that a resource leaves behind, each once. */
export function belongingsOf({ status }: Resource, attempts: Belonging[]): Belonging[] {
  const found = new Map<string, Belonging>();
  const finished = (status?.stages ?? []).flatMap(({ artifact }) => (artifact ? [artifact] : []));
  for (const { stage, key } of [...finished, ...attempts]) found.set(key, { stage, key });
  return [...found.values()];
}

/** Which artifacts go with a resource that is being deleted: those that nobody else refers to. Others being deleted refer to nothing any more. */
export function planRemoval(resource: Resource, belongings: Belonging[], referrers: Referrers): Removal {
  const others = referrers.resources.filter(({ metadata }) => metadata.uid !== resource.metadata.uid && !metadata.deletionTimestamp);
  const removal: Removal = { remove: [], kept: [] };
  for (const belonging of belongings) {
    const because = whyKept(resource, belonging, others, referrers);
    if (because) removal.kept.push({ ...belonging, because });
    else removal.remove.push(belonging);
  }
  return removal;
}

function whyKept(resource: Resource, { stage, key }: Belonging, others: Resource[], { attempts, published, retained }: Referrers): string | undefined {
  if (published.has(key)) return 'a version of a model consists of it';
  const makers = new Set(attempts.filter((attempt) => attempt.key === key).map(({ runUid }) => runUid));
  const user = others.find((other) => makers.has(other.metadata.uid) || has(other, key) || isToRead(other, resource, stage));
  if (user) return `${user.kind} ${user.metadata.namespace}/${user.metadata.name} refers to it`;
  const gone = [...makers].map((uid) => retained.get(uid)).find((name) => name !== undefined);
  return gone && `${gone}, which made it, was to leave it`;
}

function has({ status }: Resource, key: string): boolean {
  return status?.stages.some(({ artifact }) => artifact?.key === key) ?? false;
}

/** Whether a run that is not finished names the deleted resource as where its input comes from. */
function isToRead(run: Resource, { kind, metadata, spec }: Resource, stage: string): boolean {
  if (run.kind !== 'TrainingRun' || run.metadata.namespace !== metadata.namespace) return false;
  if (run.status?.phase === 'Succeeded' || run.status?.phase === 'Failed') return false;
  const { source, target } = run.spec;
  if (kind === 'TrainingRun') return stage === 'prepare-faces' && source.dataset === metadata.name;
  const dataset = 'output' in spec ? spec.output.dataset : undefined;
  return stage === 'crawl' && (target?.crawlJobRef?.name === metadata.name || (dataset !== undefined && target?.dataset === dataset));
}
