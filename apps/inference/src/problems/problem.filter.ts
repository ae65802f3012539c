import { Catch, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { toProblem } from './problem.js';

const RETRY_AFTER_SECONDS = 1;

/** Answers every error as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const problem = toProblem(error);
    if (problem.code === 'Internal') this.logger.error(error instanceof Error ? error.stack : error);
    if (response.headersSent) return void response.destroy();
    if (problem.status === 503) response.set('Retry-After', String(RETRY_AFTER_SECONDS));
    if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
    // Clients of the Open Inference Protocol look for `error`.
    const body = request.path.startsWith('/v2') ? { ...problem, error: problem.detail } : problem;
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(body));
  }
}
