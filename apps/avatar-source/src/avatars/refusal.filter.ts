import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PortraitsError, type PortraitsErrorCode } from '@caricature/portraits';
import type { Response } from 'express';

const STATUS: Partial<Record<PortraitsErrorCode, number>> = { MISSING_PARAMETER: 400, UNKNOWN_PARAMETER: 400 };

/** Refuses as the old API did: a status and one line of text. */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  private readonly logger = new Logger('AvatarSource');

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (error instanceof PortraitsError) refuse(response, STATUS[error.code] ?? 404, error.message);
    else if (error instanceof HttpException) refuse(response, error.getStatus(), error.message);
    else {
      this.logger.error(error);
      refuse(response, 500, 'the avatar could not be drawn');
    }
  }
}

function refuse(response: Response, status: number, text: string): void {
  response.removeHeader('ETag');
  response.set('Cache-Control', 'no-store').status(status).type('text/plain').send(`${text}\n`);
}
