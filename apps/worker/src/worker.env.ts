import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  };
}
