import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readAvatarSourceEnv, type AvatarSourceOptions } from './avatar-source.env.js';
import { AvatarSourceModule } from './avatar-source.module.js';
import { RefusalFilter } from './avatars/refusal.filter.js';
import { createFaultMiddleware } from './faults/fault.middleware.js';

/** The avatar source, not yet listening. Options left out come from the environment. */
export async function createAvatarSourceApp(options: Partial<AvatarSourceOptions> = {}): Promise<INestApplication> {
  const complete = { ...readAvatarSourceEnv(), ...options };
  const app = await NestFactory.create(AvatarSourceModule.with(complete), { logger: ['error', 'warn'], abortOnError: false });
  app.getHttpAdapter().getInstance().disable('x-powered-by');
  app.use(createFaultMiddleware());
  app.useGlobalFilters(new RefusalFilter());
  app.enableShutdownHooks();
  return app;
}
