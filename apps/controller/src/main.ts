import { createController } from './create-controller.js';
import { readControllerEnv, type ControllerEnv } from './controller.env.js';

const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);

function explain(error: NodeJS.ErrnoException, env: ControllerEnv | undefined): string {
  if (error.code !== 'EADDRINUSE') return error.message;
  return `Port ${env?.port} at ${env?.host} is taken: stop what listens there, or choose another with PORT or --port.`;
}

let env: ControllerEnv | undefined;
try {
  env = readControllerEnv();
  const starting = createController(env, { log });
  let closing: Promise<void> | undefined;
  // Also while it is being started: what is up by then is stopped as well.
  const stop = (): void => {
    closing ??= starting.then(({ close }) => close()).then(
      () => process.exit(0),
      (error: unknown) => {
        log(`stopping: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  // Asked once more by whoever does not want to wait: a lost parent is told of by a SIGTERM too, so that alone is no haste.
  process.on('SIGINT', () => (closing ? void starting.then(({ hurry }) => hurry()) : stop()));
  process.on('disconnect', stop);
  if (process.send && !process.connected) stop(); // the parent left before
  const { url } = await starting;
  log(`listening at ${url}`);
  process.send?.({ ready: true, url });
} catch (error) {
  process.stderr.write(`${explain(error as NodeJS.ErrnoException, env)}\n`);
  process.exit(1);
}
