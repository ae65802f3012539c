import { z } from 'zod';
import { refinementRules } from './cel-rules.js';
import { CrdRenderingError, type CelRule, type OpenApiSchema } from './openapi.js';

/** How many entries a map may have: CEL's cost is estimated from it. */
const MAX_MAP_ENTRIES = 64;
const INT32_MAX = 2_147_483_647;

type JsonSchema = Record<string, unknown>;

const KEPT = [
  'type', 'format', 'description', 'default', 'enum', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum',
  'minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'required', 'x-kubernetes-validations',
];
/** Read where they stand, or without a meaning in a structural schema (an unknown field is pruned, or refused under strict validation). */
const HANDLED = ['$schema', 'properties', 'items', 'additionalProperties', 'propertyNames', 'anyOf'];

/**
 * A zod schema as the structural schema that a CustomResourceDefinition asks for.
 * @throws CrdRenderingError for what it cannot say: unions but int-or-string, recursion, look-around patterns.
 */
export function structuralSchema(schema: z.ZodType): OpenApiSchema {
  return convert(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline', cycles: 'throw', override: addZodRules }) as JsonSchema);
}

/** Adds what JSON Schema leaves out of a zod schema: its refinements and the protocols of its addresses. */
function addZodRules({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: JsonSchema }): void {
  const rules = refinementRules(zodSchema);
  if (rules.length > 0) jsonSchema['x-kubernetes-validations'] = rules;
  const { protocol } = zodSchema._zod.def as { protocol?: RegExp };
  if (protocol) jsonSchema.pattern = `^(${protocol.source.replace(/^\^|\$$/g, '')})://`;
}

function convert(json: JsonSchema): OpenApiSchema {
  const unknown = Object.keys(json).find((k) => !KEPT.includes(k) && !HANDLED.includes(k));
  if (unknown) throw new CrdRenderingError(`A CustomResourceDefinition cannot say "${unknown}": write the zod schema without it`);
  if (json.anyOf) return intOrString(json);
  const out = Object.fromEntries(KEPT.filter((k) => json[k] !== undefined).map((k) => [k, json[k]])) as OpenApiSchema;
  if (out.pattern?.match(/\(\?(<?[=!])/)) throw new CrdRenderingError(`The API server's regular expressions know no look-around: ${out.pattern}`);
  if (out.type === 'integer') boundInteger(out);
  if (json.properties) out.properties = Object.fromEntries(Object.entries(json.properties as Record<string, JsonSchema>).map(([k, v]) => [k, convert(v)]));
  if (json.items) out.items = convert(json.items as JsonSchema);
  if (isMap(json)) Object.assign(out, mapOf(json, out['x-kubernetes-validations']));
  return out;
}

/** zod bounds its integers by ±2^53, which says no more than the format does. */
function boundInteger(schema: OpenApiSchema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  schema.format = (schema.maximum ?? Infinity) <= INT32_MAX && (schema.minimum ?? -Infinity) >= -INT32_MAX ? 'int32' : 'int64';
}

function isMap(json: JsonSchema): boolean {
  return typeof json.additionalProperties === 'object';
}

function mapOf(json: JsonSchema, rules: CelRule[] = []): OpenApiSchema {
  const { minLength = 0, maxLength } = (json.propertyNames ?? {}) as OpenApiSchema;
  const keys: CelRule[] = maxLength === undefined ? [] : [{ rule: `self.all(key, size(key) >= ${minLength} && size(key) <= ${maxLength})`, message: `names must have ${minLength} to ${maxLength} characters` }];
  const all = [...rules, ...keys];
  return {
    additionalProperties: convert(json.additionalProperties as JsonSchema),
    maxProperties: MAX_MAP_ENTRIES,
    ...(all.length > 0 ? { 'x-kubernetes-validations': all } : {}),
  };
}

/** The one union of a structural schema: a quantity such as `1` or `500m`. */
function intOrString(json: JsonSchema): OpenApiSchema {
  const options = json.anyOf as OpenApiSchema[];
  const text = options.find((o) => o.type === 'string');
  const isQuantity = options.length === 2 && text !== undefined && options.some((o) => o.type === 'number' || o.type === 'integer');
  if (!isQuantity) throw new CrdRenderingError('The only union that a CustomResourceDefinition can say is that of a number and a string');
  return { 'x-kubernetes-int-or-string': true, ...(text.maxLength ? { maxLength: text.maxLength } : {}) };
}
