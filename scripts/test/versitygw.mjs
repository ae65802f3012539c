// versitygw, the S3 server of the tests: one program, built once from the Go module proxy.
import path from 'node:path';
import { findOnPath } from '../setup/prerequisites.mjs';
import { cacheFolder } from './cache.mjs';
import { withGo } from './go.mjs';

export const VERSITYGW = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';

/** Where it is, or would be once installed. */
export const versitygw = () => path.join(cacheFolder(), 'bin/versitygw');

export const hasVersitygw = async () => (await findOnPath(versitygw())) !== undefined;

/** Installs it unless it is there. It needs no library of the machine, so it runs in any container too. */
export async function installVersitygw(log) {
  if (await hasVersitygw()) return;
  await withGo(log, (go) => {
    log('building the S3 server of the tests (1 to 3 min)');
    return go(['install', VERSITYGW], { env: { CGO_ENABLED: '0', GOBIN: path.dirname(versitygw()) } });
  });
}
