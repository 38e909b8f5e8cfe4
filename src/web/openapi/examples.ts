import type { OpenAPIObject } from '@nestjs/swagger';
import type { Operation } from './access.js';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly anyOf?: readonly [Schema, ...Schema[]];
}

interface MediaType {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, unknown>;
}

/** Adds an example to each request body without one. Swagger UI shows it, and "Try it out" sends it. */
export function addExamples({ requestBody }: Operation, document: OpenAPIObject): void {
  const { content = {} } = (requestBody ?? {}) as { content?: Record<string, MediaType> };
  for (const media of Object.values(content))
    if (media.schema && !media.examples) media.example ??= exampleOf(media.schema, document);
}

/**
 * The example from `.meta({ example: … })` of the schema, otherwise an object of the required fields with their examples.
 */
function exampleOf(schema: Schema, document: OpenAPIObject): unknown {
  const { $ref, examples, example, required = [], properties = {}, items, anyOf } = schema;
  if ($ref) return exampleOf(componentOf($ref, document), document);
  if (anyOf) return exampleOf(example === undefined ? anyOf[0] : { example }, document);
  const given = example ?? examples?.[0] ?? schema.enum?.[0] ?? schema.const;
  if (given !== undefined) return given;
  if (schema.type === 'array') return items ? [exampleOf(items, document)] : [];
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return true;
  if (schema.type === 'string') return 'string';
  return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {}, document)]));
}

function componentOf(ref: string, { components }: OpenAPIObject): Schema {
  return components!.schemas![ref.split('/').at(-1)!] as Schema;
}
