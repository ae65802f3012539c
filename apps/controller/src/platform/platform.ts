import type { ResourceManifest } from '@caricature/contracts';
import type { PodDriver, Resource, ResourceKey, ResourceKind, ResourceStore } from '@caricature/reconciler';
import type { WorkerAccess } from '../reports/reports.service.js';

/** The resources as the HTTP API shows and changes them. */
export interface ResourceCatalog {
  list(filter: { kind?: ResourceKind; namespace?: string }): Promise<Resource[]>;
  find(key: ResourceKey): Promise<Resource | undefined>;
  /** @throws InvalidResourceError naming each field that is wrong, or that may not change any more. */
  apply(manifest: ResourceManifest): Promise<Applied>;
  /** True when something is left that has to end first. Throws an error with code NotFound when there is no such resource. */
  delete(key: ResourceKey): Promise<boolean>;
}

export interface Applied {
  result: 'created' | 'configured' | 'unchanged';
  resource: Resource;
}

/** What resources are worked on with, for as long as this process is the one that works on them. */
export interface Term {
  store: ResourceStore;
  driver: PodDriver;
  signal: AbortSignal;
}

/** Where the controller runs: on one machine, or on a cluster. */
export interface Platform {
  catalog: ResourceCatalog;
  /** Reads jobs and logs, whoever works on the resources. */
  driver: PodDriver;
  access: WorkerAccess;
  /** How often progress alone may be written to a status. */
  progressIntervalMs: number;
  /** How often a resource is looked at even if no change is heard of; see `Observed`. */
  resyncMs?: number;
  folderFingerprint(uri: string): Promise<string | undefined>;
  /** Lets `work` go on while this process is the one to do it, until `signal` aborts. */
  operate(work: (term: Term) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** What keeps it from working, in words that say what to do. */
  problems(): string[];
  /** Told once the HTTP API can be reached at `url`. */
  listening(url: string): void;
  /** Ends what must not outlive the controller, while the API still answers. */
  stopWorkers(): Promise<void>;
  /** Makes `stopWorkers` wait for no checkpoint. */
  hurry(): void;
  close(): Promise<void>;
}
