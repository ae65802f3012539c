import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Compiles this library for plain Node, below node_modules so that packages are found. Gives the folder and its removal. */
export async function compileSources(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const source = fileURLToPath(new URL('..', import.meta.url));
  const dir = fileURLToPath(new URL(`../../../../node_modules/.cache/crawler-spec-${process.pid}`, import.meta.url));
  for (const file of await readdir(source, { recursive: true })) {
    if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
    const { outputText } = ts.transpileModule(await readFile(join(source, file), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    const target = join(dir, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
  }
  await writeFile(join(dir, 'package.json'), '{"type":"module"}');
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
