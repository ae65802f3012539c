import { ArtifactError } from '@caricature/artifacts';
import { fieldPath, InvalidResourceError } from '@caricature/contracts';
import { AlreadyExistsError, ConflictError, NotFoundError } from '@caricature/database';
import { isKubernetesError } from '@caricature/kubernetes';
import { ZodError } from 'zod';
import { CONTROLLER_STATUS, ControllerError } from '../controller.error.js';

/** RFC 9457. `code` is the stable name of the problem; `fields` names what is wrong in what was sent. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  fields?: { field: string; message: string }[];
}

/** The API server's answers that are the asker's to mend, or to wait out; the rest are between it and the controller. */
const KUBERNETES_STATUS: Record<string, number> = { AlreadyExists: 409, Conflict: 409, NotFound: 404, Invalid: 400, ServiceUnavailable: 503, Timeout: 503, TooManyRequests: 503, Unreachable: 503 };

const HTTP_CODES: Record<number, string> = { 400: 'InvalidRequest', 404: 'NotFound', 413: 'TooLarge', 415: 'UnsupportedMediaType' };

/** What is told of an error; of one that nobody foresaw, nothing but that it happened. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ControllerError) return aProblem(CONTROLLER_STATUS[error.code], error.code, error.message);
  if (error instanceof InvalidResourceError) return aProblem(400, error.code, error.message, error.fields);
  if (error instanceof ZodError) return invalidRequest(error);
  if (error instanceof NotFoundError) return aProblem(404, 'NotFound', error.message);
  if (error instanceof ConflictError) return aProblem(409, 'Conflict', error.message);
  if (error instanceof AlreadyExistsError) return aProblem(409, 'AlreadyExists', error.message);
  if (isKubernetesError(error)) return aProblem(KUBERNETES_STATUS[error.code] ?? 502, error.code, error.message);
  if (error instanceof ArtifactError) return aProblem(artifactStatus(error), error.code, error.message);
  const status = httpStatusOf(error);
  if (status !== undefined) return aProblem(status, HTTP_CODES[status] ?? 'RequestFailed', (error as Error).message);
  return aProblem(500, 'Internal', 'The controller failed at this request; its log says why.');
}

function invalidRequest(error: ZodError): Problem {
  const fields = error.issues.map((issue) => ({ field: fieldPath(issue.path), message: issue.message }));
  return aProblem(400, 'InvalidRequest', fields.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; '), fields);
}

function artifactStatus(error: ArtifactError): number {
  if (error.code === 'NotFound') return 404;
  if (error.code === 'InvalidName') return 400;
  return error.retryable ? 503 : 500;
}

/** Errors of the HTTP framework and its body parser carry the status of the client's mistake. */
function httpStatusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as { status?: unknown; getStatus?: () => number };
  const value = typeof status === 'number' ? status : undefined;
  return value !== undefined && value >= 400 && value < 500 ? value : undefined;
}

function aProblem(status: number, code: string, detail: string, fields?: Problem['fields']): Problem {
  const title = code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
  return { type: 'about:blank', title, status, code, detail, ...(fields ? { fields } : {}) };
}
