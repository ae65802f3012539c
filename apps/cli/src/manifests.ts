import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { findKind, KINDS, KIND_NAMES, parseResource, type Kind, type ResourceManifest } from '@caricature/contracts';
import { parseAllDocuments } from 'yaml';
import { CliError } from './cli.error.js';

/**
 * Reads YAML or JSON files with one or more resources each; `-` is standard input. Nothing is applied unless everything is well formed.
 * @throws CliError naming the file, the document and the field
 */
export async function readManifests(files: string[]): Promise<ResourceManifest[]> {
  const manifests = await Promise.all(files.map(readFileManifests));
  return manifests.flat();
}

async function readFileManifests(file: string): Promise<ResourceManifest[]> {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch((error: Error) => {
    throw new CliError('BadFile', `${file} cannot be read: ${error.message}`);
  });
  const documents = parseAllDocuments(content);
  const manifests: ResourceManifest[] = [];
  for (const [index, document] of (Array.isArray(documents) ? documents : []).entries()) {
    const [problem] = document.errors;
    if (problem) throw new CliError('BadFile', `${file}: ${problem.message}`);
    const value: unknown = document.toJS();
    if (value === null) continue;
    try {
      manifests.push(parseResource(withWholePaths(value, file === '-' ? '.' : dirname(file))));
    } catch (error) {
      throw new CliError('BadFile', `${file}, document ${index + 1}: ${(error as Error).message}`);
    }
  }
  if (manifests.length === 0) throw new CliError('BadFile', `${file} holds no resource`);
  return manifests;
}

/** `uri: file:photos` means the folder beside the resource's file: workers have another working directory. */
function withWholePaths(value: unknown, folder: string, key?: string): unknown {
  if (typeof value === 'string') return key === 'uri' && /^file:[^/]/.test(value) ? pathToFileURL(resolve(folder, decodeURIComponent(value.slice('file:'.length)))).href : value;
  if (Array.isArray(value)) return value.map((v) => withWholePaths(v, folder));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, withWholePaths(v, folder, name)]));
}

/** Reads `trun`, `crawljobs`, `trainingrun/faces`, … as a user writes them. */
export function parseTarget(kindOrPath: string, name?: string): { kind: Kind; name: string | undefined } {
  const [kindText = '', pathName] = kindOrPath.split('/');
  const kind = findKind(kindText);
  if (!kind) throw new CliError('BadArgument', `unknown kind ${kindText}: there are ${Object.keys(KINDS).map((k) => KIND_NAMES[k as Kind].join(', ')).join('; ')}`);
  return { kind, name: pathName ?? name };
}
