import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingRunSpec } from '@caricature/contracts';
import { FACE_MARGIN } from '@caricature/faces';
import { resolvePreset } from '@caricature/models/presets';
import { outputOf } from '../architectures.js';
import type { StageContext, StageOutput } from '../stage.js';

interface PublishConfig extends Pick<TrainingRunSpec, 'model' | 'pretrain' | 'seed'> {
  train: Partial<TrainingRunSpec['train']>;
  name: string;
}

/** Puts together what is served: the networks in TensorFlow.js' layers format, with a card that says where they come from. */
export async function publish(context: StageContext<PublishConfig>): Promise<StageOutput> {
  const { config, scratchDir } = context;
  const trained = await context.input('train');
  const evaluated = await context.input('evaluate');
  const dir = join(scratchDir, 'model');
  await mkdir(dir, { recursive: true });
  const { draws, trainedWith } = outputOf(config.model.architecture);
  for (const network of [...draws, ...trainedWith]) await cp(join(trained, network), join(dir, network), { recursive: true });
  await cp(join(evaluated, 'grid.png'), join(dir, 'grid.png'));
  const scores = JSON.parse(await readFile(join(evaluated, 'scores.json'), 'utf8')) as Record<string, unknown>;
  const { imageSize } = resolvePreset(config.model.preset, config.model);
  const card = { name: config.name, architecture: config.model.architecture, preset: config.model.preset, imageSize, margin: FACE_MARGIN, networks: draws, scores };
  await writeFile(join(dir, 'card.json'), JSON.stringify(card, null, 2));
  await writeFile(join(dir, 'model-card.md'), renderModelCard(context, imageSize, scores));
  const metrics = Object.fromEntries(Object.entries(scores).filter((e): e is [string, number] => typeof e[1] === 'number'));
  return { dir, metadata: { metrics, imageSize, preset: config.model.preset } };
}

function renderModelCard({ config, assignment }: StageContext<PublishConfig>, imageSize: number, scores: Record<string, unknown>): string {
  const rows = Object.entries(scores).filter(([, v]) => typeof v === 'number').map(([name, value]) => `| ${name} | ${(value as number).toFixed(4)} |`);
  const { description, networks, draws } = outputOf(config.model.architecture);
  const inputs = Object.entries(assignment.inputs).map(([stage, { digest }]) => `- ${stage}: \`${digest}\``);
  return `# ${config.name}

Turns a photo of a face into a cartoon avatar: ${description}. Input and
output: ${imageSize}×${imageSize}×3, scaled as x / 127.5 − 1.

- ${networks}
- TensorFlow.js layers format: \`tf.loadLayersModel('${draws[0]}/model.json')\`.

## Evaluation
Read on photos and avatars that no network was trained on.

| score | value |
| --- | --- |
${rows.join('\n')}

![photo, caricature, nearest avatar](grid.png)

## Made from
${inputs.join('\n')}

\`\`\`json
${JSON.stringify({ model: config.model, pretrain: config.pretrain, train: config.train, seed: config.seed }, null, 2)}
\`\`\`

## Licence and limits
The drawings that it learned from keep their own licence: see the avatar source's \`/licences.json\`. It has learned from the people it was
shown; on others it will miss traits that they lacked. Use it on photos of people who agree to it.
`;
}
