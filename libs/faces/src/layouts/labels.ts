import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CollectionError } from '../collection.error.js';
import { addPhoto, insidePath } from './listing.js';
import type { Listing } from './listing.js';

const LABELS = 'labels.csv';

/** `labels.csv` with the header `file,name`: a photo's path in the folder, and who is on it (quoted if it has a comma). */
export async function listLabels(dir: string): Promise<Listing> {
  const text = await readFile(join(dir, LABELS), 'utf8').catch((cause: Error) => {
    throw new CollectionError('LabelsUnreadable', `${dir} has no readable ${LABELS}; write one with the header "file,name" and a line a photo.`, { cause });
  });
  const [header, ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (header?.trim() !== 'file,name') {
    throw new CollectionError('LabelsUnreadable', `${LABELS} must begin with the line "file,name", not "${header?.slice(0, 80)}".`);
  }
  const listing: Listing = new Map();
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [file, name, ...rest] = parseLine(line);
    if (!file || !name || rest.length > 0) {
      throw new CollectionError('LabelsUnreadable', `${LABELS} line ${index + 2} is not "file,name": ${line.slice(0, 80)}`);
    }
    addPhoto(listing, name, insidePath(LABELS, file));
  }
  return listing;
}

/** One CSV line (RFC 4180, without line breaks inside quotes) → its fields. */
function parseLine(line: string): string[] {
  const fields = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...fields].map(([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain ?? '').trim());
}
