import { renderCrds } from '@caricature/contracts';
import { stringify } from 'yaml';

/** The resources' Kubernetes definitions, each with the name of its file in `crds/`. */
export function renderCrdFiles(): { name: string; text: string }[] {
  return renderCrds().map((crd) => ({
    name: `${crd.metadata.name}.yaml`,
    text: `# Rendered from libs/contracts by \`npx caricature crd --write\`: change the schemas there.\n${stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false })}`,
  }));
}
