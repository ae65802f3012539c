#!/usr/bin/env node
// The one command of the project: sets the clone up, then runs what was asked for under the Node that the project brings.
// It runs on any Node from 18 and, until the dependencies are installed, imports nothing but Node's own modules.
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runForwarding } from './setup/child.mjs';
import { diagnose } from './setup/doctor.mjs';
import { node24Path } from './setup/node24.mjs';
import { setUp } from './setup/setup.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const HELP = `caricature COMMAND [options]        (npx caricature COMMAND, or npm start, npm test)

On one machine, with everything embedded:
  start [--once] [-f FILE…] [--photos DIR] [--result FILE]   run the demonstration, or the resources of FILE, and serve the model
  apply -f FILE…             create or change resources (CrawlJob, TrainingRun)
  get KIND [NAME] [-o yaml]  list resources, or show one
  describe KIND NAME         show a resource with its stages and events
  logs KIND NAME [--stage S] show what a stage wrote
  wait KIND NAME             wait until a resource has succeeded
  delete KIND NAME           delete a resource and stop its stages
  crd                        print the Kubernetes definitions of the resources

This clone:
  setup                      install what is missing and build; quick when nothing changed
  doctor [--gpu]             check the machine and the clone, and say the mend for whatever is missing
  test [FILTER…]             rules, types and tests; a filter runs only the specs whose path contains it
  lint                       the rules on who may import whom, and the types
  bench NAME [--json]        measure, side by side with others

COMMAND --help tells more.`;

// What needs more than set-up and the built command line.
const SCRIPTS = { test: 'scripts/test/test.mjs', lint: 'scripts/test/lint.mjs', bench: 'scripts/bench.mjs' };

async function main([command, ...rest]) {
  if (Number(process.versions.node.split('.')[0]) < 18) throw new Error(`Node ${process.versions.node} is too old: install Node 18 or newer (Debian: apt-get install nodejs npm)`);
  if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
    console.log(HELP);
    return command === undefined ? 64 : 0;
  }
  if (command === 'doctor') return diagnose({ root, args: rest, print: console.log });
  // Progress goes to standard error: standard output belongs to the command, so that `get -o json` can be piped.
  // A benchmark measures what users run: the built programs.
  await setUp({ root, log: (line) => console.error(line), build: command === 'bench' || !(command in SCRIPTS) });
  if (command === 'setup') return 0;
  const program = SCRIPTS[command] ? [SCRIPTS[command], ...rest] : ['dist/apps/cli/src/main.js', command, ...rest];
  return runForwarding(node24Path(root), [path.join(root, program[0]), ...program.slice(1)], { endsWithUs: true });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(`caricature: ${error.message}`);
    process.exit(1);
  },
);
