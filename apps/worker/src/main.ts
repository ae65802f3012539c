import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createArtifactStore, createWorkArea } from '@caricature/artifacts';
import type { StageAssignment } from '@caricature/contracts';
import { COMMANDS } from './commands/index.js';
import { KeptLog } from './kept-log.js';
import { Reporter } from './reports/reporter.js';
import { EXIT, exitCodeOf, InterruptedError } from './stage.error.js';
import { createInput, runStage, scratchFolder } from './stage.js';
import { readWorkerEnvironment, type WorkerEnvironment } from './worker.env.js';

const USAGE = `worker STAGE --assignment FILE
  Runs one stage (${Object.keys(COMMANDS).join(', ')}) and reports to the controller.
  Exit codes: 0 done, 64 the resource asks for something impossible, 75 stopped at a checkpoint, 1 failed.`;

async function main(argv: string[]): Promise<number> {
  const [stage, flag, file] = argv;
  if (!stage || stage === '--help' || flag !== '--assignment' || !file || !(stage in COMMANDS)) {
    console.error(USAGE);
    return stage === '--help' ? 0 : EXIT.impossible;
  }
  const assignment = JSON.parse(await readFile(file, 'utf8')) as StageAssignment;
  const environment = readWorkerEnvironment();
  const abort = new AbortController();
  process.on('SIGTERM', () => abort.abort(new InterruptedError()));
  process.on('SIGINT', () => abort.abort(new InterruptedError()));
  const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
  const store = createArtifactStore(environment.artifactsUri);
  const { controllerUrl, tokenFile, spoolDir } = environment;
  const kept = environment.keepsLog ? new KeptLog([process.stdout, process.stderr]) : undefined;
  const reports = new Reporter({ controllerUrl, tokenFile, spoolDir, assignment }, () => {
    // Not even a checkpoint: the newer attempt's is there by now.
    log('a newer attempt has taken over: ending');
    process.exit(EXIT.interrupted);
  });
  const code = await run(assignment, environment, store, reports, abort.signal, log);
  if (code !== EXIT.succeeded) await kept?.keep(store, assignment);
  await reports.close();
  store.close?.();
  return code;
}

async function run(
  assignment: StageAssignment,
  { part, scratchDir: scratchRoot }: WorkerEnvironment,
  store: ReturnType<typeof createArtifactStore>,
  reports: Reporter,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<number> {
  try {
    const command = COMMANDS[assignment.stage as keyof typeof COMMANDS];
    const artifact = await runStage(command, {
      assignment,
      part,
      config: { ...assignment.config, ...assignment.pace },
      store,
      work: createWorkArea(store, assignment),
      scratchDir: scratchFolder(scratchRoot, assignment, part),
      signal,
      report: (item) => reports.add(item),
      unsentReports: () => reports.unsent(),
      flushReports: () => reports.flush(),
      log,
      input: createInput(store, assignment, join(scratchRoot, 'inputs')),
    });
    log(artifact ? `${assignment.stage} done: ${artifact.digest}` : `part ${part.index + 1} of ${part.of} of ${assignment.stage} done`);
    return EXIT.succeeded;
  } catch (caught) {
    const error = signal.aborted ? new InterruptedError() : (caught as Error & { code?: string; retryable?: boolean });
    const code = exitCodeOf(error);
    log(`${error.name}: ${error.message}`);
    if (code === EXIT.failed) console.error(error.stack);
    if (code !== EXIT.interrupted) reports.add({ type: 'failed', code: error.code ?? 'Failed', message: error.message, retryable: code !== EXIT.impossible });
    return code;
  }
}

process.exit(await main(process.argv.slice(2)));
