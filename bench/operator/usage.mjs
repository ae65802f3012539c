// What a process has taken of the machine so far, as the kernel counts it.
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and of those of its children that it has waited for; with `children`, of the living ones too. */
export function cpuSeconds(pid, { children = false } = {}) {
  const times = statOf(pid).slice(11, 15);
  const own = times.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  return children ? childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own) : own;
}

/** Bytes of memory that a process has, and the most that it had. */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)[1]) * 1024;
  return { bytes: of('VmRSS'), peakBytes: of('VmHWM') };
}

/** The fields of /proc/PID/stat after the program's name, which may hold spaces. */
function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  } catch {
    return Array.from({ length: 50 }, () => '0');
  }
}

function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statOf(name)[1] === String(pid)).map(Number);
}
