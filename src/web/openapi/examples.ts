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
}

interface MediaType {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, unknown>;
}

/** Gives each body one example as a whole, unless its route has some: documents show it, and "try it out" sends it. */
export function addExamples({ requestBody }: Operation, document: OpenAPIObject): void {
  const { content = {} } = (requestBody ?? {}) as { content?: Record<string, MediaType> };
  for (const media of Object.values(content))
    if (media.schema && !media.examples) media.example ??= exampleOf(media.schema, document);
}

/**
 * The example of a body: what its schema names with `.meta({ example: … })`, or else its required fields alone, each
 * with the example of its own.
 */
function exampleOf(schema: Schema, document: OpenAPIObject): unknown {
  const { $ref, examples, example, required = [], properties = {}, items } = schema;
  if ($ref) return exampleOf(componentOf($ref, document), document);
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
