import { promises as fs } from 'node:fs';
import path from 'node:path';
import { saveNetwork } from '../export/layers-model.js';
import type { Network } from '../layers/network.js';
import type { BestWeights } from './best-weights.js';

/**
 * Writes the networks that the settings select into `outputDir`, a folder each, and the others beside them under `best/` or `last/`;
 * `selection.json` says which is which. The networks hold the best weights afterwards.
 */
export async function exportSelected(networks: Record<string, Network>, best: BestWeights, keep: 'last' | 'best', outputDir: string): Promise<void> {
  const save = async (...under: string[]) => {
    for (const [name, network] of Object.entries(networks)) await saveNetwork(network, path.join(outputDir, ...under, name));
  };
  const { found } = best;
  await (found && keep === 'best' ? save('last') : save());
  if (found) {
    best.apply();
    await (keep === 'best' ? save() : save('best'));
  }
  await fs.writeFile(path.join(outputDir, 'selection.json'), JSON.stringify({ keep: found ? keep : 'last', best: found ?? null }));
}
