import { Injectable } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { Admission } from './admission.js';

/**
 * Admits a request before the interceptors after this one read its body, and until its handler has ended: by its answer, an error, or a client
 * that has gone, at which reading its body fails.
 */
@Injectable()
export class AdmissionInterceptor implements NestInterceptor {
  constructor(private readonly admission: Admission) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(this.admission.admit(() => lastValueFrom(next.handle(), { defaultValue: undefined })));
  }
}
