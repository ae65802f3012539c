import { readFileSync } from 'node:fs';
import type { Execution } from '@caricature/reconciler';

const UNITS: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** The bytes of `resources.limits.memory` (a Kubernetes quantity such as `2Gi`), or undefined when no limit is set. */
export function memoryLimitBytes(resources: Execution['resources']): number | undefined {
  const quantity = resources?.limits?.['memory'];
  if (quantity === undefined) return undefined;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(quantity)) ?? [];
  return number !== undefined && unit in UNITS ? Number(number) * UNITS[unit]! : undefined;
}

/** The memory that a process holds in RAM, in bytes; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
