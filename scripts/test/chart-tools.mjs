// What the specs of the Helm chart need: Helm, Prometheus, and a check of dashboards against Grafana's schema.
import path from 'node:path';
import { bringBinaries, locateBinaries } from '../../test/cluster/binaries.mjs';
import { fingerprint } from '../setup/fingerprint.mjs';
import { findOnPath } from '../setup/prerequisites.mjs';
import { cacheFolder } from './cache.mjs';
import { withGo } from './go.mjs';

const GRAFANA_CHECK = path.join(import.meta.dirname, '../../test/charts/grafana');

/** The program that checks dashboards: a new one for every change of its source. */
export async function grafanaCheckPath() {
  const sources = (await fingerprint(GRAFANA_CHECK, ['main.go', 'go.mod', 'go.sum'])).slice(0, 8);
  return path.join(cacheFolder(), 'bin', `grafana-check-${sources}`);
}

/** As `findTestTools`. */
export function findChartTools() {
  return [
    {
      name: 'Helm',
      isThere: async () => (await findOnPath((await locateBinaries()).helm)) !== undefined || (await findOnPath('helm')) !== undefined,
      bring: (log) => bringBinaries({ log }),
      mend: 'install Helm 3, or let npm test reach the Go module proxy',
      usedBy: /\/chart\.js'/,
    },
    { name: 'Prometheus with promtool', isThere: async () => (await findOnPath('promtool')) !== undefined, mend: 'apt-get install prometheus', usedBy: /\/prometheus\.js'/ },
    {
      name: "a check against Grafana's schema",
      isThere: async () => (await findOnPath(await grafanaCheckPath())) !== undefined,
      bring: buildGrafanaCheck,
      mend: 'let npm test reach the Go module proxy',
      usedBy: /grafana\.env\.js'/,
    },
  ];
}

async function buildGrafanaCheck(log) {
  const out = await grafanaCheckPath();
  await withGo(log, (go) => {
    log("building the check against Grafana's schema (half a minute)");
    return go(['build', '-trimpath', '-o', out, '.'], { cwd: GRAFANA_CHECK, env: { CGO_ENABLED: '0' } });
  });
}
