import { PrismaPg } from '@prisma/adapter-pg';

import { Prisma, PrismaClient } from './generated/client.js';
import { CONNECT_TIMEOUT_MS } from './reachable.js';

/** An answer that has not come by then is not coming: the server went without a word, as its node did. */
const QUERY_TIMEOUT_MS = 60_000;

/** What a repository works on: the client, or the transaction it is part of. */
export type Client = PrismaClient | Prisma.TransactionClient;

/** Beyond these a statement is planned anew each time: every connection keeps what it has prepared. */
const MOST_PREPARED = 200;

export function createClient(url: string): PrismaClient {
  // The adapter writes times without a zone and reads them as UTC, so the session's zone has to be UTC whatever the server's is.
  const waiting = { connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS, keepAlive: true };
  const adapter = new PrismaPg({ connectionString: url, max: 10, options: '-c timezone=UTC', ...waiting }, { statementNameGenerator: nameStatements() });
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 10_000, timeout: 30_000 } });
}

/** Runs `work` in a transaction: the one that `client` already is, or a new one. */
export function inTransaction<T>(client: Client, work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T> {
  return '$transaction' in client ? client.$transaction(work) : work(client);
}

/** Names for statements: one that has a name is planned once for each connection, which takes longer than carrying it out. */
function nameStatements(): (query: { sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const name = names.get(sql) ?? (names.size < MOST_PREPARED ? `caricature_${names.size}` : '');
    if (name) names.set(sql, name);
    return name;
  };
}
