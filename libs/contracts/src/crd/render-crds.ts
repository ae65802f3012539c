import { API_VERSION, resourceName } from '../common.js';
import { crawlJobSpec } from '../crawl-job.js';
import { trainingRunSpec } from '../training-run.js';
import { KIND_NAMES, type Kind } from '../validation.js';
import { immutabilityRules } from './cel-rules.js';
import { CrdRenderingError, type OpenApiSchema } from './openapi.js';
import { crawlJobStatusSchema, trainingRunStatusSchema } from './status-schema.js';
import { structuralSchema } from './structural-schema.js';

interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'date';
  jsonPath: string;
  description?: string;
  priority?: number;
}

/** A CustomResourceDefinition (apiextensions.k8s.io/v1) as a plain object; it is kept in the file `crds/<metadata.name>.yaml`. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    scope: 'Namespaced';
    names: { kind: Kind; listKind: string; plural: string; singular: string; shortNames: string[]; categories: string[] };
    versions: {
      name: string;
      served: true;
      storage: true;
      subresources: { status: Record<string, never> };
      additionalPrinterColumns: PrinterColumn[];
      selectableFields: { jsonPath: string }[];
      schema: { openAPIV3Schema: OpenApiSchema };
    }[];
  };
}

const RUNNING = '.status.stages[?(@.state=="Running")]';
const PHASE: PrinterColumn = { name: 'Phase', type: 'string', jsonPath: '.status.phase' };
const STAGE: PrinterColumn = { name: 'Stage', type: 'string', jsonPath: `${RUNNING}.name`, description: 'The stage that is running' };
const STEP: PrinterColumn = { name: 'Step', type: 'integer', jsonPath: `${RUNNING}.progress.step` };
const ETA: PrinterColumn = { name: 'ETA', type: 'integer', jsonPath: `${RUNNING}.progress.etaSeconds`, description: 'Seconds until the running stage ends' };
const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const LOSS: PrinterColumn = { name: 'Loss', type: 'number', jsonPath: `${RUNNING}.metrics['g','loss','d']`, description: "The generator's loss, or the one that the stage has" };
const IMAGES: PrinterColumn = { name: 'Images', type: 'integer', jsonPath: '.status.progress.images' };

/** The definitions of both kinds, from the same schemas that check a manifest. */
export function renderCrds(): CustomResourceDefinition[] {
  return [
    definition('CrawlJob', structuralSchema(crawlJobSpec), crawlJobStatusSchema, [PHASE, STAGE, STEP, IMAGES, ETA, AGE]),
    definition('TrainingRun', structuralSchema(trainingRunSpec), trainingRunStatusSchema, [PHASE, STAGE, STEP, LOSS, ETA, AGE]),
  ];
}

function definition(kind: Kind, spec: OpenApiSchema, status: OpenApiSchema, columns: PrinterColumn[]): CustomResourceDefinition {
  const [group, version] = API_VERSION.split('/');
  const [singular, plural, ...shortNames] = KIND_NAMES[kind];
  if (!group || !version || !singular || !plural) throw new CrdRenderingError(`${kind} needs a group, a version, a singular and a plural name`);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['caricature'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          selectableFields: [{ jsonPath: '.status.phase' }],
          schema: { openAPIV3Schema: rootSchema(spec, status) },
        },
      ],
    },
  };
}

function rootSchema(spec: OpenApiSchema, status: OpenApiSchema): OpenApiSchema {
  const rules = [...(spec['x-kubernetes-validations'] ?? []), ...immutabilityRules(spec)];
  return {
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', maxLength: 317 },
      kind: { type: 'string', maxLength: 63 },
      metadata: { type: 'object', properties: { name: structuralSchema(resourceName) } },
      spec: { ...spec, 'x-kubernetes-validations': rules },
      status,
    },
  };
}
