import { expect, it } from 'vitest';
import { readControllerEnv } from './controller.env.js';

it('gives its workers all by which it finds the artifact store itself, and nothing else of its own', () => {
  const s3 = {
    CARICATURE_S3_ENDPOINT: 'http://s3:1', AWS_ENDPOINT_URL_S3: 'http://s3:2', AWS_ENDPOINT_URL: 'http://s3:3', AWS_REGION: 'north', AWS_DEFAULT_REGION: 'south',
    AWS_PROFILE: 'p', AWS_CONFIG_FILE: '/aws/config', AWS_SHARED_CREDENTIALS_FILE: '/aws/credentials',
    AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't', AWS_ROLE_ARN: 'arn', AWS_ROLE_SESSION_NAME: 'n', AWS_WEB_IDENTITY_TOKEN_FILE: '/aws/token',
  };
  const { workerEnvironment } = readControllerEnv({ ...s3, CARICATURE_API_TOKEN: 'a-long-secret', CARICATURE_DATABASE_URL: 'postgres://u:p@h/d' });
  const { HOME: _, TF_CPP_MIN_LOG_LEVEL: __, ...given } = workerEnvironment;
  expect(given).toEqual(s3);
});
