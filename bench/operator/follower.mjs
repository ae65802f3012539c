// Hears from the API server when each run of a namespace got its Job and its status.
import path from 'node:path';
import { jobsPath, runsPath } from './place.mjs';

const { Reflector } = await import(path.resolve(import.meta.dirname, '../../dist/libs/kubernetes/src/watch/reflector.js'));

/** Moments are those of `performance.now()`. */
export class Follower {
  /** Run → when a Job of it was first seen. */
  jobs = new Map();
  /** Run → when a status was first seen that tells of the run's generation of that time. */
  statuses = new Map();
  /** `run/generation` → when a status of that generation was first seen. */
  generations = new Map();
  #prefix = '';
  #end = new AbortController();
  #synced;

  constructor(client, namespace) {
    const runOf = ({ metadata }) => metadata.labels?.['caricature.dev/name'];
    const standOf = ({ metadata, status }) => ({ name: metadata.name, generation: metadata.generation, told: status?.observedGeneration });
    this.#synced = Promise.all([
      this.#follow(client, jobsPath(namespace), runOf, (_, run) => run?.startsWith(this.#prefix) && note(this.jobs, run)),
      this.#follow(client, runsPath(namespace), standOf, (_, run) => this.#noteRun(run)),
    ]);
  }

  /** Resolves once everything that was there has been heard of. */
  synced() {
    return this.#synced;
  }

  /** Forgets what was seen, and from now on heeds only runs whose name begins so. */
  begin(prefix) {
    this.#prefix = prefix;
    for (const seen of [this.jobs, this.statuses, this.generations]) seen.clear();
  }

  stop() {
    this.#end.abort();
  }

  #follow(client, at, keep, onChange) {
    const reflector = new Reflector({ client, path: at, keep, onChange, log: () => {} });
    void reflector.run(this.#end.signal);
    return reflector.synced;
  }

  #noteRun(run) {
    if (run?.told === undefined || !run.name.startsWith(this.#prefix)) return;
    note(this.generations, `${run.name}/${run.told}`);
    if (run.told === run.generation) note(this.statuses, run.name);
  }
}

function note(seen, key) {
  if (!seen.has(key)) seen.set(key, performance.now());
}
