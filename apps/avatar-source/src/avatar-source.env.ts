/** How the avatar source runs. */
export interface AvatarSourceOptions {
  readonly port: number;
  readonly host: string;
  /** Seconds between requests asked of crawlers in robots.txt; 0 leaves the line out. */
  readonly crawlDelayS: number;
  /** Memory for drawn avatars. */
  readonly cacheBytes: number;
}

export class AvatarSourceEnvError extends Error {
  readonly code = 'INVALID_ENVIRONMENT';
  readonly retryable = false;
}

/** Options from the environment; throws AvatarSourceEnvError naming the variable to change. */
export function readAvatarSourceEnv(env: NodeJS.ProcessEnv = process.env): AvatarSourceOptions {
  return {
    port: numberOf(env, 'PORT', 4010, 0, 65535),
    host: env['HOST'] || '127.0.0.1',
    crawlDelayS: numberOf(env, 'CRAWL_DELAY_S', 0, 0, 86400),
    cacheBytes: numberOf(env, 'AVATAR_CACHE_BYTES', 32 * 2 ** 20, 0, 2 ** 32),
  };
}

function numberOf(env: NodeJS.ProcessEnv, name: string, otherwise: number, low: number, high: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value >= low && value <= high) return value;
  throw new AvatarSourceEnvError(`${name} must be a number from ${low} to ${high}, not "${text}".`);
}
