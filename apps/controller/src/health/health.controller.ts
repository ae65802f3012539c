import { Controller, Get, Inject } from '@nestjs/common';
import type { Database } from '@caricature/database';
import { ControllerError } from '../controller.error.js';
import { DATABASE } from '../controller.tokens.js';

@Controller()
export class HealthController {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @Get('healthz')
  live() {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready() {
    await this.database.ping().catch(() => {
      throw new ControllerError('NotReady', 'Postgres does not answer.');
    });
    return { status: 'ok' };
  }
}
