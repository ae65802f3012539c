import { crawlJob, report, trainingRun } from '@caricature/contracts';
import { z } from 'zod';
import { aliasTarget } from '../request.js';

type Schema = Record<string, unknown>;
interface Route {
  summary: string;
  body?: string;
  query?: string[];
  answer?: string;
}

const NAMED = '/api/v1/resources/{kind}/{namespace}/{name}';

/** Every route: `METHOD path`, with the parameters in braces. */
const ROUTES: Record<string, Route> = {
  'GET /api/v1/resources': { summary: 'The custom resources, oldest first', query: ['kind', 'namespace'] },
  'POST /api/v1/resources': { summary: 'Creates a resource, or changes what may be changed of it', body: 'Resource' },
  [`GET ${NAMED}`]: { summary: 'One resource with its status' },
  [`DELETE ${NAMED}`]: { summary: 'Stops the jobs of a resource and deletes it' },
  [`GET ${NAMED}/events`]: { summary: 'Its events, latest first' },
  [`GET ${NAMED}/history`]: { summary: 'Its transitions, oldest first' },
  [`GET ${NAMED}/logs`]: { summary: 'The log of one attempt at a stage: the newest unless told', query: ['stage', 'attempt'], answer: 'text/plain' },
  'GET /api/v1/runs/{uid}/attempts': { summary: "The attempts at a resource's stages" },
  'GET /api/v1/runs/{uid}/metrics': { summary: 'Its series, downsampled', query: ['stage', 'names', 'maxPoints', 'fromStep', 'toStep'] },
  'GET /api/v1/runs/{uid}/samples': { summary: 'Its sample grids, by step' },
  'GET /api/v1/runs/{uid}/samples/{step}.png': { summary: 'One sample grid', answer: 'image/png' },
  'GET /api/v1/runs/{uid}/stream': { summary: 'Its reports as they come in, as server-sent events', answer: 'text/event-stream' },
  'GET /api/v1/artifacts/{digest}': { summary: 'An artifact and the files in it' },
  'GET /api/v1/artifacts/{digest}/lineage': { summary: 'Everything that an artifact was made from' },
  'GET /api/v1/artifacts/{digest}/files/{path}': { summary: 'One file of an artifact', answer: 'application/octet-stream' },
  'GET /api/v1/models': { summary: 'The published models' },
  'GET /api/v1/models/{name}': { summary: 'One model with its versions' },
  'GET /api/v1/models/{name}/aliases/{alias}': { summary: 'The version that an alias points at' },
  'PUT /api/v1/models/{name}/aliases/{alias}': { summary: 'Points an alias at a version', body: 'AliasTarget' },
  'POST /api/v1/reports': { summary: 'A worker tells what its stage does; its own token is needed', body: 'Report' },
};

const schemaOf = (schema: z.ZodType): Schema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Schema;
  return rest;
};

/** The API as OpenAPI 3.1, made from the schemas that requests are checked with. */
export function createOpenApi(): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const [route, description] of Object.entries(ROUTES)) {
    const [method, path] = route.split(' ') as [string, string];
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(path, description) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Caricature controller', version: 'v1alpha1' },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        CrawlJob: schemaOf(crawlJob),
        TrainingRun: schemaOf(trainingRun),
        Resource: { oneOf: [{ $ref: '#/components/schemas/CrawlJob' }, { $ref: '#/components/schemas/TrainingRun' }] },
        Report: schemaOf(report),
        AliasTarget: schemaOf(aliasTarget),
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'code', 'detail'],
          properties: { type: { type: 'string' }, title: { type: 'string' }, status: { type: 'integer' }, code: { type: 'string' }, detail: { type: 'string' }, fields: { type: 'array', items: { type: 'object' } } },
        },
      },
    },
    security: [{ token: [] }, {}],
  };
}

function operation(path: string, { summary, body, query = [], answer = 'application/json' }: Route): Schema {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = query.map((name) => ({ name, in: 'query', schema: { type: 'string' } }));
  return {
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${body}` } } } } } : {}),
    responses: {
      200: { description: 'Done', content: { [answer]: {} } },
      default: { description: 'A problem', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  };
}
