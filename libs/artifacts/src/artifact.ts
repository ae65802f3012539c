import { ArtifactCorruptError, ArtifactError } from './artifact.error.js';
import { sha256 } from './digest.js';
import { checkObjectName } from './object-name.js';

/** The commit marker: an artifact exists from the moment this object does. */
export const ARTIFACT_MARKER = 'artifact.json';

/** A file of an artifact. `object` is where it lies below the artifact's prefix, when not at `path`. */
export interface ArtifactFile {
  path: string;
  sha256: string;
  bytes: number;
  object?: string;
}

/** Names an artifact: the stage that made it and the key of its configuration and inputs. */
export interface ArtifactRef {
  stage: string;
  key: string;
}

/** A published folder. `digest` names its content, `from` the digests of the artifacts it was made of. */
export interface Artifact extends ArtifactRef {
  digest: string;
  files: ArtifactFile[];
  from: string[];
  /** RFC 3339 */
  createdAt: string;
  metadata: Record<string, unknown>;
}

/** Where an artifact lies below its store's root. */
export function artifactPrefix({ stage, key }: ArtifactRef): string {
  for (const [what, part] of [['stage', stage], ['key', key]] as const) {
    if (part.includes('/')) throw new ArtifactError('InvalidName', `The ${what} ${JSON.stringify(part)} is refused: it holds a slash.`);
  }
  return checkObjectName(`${stage}/${key}`);
}

/** Object name of one file of an artifact, for reading it without the rest. Throws `NotFound`. */
export function artifactObject(artifact: Artifact, path: string): { name: string; sha256: string; bytes: number } {
  const file = artifact.files.find((candidate) => candidate.path === path);
  if (!file) throw new ArtifactError('NotFound', `Artifact ${artifactPrefix(artifact)} has no file ${path}.`);
  return { name: `${artifactPrefix(artifact)}/${file.object ?? file.path}`, sha256: file.sha256, bytes: file.bytes };
}

/** SHA-256 over the canonical JSON of the files' paths and digests: equal content, equal digest, wherever it lies. */
export function digestOfFiles(files: readonly ArtifactFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return sha256(JSON.stringify(sorted.map(({ path, sha256: digest }) => ({ path, sha256: digest }))));
}

/** Reads a commit marker. Throws ArtifactCorruptError when it is not one, or does not fit itself or its place. */
export function parseArtifact(name: string, content: Buffer, ref: ArtifactRef): Artifact {
  const corrupt = (reason: string) => new ArtifactCorruptError(name, reason);
  let parsed: Artifact;
  try {
    parsed = JSON.parse(content.toString()) as Artifact;
  } catch {
    throw corrupt('it is not JSON');
  }
  if (!Array.isArray(parsed?.files) || !Array.isArray(parsed.from) || typeof parsed.digest !== 'string') throw corrupt('it is no artifact marker');
  if (parsed.stage !== ref.stage || parsed.key !== ref.key) throw corrupt(`it is of ${parsed.stage}/${parsed.key}`);
  for (const file of parsed.files) {
    if (typeof file?.path !== 'string' || typeof file.sha256 !== 'string' || typeof file.bytes !== 'number') throw corrupt('a file in it lacks path, sha256 or bytes');
    checkObjectName(file.path);
    if (file.object !== undefined) checkObjectName(file.object);
  }
  if (digestOfFiles(parsed.files) !== parsed.digest) throw corrupt('its digest is not that of its files');
  return parsed;
}
