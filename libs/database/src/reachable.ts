import { setTimeout as sleep } from 'node:timers/promises';

/** A server that is away must be noticed before whoever asks is given up: without this, TCP alone waits for minutes. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** What Node says of an address that does not answer, and PostgreSQL while it starts or stops. */
const AWAY = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', '57P01', '57P02', '57P03']);

/** Whether the server could not be reached: trying again may help, changing anything will not. */
export function isUnreachable(error: unknown): boolean {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  return (code !== undefined && AWAY.has(code)) || /^(timeout expired|Connection terminated)/.test(message);
}

export interface Patience {
  log: (line: string) => void;
  /** After so long without an answer the error is the caller's. */
  patienceMs: number;
  retryMs?: number;
}

/** Does `work`, again and again while the server cannot be reached: it may start later than we, or be on its way to another node. */
export async function untilReachable<T>(work: () => Promise<T>, { log, patienceMs, retryMs = 1_000 }: Patience): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let said = ''; ; await sleep(retryMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isUnreachable(error) || performance.now() > deadline) throw error;
      const text = error instanceof Error ? error.message : String(error);
      if (text !== said) log(`Postgres does not answer (${text}): trying again`);
      said = text;
    }
  }
}
