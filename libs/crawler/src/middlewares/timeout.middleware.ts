import { RequestFailure, type Middleware } from '../request.js';

/** Ends a request, its body included, that takes longer. */
export function timeout(timeoutMs: number): Middleware {
  return (next) => async (request) => {
    const late = AbortSignal.timeout(timeoutMs);
    const signal = request.signal ? AbortSignal.any([request.signal, late]) : late;
    try {
      return await next({ ...request, signal });
    } catch (error) {
      if (late.aborted && !request.signal?.aborted) throw new RequestFailure('timeout', `${request.url} did not answer within ${timeoutMs / 1000} s`);
      throw error;
    }
  };
}
