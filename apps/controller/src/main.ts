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
  const { url, close } = await createController(env, { log });
  let closing: Promise<void> | undefined;
  const stop = (): void => {
    closing ??= close().then(
      () => process.exit(0),
      (error: unknown) => {
        log(`stopping: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  for (const event of ['SIGTERM', 'SIGINT'] as const) process.on(event, stop);
  process.on('disconnect', stop);
  if (process.send && !process.connected) stop(); // the parent left while everything was being started
  log(`listening at ${url}`);
  process.send?.({ ready: true, url });
} catch (error) {
  process.stderr.write(`${explain(error as NodeJS.ErrnoException, env)}\n`);
  process.exit(1);
}
