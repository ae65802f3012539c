// npm test: the rules, the types and every spec that this machine can run. Runs under the Node that the project brings.
import { access, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runForwarding } from '../setup/child.mjs';
import { setUp } from '../setup/setup.mjs';
import { lint } from './lint.mjs';
import { findTestTools, testPython } from './tools.mjs';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const REPORT = path.join(root, '.setup/test-report.json');

const HELP = `npm test [-- FILTER… | vitest options]
  Without arguments: the import rules, the types and every spec that this machine can run.
  With arguments: only the specs that vitest chooses by them. The last line is "N passed, N failed".`;

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) return console.log(HELP), 0;
  const whole = args.length === 0;
  const leftOut = whole ? [] : [{ what: 'the import rules, the types and the specs that do not match', why: 'arguments were given' }];
  const rules = whole ? await lint(root) : { passed: 0, failed: 0 };
  const { excluded, reasons, python } = await prepareTools();
  leftOut.push(...reasons);
  // The end-to-end specs start the product as a user does, from dist. A build that fails is one failure: the other specs still run.
  const built = await setUp({ root, log: (line) => console.log(line) }).then(() => 0, (error) => (console.log(`✗ build\n${error.message}`), 1));

  await mkdir(path.dirname(REPORT), { recursive: true });
  await rm(REPORT, { force: true });
  const vitest = [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root, '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const code = await runForwarding(process.execPath, [...vitest, ...args], { env: { ...python, CARICATURE_SPECS_LEFT_OUT: JSON.stringify(excluded), CI: '1' } });
  const specs = await readReport(code);
  return summarize({ rules, built, specs, leftOut, code });
}

/** Brings the tools that specs need; the specs whose tool cannot be had are excluded, with a reason for each tool. */
async function prepareTools() {
  const specs = await readSpecs();
  const excluded = [];
  const reasons = [];
  for (const tool of findTestTools()) {
    const users = specs.filter(({ text }) => tool.usedBy.test(text)).map(({ file }) => file);
    const problem = users.length > 0 ? await bring(tool) : undefined;
    if (problem === undefined) continue;
    excluded.push(...users);
    reasons.push({ what: users.join(', '), why: `${tool.name} is not there (${problem}). Mend: ${tool.mend}` });
  }
  const python = await access(testPython()).then(() => ({ CARICATURE_PYTHON: testPython() }), () => ({}));
  return { excluded, reasons, python };
}

/** What keeps a tool from being there, or undefined. */
async function bring(tool) {
  if (await tool.isThere()) return undefined;
  if (!tool.bring) return 'it is not installed';
  return tool.bring((line) => console.log(line)).then(() => undefined, (error) => error.message.trim().split('\n').at(-1));
}

async function readSpecs() {
  const found = [];
  for (const place of ['apps', 'libs', 'test']) {
    for (const entry of await readdir(path.join(root, place), { recursive: true, withFileTypes: true })) {
      if (!entry.name.endsWith('.spec.ts')) continue;
      const file = path.join(entry.parentPath, entry.name);
      found.push({ file: path.relative(root, file), text: await readFile(file, 'utf8') });
    }
  }
  return found;
}

/** What vitest counted. A spec file that could not even be loaded has no tests in the report: it counts as one failure. */
async function readReport(code) {
  const text = await readFile(REPORT, 'utf8').catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 1, files: 0, skipped: [], failures: [`vitest ended with ${code} and wrote no report`] };
  const report = JSON.parse(text);
  const tests = report.testResults.flatMap((file) => file.assertionResults.map((t) => ({ ...t, file: path.relative(root, file.name) })));
  const broken = report.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'));
  const failures = [...tests.filter((t) => t.status === 'failed').map((t) => `${t.file}: ${t.fullName}`), ...broken.map((f) => `${path.relative(root, f.name)}: ${firstLine(f.message)}`)];
  return {
    passed: tests.filter((t) => t.status === 'passed').length,
    failed: failures.length,
    files: report.testResults.length,
    skipped: tests.filter((t) => !['passed', 'failed'].includes(t.status)).map((t) => `${t.file}: ${t.fullName}`),
    failures,
  };
}

function summarize({ rules, built, specs, leftOut, code }) {
  const passed = rules.passed + specs.passed;
  // An error outside of any test fails vitest but no test.
  const outside = code !== 0 && specs.failed === 0 ? 1 : 0;
  const failed = rules.failed + built + specs.failed + outside;
  console.log(`\nRan: ${rules.passed + rules.failed} checks of rules and types, ${specs.passed + specs.failed} tests in ${specs.files} files.`);
  for (const failure of specs.failures) console.log(`Failed: ${failure}`);
  if (outside) console.log(`Failed: vitest ended with ${code} without a failing test; its output above says why`);
  for (const { what, why } of leftOut) console.log(`Left out: ${what}, because: ${why}`);
  for (const name of specs.skipped) console.log(`Left out: ${name}, because: the spec skips it`);
  if (leftOut.length + specs.skipped.length === 0) console.log('Nothing was left out.');
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

const firstLine = (text) => String(text ?? '').trim().split('\n')[0];

process.exit(await main(process.argv.slice(2)));
