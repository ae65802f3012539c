/** The part of OpenAPI 3 that a CustomResourceDefinition understands. */
export interface OpenApiSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  format?: string;
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, OpenApiSchema>;
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema;
  'x-kubernetes-validations'?: CelRule[];
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-list-type'?: 'map';
  'x-kubernetes-list-map-keys'?: string[];
}

/** A rule in the Common Expression Language, checked by the API server. `fieldPath` is relative to the schema that has the rule. */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
}

/** A schema that says something a CustomResourceDefinition cannot. */
export class CrdRenderingError extends Error {
  readonly code = 'CrdRendering';
  readonly retryable = false;
  constructor(message: string) {
    super(message);
    this.name = 'CrdRenderingError';
  }
}
