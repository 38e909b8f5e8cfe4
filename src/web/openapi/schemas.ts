import type { SwaggerDocumentOptions } from '@nestjs/swagger';
import { z } from 'zod';

type Converter = NonNullable<SwaggerDocumentOptions['standardSchemaConverter']>;
type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Converts a zod schema to JSON Schema 2020-12 for OpenAPI 3.1. A schema with an id becomes a component. */
export const convert: Converter = (schema, { schemaType }) => {
  if (!(schema instanceof z.core.$ZodType)) return undefined;
  const {
    $schema: _dialect,
    $defs,
    ...rest
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: schemaType,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => tidy(jsonSchema),
  });
  const components = Object.fromEntries(
    Object.entries($defs ?? {}).map(([name, { id: _id, ...definition }]) => [name, definition]),
  );
  return { schema: JSON.parse(refsToComponents(rest)), components: JSON.parse(refsToComponents(components)) };
};

/** Removes redundant keywords. Moves defaults into descriptions: generators treat a field with a `default` as required. */
function tidy(schema: JsonSchema): void {
  if (schema.format !== undefined) delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.default === undefined) return;
  const byDefault = `Default: \`${JSON.stringify(schema.default)}\``;
  schema.description = schema.description ? `${schema.description}. ${byDefault}` : byDefault;
  delete schema.default;
}

const refsToComponents = (value: unknown) =>
  JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/');
