import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { InferenceEnv } from './inference.env.js';
import { readInferenceEnv } from './inference.env.js';
import { InferenceModule } from './inference.module.js';

async function serve(env: InferenceEnv): Promise<void> {
  // Bodies are read by the handlers, after the token was checked.
  const app = await NestFactory.create(InferenceModule.of(env), { bodyParser: false, logger: ['log', 'warn', 'error'] });
  app.enableShutdownHooks();
  await app.listen(env.PORT, env.HOST);
  new Logger('Inference').log(`Caricatures at ${await app.getUrl()}/v1/caricatures`);
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code !== 'EADDRINUSE') return error.message;
  return `${error.message}: something else listens there; stop it or set PORT to a free one.`;
}

try {
  await serve(readInferenceEnv());
} catch (error) {
  process.stderr.write(`${explain(error as Error)}\n`);
  process.exit(1);
}
