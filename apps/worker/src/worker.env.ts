import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StagePart } from './stage.js';

export interface WorkerEnvironment {
  controllerUrl: string;
  artifactsUri: string;
  /** Holds the token to show the controller; it is replaced before it expires. */
  tokenFile: string;
  /** Where reports wait while the controller is away. */
  spoolDir: string;
  /** Where artifacts from a remote store are kept and outputs are built. */
  scratchDir: string;
  /** Put the log beside the artifacts when the stage does not end well: where this runs, it goes with the pod. */
  keepsLog: boolean;
  /** Which of the processes that share the stage this is. */
  part: StagePart;
}

/** Reads what the pod driver gave this process. */
export function readWorkerEnvironment(): WorkerEnvironment {
  const need = (name: string): string => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: a worker is started by the controller, not by hand`);
    return value;
  };
  return {
    controllerUrl: need('CARICATURE_CONTROLLER_URL'),
    artifactsUri: need('CARICATURE_ARTIFACTS_URI'),
    tokenFile: need('CARICATURE_TOKEN_FILE'),
    spoolDir: need('CARICATURE_SPOOL'),
    scratchDir: process.env['CARICATURE_SCRATCH'] ?? join(tmpdir(), 'caricature'),
    keepsLog: process.env['CARICATURE_KEEP_LOG'] === 'true',
    part: readPart(need),
  };
}

/** Kubernetes numbers the pods of an Indexed Job; elsewhere a stage is one process. */
function readPart(need: (name: string) => string): StagePart {
  const of = Number(process.env['CARICATURE_PARTS'] ?? 1);
  const index = of === 1 ? 0 : Number(need('JOB_COMPLETION_INDEX'));
  if (!Number.isInteger(of) || !Number.isInteger(index) || index < 0 || index >= of) {
    throw new Error(`JOB_COMPLETION_INDEX ${index} is none of the parts from 0 that CARICATURE_PARTS ${of} gives: a worker is started by the controller, not by hand`);
  }
  return { index, of };
}
