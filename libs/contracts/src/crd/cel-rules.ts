import type { z } from 'zod';
import { immutableChanges } from '../validation.js';
import { FOLDER_URI, LOSS_WEIGHTS } from '../training-run.js';
import { CrdRenderingError, type CelRule, type OpenApiSchema } from './openapi.js';

/** The cross-field rules of the zod schemas in CEL, by the message of the `refine`: message and field are read from zod, so the two cannot differ. */
const CEL_BY_MESSAGE: Record<string, string> = {
  'to must not be below from': 'self.to >= self.from',
  'exactly one of url, inline and discover must be set': '[has(self.url), has(self.inline), has(self.discover)].filter(isSet, isSet).size() == 1',
  'is needed by the Legacy API': "self.api != 'Legacy' || has(self.template)",
  'is needed to discover a catalog': '!has(self.catalog) || !has(self.catalog.discover) || has(self.knownGood)',
  'a folder is given with its whole path (file:///…), where %25 stands for a percent sign and %2F may not be': `!self.startsWith('file:') || self.matches('${FOLDER_URI}')`,
  'exactly one of photos and dataset must be set': 'has(self.photos) != has(self.dataset)',
  'exactly one of crawlJobRef, images and dataset must be set': '[has(self.crawlJobRef), has(self.images), has(self.dataset)].exists_one(way, way)',
  'must be a multiple of 16 for the preset faces-64 and of 8 for the others: the networks halve the image that often':
    "!has(self.imageSize) || self.imageSize % (self.preset == 'faces-64' ? 16 : 8) == 0",
  'Joint trains f along with the DTN: only the architecture DTN has one': "self.train.mode == 'Frozen' || self.model.architecture == 'DTN'",
  'DTN takes gan, const, tid and tv; Pix2Pix takes gan and l1; CycleGAN takes gan, cycle and identity': weightsRule(),
  'a Classifier draws nothing that could be served: leave it out': "self.model.architecture != 'Classifier' || !has(self.publish)",
  'is needed by this architecture': "self.model.architecture == 'Classifier' || has(self.target)",
};

function weightsRule(): string {
  const all = [...new Set(Object.values(LOSS_WEIGHTS).flat())];
  const rules = Object.entries(LOSS_WEIGHTS).map(([architecture, own]) => {
    const others = all.filter((name) => !own.includes(name)).map((name) => `!has(self.train.weights.${name})`);
    return `(self.model.architecture == '${architecture}' && ${others.join(' && ')})`;
  });
  return `!has(self.train.weights) || ${rules.join(' || ')}`;
}

/**
 * The CEL rules that say what the `refine`s of a zod schema say.
 * @throws CrdRenderingError when a rule has no CEL in the table above.
 */
export function refinementRules(schema: z.core.$ZodType): CelRule[] {
  return (schema._zod.def.checks ?? []).flatMap((check) => {
    const def = check._zod.def as z.core.$ZodCheckDef & { path?: PropertyKey[] };
    if (def.check !== 'custom') return [];
    const message = messageOf(def);
    const rule = CEL_BY_MESSAGE[message];
    if (rule === undefined) throw new CrdRenderingError(`The rule "${message}" has no CEL: add it to crd/cel-rules.ts`);
    return [{ rule, message, ...(def.path?.length ? { fieldPath: `.${def.path.join('.')}` } : {}) }];
  });
}

function messageOf(def: z.core.$ZodCheckDef): string {
  const issue = def.error?.({ code: 'custom', input: undefined, path: [], message: '' } as never);
  return (typeof issue === 'string' ? issue : issue?.message) ?? '';
}

/** One rule a field of a spec, however deep: it is as it was. What may change is what `immutableChanges` lets through. */
export function immutabilityRules(schema: OpenApiSchema, path: string[] = []): CelRule[] {
  if (path.length > 0 && mayChange(path)) return [];
  if (schema.properties) return Object.entries(schema.properties).flatMap(([name, child]) => immutabilityRules(child, [...path, name]));
  return [{ rule: `${valueIn('self', path)} == ${valueIn('oldSelf', path)}`, message: 'is immutable', fieldPath: `.${path.join('.')}` }];
}

/** The value as a list of one, or an empty list where it is not there: a rule on the field itself would not be run when it is added or taken away. */
function valueIn(self: string, path: string[]): string {
  const steps = path.map((_, index) => [self, ...path.slice(0, index + 1)].join('.'));
  return `(${steps.map((step) => `has(${step})`).join(' && ')} ? [${steps.at(-1)}] : [])`;
}

function mayChange(path: string[]): boolean {
  const specWith = (value: number): never => path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as never;
  return immutableChanges(specWith(1), specWith(2)).length === 0;
}
