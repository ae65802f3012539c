import type { S3Options } from './s3-artifact.store.js';

/** S3 settings of the environment that the SDK does not read itself: the endpoint decides on path style. */
export function s3OptionsFromEnvironment(env: NodeJS.ProcessEnv = process.env): S3Options {
  const endpoint = env['CARICATURE_S3_ENDPOINT'] ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  return { ...(endpoint ? { endpoint } : {}), ...(region ? { region } : {}) };
}
