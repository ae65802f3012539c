import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { OpenApiSchema } from './openapi.js';
import { renderCrds } from './render-crds.js';
import { structuralSchema } from './structural-schema.js';

const crds = renderCrds().map((crd) => ({ crd, name: crd.metadata.name, root: crd.spec.versions[0]!.schema.openAPIV3Schema }));
const specOf = (name: string): OpenApiSchema => crds.find((c) => c.name.startsWith(name))!.root.properties!.spec!;

/** Every schema under `schema`, with its path. */
function everySchema(schema: OpenApiSchema, path = ''): [string, OpenApiSchema][] {
  const children = [
    ...Object.entries(schema.properties ?? {}),
    ...(schema.items ? [['[]', schema.items] as const] : []),
    ...(schema.additionalProperties ? [['{}', schema.additionalProperties] as const] : []),
  ];
  return [[path, schema], ...children.flatMap(([key, child]) => everySchema(child, `${path}.${key}`))];
}

describe.each(crds)('$name', ({ crd, name, root }) => {
  const schemas = everySchema(root);
  const pathsWhere = (wrong: (s: OpenApiSchema) => boolean): string[] => schemas.filter(([, s]) => wrong(s)).map(([path]) => path);

  it('is committed as it is rendered', () => {
    const file = new URL(`../../../../crds/${name}.yaml`, import.meta.url);
    expect(parse(readFileSync(file, 'utf8')), `crds/${name}.yaml is not what the schemas render: run \`npx caricature crd --write\``).toEqual(crd);
  });

  it('gives every value a type', () => {
    expect(pathsWhere((s) => s.type === undefined && !s['x-kubernetes-int-or-string'])).toEqual([]);
  });

  it('has no pattern with look-around and no closed object', () => {
    expect(pathsWhere((s) => /\(\?<?[=!]/.test(s.pattern ?? ''))).toEqual([]);
    expect(JSON.stringify(root)).not.toContain('"additionalProperties":false');
  });

  it('bounds every string, list and map', () => {
    const unbounded = (s: OpenApiSchema): boolean =>
      (s.type === 'string' && s.maxLength === undefined && s.enum === undefined) ||
      (s.type === 'array' && s.maxItems === undefined) ||
      (s.additionalProperties !== undefined && s.maxProperties === undefined);
    expect(pathsWhere(unbounded)).toEqual([]);
  });

  it('lets the spec change in nothing but what may change', () => {
    const fixed = root.properties!.spec!['x-kubernetes-validations']!.filter((r) => r.rule.includes('oldSelf')).map((r) => r.fieldPath);
    const isLeaf = (schema: OpenApiSchema): boolean => schema.properties === undefined;
    const below = (schema: OpenApiSchema, path = ''): string[] => (isLeaf(schema) ? [path] : Object.entries(schema.properties!).flatMap(([key, child]) => below(child, `${path}.${key}`)));
    expect(fixed).toEqual(below(root.properties!.spec!).filter((path) => !['.suspend', '.ttlSecondsAfterFinished', '.deletionPolicy', '.publish.alias'].includes(path)));
  });
});

describe('a definition', () => {
  it('has the cross-field rules of zod with their messages and fields', () => {
    expect(specOf('trainingruns')['x-kubernetes-validations']).toContainEqual({
      rule: "self.model.architecture == 'Classifier' || has(self.target)",
      message: 'is needed by this architecture',
      fieldPath: '.target',
    });
    expect(specOf('crawljobs').properties!.source!['x-kubernetes-validations']!.map((r) => r.fieldPath)).toEqual(['.template', '.knownGood']);
  });

  it('gives an object with defaults inside a default of its own', () => {
    expect(specOf('crawljobs').properties!.image).toMatchObject({ default: {}, properties: { width: { default: 152 } } });
  });

  it('refuses an address of another protocol', () => {
    const { pattern } = specOf('crawljobs').properties!.source!.properties!.baseUrl!;
    expect('http://127.0.0.1:3200').toMatch(new RegExp(pattern!));
    expect('file:///etc/passwd').not.toMatch(new RegExp(pattern!));
  });
});

describe('rendering refuses', () => {
  it.each([
    ['a rule without CEL', z.strictObject({ a: z.int() }).refine(() => true, { message: 'new rule' }), 'The rule "new rule" has no CEL'],
    ['a union of two objects', z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.int() })]), 'The only union'],
    ['a look-around pattern', z.string().regex(/^(?!x)/), 'no look-around'],
  ])('%s', (_title, schema, message) => {
    expect(() => structuralSchema(schema)).toThrow(message);
  });
});
