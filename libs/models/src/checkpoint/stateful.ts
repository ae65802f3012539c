import type { BatchSampler, BatchSamplerState } from '@caricature/tensors';
import type { NamedTensor, Network } from '../layers/network.js';
import { type Checkpoint, tensorsUnder, withPrefix } from './checkpoint.js';

/** A part of a training run that a checkpoint holds: tensors, and what is not one as plain JSON. */
export interface Stateful {
  snapshot(): { tensors: Map<string, NamedTensor>; state?: unknown };
  restore(tensors: Map<string, NamedTensor>, state: unknown): void;
}

/** Everything that a run holds, each part under its name. */
export type RunParts = Record<string, Stateful>;

export function savedNetworks(networks: Record<string, Network>): RunParts {
  return mapValues(networks, (network) => ({ snapshot: () => ({ tensors: network.snapshot() }), restore: (tensors) => network.restore(tensors) }));
}

export function savedSamplers(samplers: Record<string, BatchSampler>): RunParts {
  return mapValues(samplers, (sampler) => ({
    snapshot: () => ({ tensors: new Map(), state: sampler.state }),
    restore: (_, state) => void (sampler.state = state as BatchSamplerState),
  }));
}

export function snapshotParts(parts: RunParts): Pick<Checkpoint, 'tensors' | 'state'> {
  const tensors: [string, NamedTensor][] = [];
  const state: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(parts)) {
    const saved = part.snapshot();
    tensors.push(...withPrefix(name, saved.tensors));
    if (saved.state !== undefined) state[name] = saved.state;
  }
  return { tensors: new Map(tensors), state };
}

/** Throws CheckpointError when a tensor is missing or of another shape. */
export function restoreParts(parts: RunParts, { tensors, state }: Checkpoint): void {
  for (const [name, part] of Object.entries(parts)) part.restore(tensorsUnder(tensors, name), state[name]);
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
