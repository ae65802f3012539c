import { ArtifactError } from './artifact.error.js';

/** Folder of a filesystem root that holds unfinished writes; no object may be named inside it. */
export const TEMPORARY_FOLDER = '.tmp';

/**
 * Gives the name back when it stays below a store's root on every kind of store.
 * @throws ArtifactError `InvalidName` for absolute names, `..`, empty parts, NUL and other control characters, backslashes.
 */
export function checkObjectName(name: string): string {
  const refuse = (reason: string): never => {
    throw new ArtifactError('InvalidName', `Object name ${JSON.stringify(name)} is refused: ${reason}.`);
  };
  if (name === '') refuse('it is empty');
  if (Buffer.byteLength(name) > 900) refuse('it is longer than 900 bytes');
  if (/[\u0000-\u001f\u007f\\]/.test(name)) refuse('it holds a backslash or a control character');
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) refuse('it is absolute');
  const parts = name.split('/');
  if (parts.some((part) => part === '..' || part === '.')) refuse('it holds . or ..');
  if (parts.some((part) => part === '')) refuse('it holds an empty part');
  if (parts[0] === TEMPORARY_FOLDER) refuse(`${TEMPORARY_FOLDER} is kept for unfinished writes`);
  return name;
}

/** As {@link checkObjectName}, but '' stands for the whole root and one closing slash is allowed. */
export function checkPrefix(prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return bare === '' && prefix === '' ? '' : checkObjectName(bare);
}

/** Whether an object lies at or below a prefix, which ends at a slash: `a` holds `a/b` and not `ab`. */
export function isBelow(name: string, prefix: string): boolean {
  return prefix === '' || name === prefix || name.startsWith(`${prefix}/`);
}
