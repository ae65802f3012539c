import { Controller, Get, Inject } from '@nestjs/common';
import type { Database } from '@caricature/database';
import { ControllerError } from '../controller.error.js';
import { DATABASE, PLATFORM } from '../controller.tokens.js';
import type { Platform } from '../platform/platform.js';

@Controller()
export class HealthController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(PLATFORM) private readonly platform: Platform,
  ) {}

  @Get('healthz')
  live() {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready() {
    await this.database.ping().catch(() => {
      throw new ControllerError('NotReady', 'Postgres does not answer.');
    });
    const problems = this.platform.problems();
    if (problems.length > 0) throw new ControllerError('NotReady', problems.join('; '));
    return { status: 'ok' };
  }
}
