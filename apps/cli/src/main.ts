import { Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCliEnvironment } from './cli.env.js';
import { CliError } from './cli.error.js';
import { renderCrdFiles } from './commands/crd.js';
import { follow, waitFor } from './commands/follow.js';
import { start, type StartOptions } from './commands/start.js';
import { ControllerClient } from './controller-client.js';
import { parseTarget, readManifests } from './manifests.js';
import { LiveView } from './rendering/live-view.js';
import { currentStage, describeResource, resourceTable } from './rendering/resources.js';

const environment = readCliEnvironment();
const out = (text: string) => void process.stdout.write(text);
const stop = new AbortController();
const hurry = new AbortController();

interface Global {
  url: string;
  namespace: string;
}

const program = new Command('caricature')
  .description('Turns photographs of people into cartoon avatars that still look like them: the same verbs as kubectl, for a machine with no cluster.')
  .option('--url <url>', "the controller's address", environment.controllerUrl)
  .option('-n, --namespace <name>', 'the resources’ namespace', 'default')
  .showHelpAfterError()
  .configureHelp({ showGlobalOptions: true });

const connect = () => new ControllerClient(program.opts<Global>().url, environment.token);
const target = (kind: string, name?: string) => {
  const parsed = parseTarget(kind, name);
  if (!parsed.name) throw new CliError('BadArgument', `name the resource: ${kind}/NAME`);
  return { kind: parsed.kind, name: parsed.name, namespace: program.opts<Global>().namespace };
};

program
  .command('start')
  .description('run the whole main job on embedded defaults, then keep serving (npm start)')
  .option('--once', 'end when the job has ended, with exit code 0 only if it succeeded')
  .option('-f, --file <files...>', 'run these resources in place of the demonstration')
  .option('--result <file>', 'write the finished resources with their status as a JSON array')
  .option('--photos <dir>', 'your own photos, a folder a person, in place of the drawn people')
  .option('--home <dir>', 'where everything is kept', environment.home)
  .option('--port <port>', "the controller's and web page's port", parsePort, 3000)
  .option('--inference-port <port>', "the inference API's port", parsePort, 3100)
  .option('--avatar-port <port>', "the avatar source's port", parsePort, 4010)
  .action(async (options: StartOptions) => {
    process.exitCode = await start(options, environment, out, { stop: stop.signal, hurry: hurry.signal });
  });

program
  .command('apply')
  .description('create or change resources')
  .requiredOption('-f, --file <files...>', 'YAML files; - is standard input')
  .action(async ({ file }: { file: string[] }) => {
    for (const manifest of await readManifests(file)) {
      const { result } = await connect().apply(manifest);
      out(`${manifest.kind.toLowerCase()}/${manifest.metadata.name} ${result}\n`);
    }
  });

program
  .command('get <kind> [name]')
  .description('list resources, or show one')
  .addOption(new Option('-o, --output <format>', 'how it is shown').choices(['table', 'json', 'yaml']).default('table'))
  .option('-w, --watch', 'follow until all have ended')
  .action(async (kind: string, name: string | undefined, { output, watch }: { output: string; watch?: boolean }) => {
    const wanted = parseTarget(kind, name);
    const { namespace } = program.opts<Global>();
    const client = connect();
    const resources = wanted.name ? [await client.get(wanted.kind, namespace, wanted.name)] : await client.list(wanted.kind, namespace);
    const shown = wanted.name ? resources[0] : resources;
    if (output === 'json') out(`${JSON.stringify(shown, null, 2)}\n`);
    else if (output === 'yaml') out(stringify(shown));
    else if (resources.length === 0) out(`no ${wanted.kind} in namespace ${namespace}\n`);
    else out(`${resourceTable(resources, Date.now())}\n`);
    if (watch && resources.length > 0) {
      const targets = resources.map((r) => ({ kind: r.kind, namespace, name: r.metadata.name }));
      await follow(client, targets, new LiveView(environment.interactive, out), stop.signal);
    }
  });

program
  .command('describe <kind> [name]')
  .description('everything about a resource: conditions, stages, metrics, events')
  .action(async (kind: string, name?: string) => {
    const { kind: k, namespace, name: n } = target(kind, name);
    const client = connect();
    const resource = await client.get(k, namespace, n);
    out(`${describeResource(resource, await client.events(resource), Date.now())}\n`);
  });

program
  .command('logs <kind> [name]')
  .description("a stage's log")
  .option('--stage <stage>', 'the stage; the current one if left out')
  .option('--attempt <number>', 'the attempt; the last one if left out')
  .action(async (kind: string, name: string | undefined, options: { stage?: string; attempt?: string }) => {
    const { kind: k, namespace, name: n } = target(kind, name);
    const client = connect();
    const resource = await client.get(k, namespace, n);
    const stage = options.stage ?? currentStage(resource)?.name;
    if (!stage) throw new CliError('NotFound', `${n} has begun no stage yet`);
    out(await client.log(resource, stage, options.attempt ? Number(options.attempt) : undefined));
  });

program
  .command('delete <kind> [name]')
  .description('stop a resource’s jobs and remove it; its artifacts stay for other runs, unless its spec.deletionPolicy is Delete')
  .action(async (kind: string, name?: string) => {
    const { kind: k, namespace, name: n } = target(kind, name);
    await connect().delete(k, namespace, n);
    out(`${k.toLowerCase()}/${n} deleted\n`);
  });

program
  .command('wait <kind> [name]')
  .description('wait until a resource has a condition')
  .option('--for <condition>', 'condition=TYPE[=STATUS], or delete', 'condition=Succeeded')
  .option('--timeout <seconds>', 'how long', '3600')
  .action(async (kind: string, name: string | undefined, options: { for: string; timeout: string }) => {
    const wanted = target(kind, name);
    await waitFor(connect(), wanted, options.for, Number(options.timeout) * 1000, stop.signal);
    out(`${wanted.kind.toLowerCase()}/${wanted.name} ${options.for} met\n`);
  });

program
  .command('crd')
  .description('print the Kubernetes definitions of the resources, or write them to crds/')
  .option('--write [dir]', 'write them there', false)
  .action(async ({ write }: { write: string | boolean }) => {
    const files = renderCrdFiles();
    if (write === false) return out(files.map((f) => f.text).join('---\n'));
    const dir = write === true ? 'crds' : (write as string);
    await mkdir(dir, { recursive: true });
    for (const { name, text } of files) await writeFile(join(dir, name), text);
    out(files.map((f) => `${join(dir, f.name)}\n`).join(''));
  });

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('a port is a number from 1 to 65535.');
  return port;
}

/** Asked once, a command ends in order; twice, at once; a third time, whatever it leaves behind. */
function interrupt(): void {
  const next = [stop, hurry].find((controller) => !controller.signal.aborted);
  if (!next) process.exit(130);
  next.abort();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

try {
  await program.parseAsync();
} catch (error) {
  if (!stop.signal.aborted) process.stderr.write(`error: ${isForTheUser(error) ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}

/** Errors of this project, and of the system, tell what to do; whatever else is thrown is a fault, and its stack helps to mend it. */
function isForTheUser(error: unknown): error is Error {
  return error instanceof Error && ('retryable' in error || 'syscall' in error);
}
