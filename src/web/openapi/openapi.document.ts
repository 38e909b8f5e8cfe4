import type { INestApplication } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { toDocumentPath } from '../../auth/path-pattern.js';
import { RouteTable } from '../../auth/route-table.js';
import { allRoles, findScope, scopesOfRoles } from '../../auth/scopes.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { describeAccess, type Operation } from './access.js';
import { addExamples } from './examples.js';
import { operationIdOf } from './operation-ids.js';
import { convert } from './schemas.js';
import { securitySchemes } from './security-schemes.js';
import { aboutTag } from './tags.js';

type Operations = Record<string, Operation>;

/** The methods that OpenAPI 3.1 knows. */
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

const Problem = z
  .looseObject({
    type: z.string().meta({ description: 'The path of the page that explains the problem' }),
    title: z.string().meta({ description: 'The same for every problem of this type' }),
    status: z.int().meta({ description: 'The status of the answer' }),
    detail: z.string().meta({ description: 'What is wrong with this request, and what is accepted' }),
    instance: z.string().meta({ description: 'The id of the request, as in `X-Request-Id`' }),
    errors: z
      .array(
        z.object({
          pointer: z
            .string()
            .meta({ description: 'RFC 6901: a position in the body, or `/name` of a parameter' }),
          detail: z.string().meta({ description: 'What is accepted' }),
        }),
      )
      .optional()
      .meta({ description: 'At most 50 invalid fields' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

/** Marks an operation whose route declares no `operationId`. */
const UNNAMED = 'unnamed';

/** The OpenAPI 3.1 document. Security and problems of each route come from its declaration. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const modes = app.get(ModeRegistry);
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle('Auth modes')
    .setDescription(`Sessions, tokens and API keys behind one declaration per route.\n\n${describeScopes()}`)
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server of this document')
    .addServer(app.get<Config>(CONFIG).ISSUER, 'The issuer of tokens');
  for (const mode of modes.all()) builder.addSecurity(mode.name, mode.securityScheme);
  for (const [name, scheme] of securitySchemes()) builder.addSecurity(name, scheme);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    standardSchemaConverter: convert,
    operationIdFactory: () => UNNAMED,
  });
  const { schemas } = (document.components ??= {});
  document.components.schemas = { ...schemas, ...convert(Problem, { schemaType: 'output' })!.components };
  describeOperations(document, app, modes);
  document.tags = tagsOf(document).map((name) => ({ name, description: aboutTag(name) }));
  return document;
}

function describeOperations(document: OpenAPIObject, app: INestApplication, modes: ModeRegistry): void {
  const routes = app.get(RouteTable);
  const prefix = app.get(ApplicationConfig).getGlobalPrefix();
  const ids = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths as Record<string, Operations>))
    for (const method of Object.keys(operations)) {
      const operation = operations[method]!;
      // `@All()` includes methods that OpenAPI does not know.
      if (!METHODS.has(method)) {
        delete operations[method];
        continue;
      }
      const described = routes
        .all()
        .filter(
          (route) =>
            toDocumentPath(route.path) === path && [method.toUpperCase(), 'ALL'].includes(route.method),
        );
      // Fail closed: without a declaration the operation would look public.
      if (described.length === 0)
        throw new Error(`${method} ${path} is in the document, but not in the route table`);
      for (const route of described)
        describeAccess(operation, { ...route, method: method.toUpperCase() }, modes);
      if (operation.operationId?.startsWith(UNNAMED))
        operation.operationId = nameFor(method, path, prefix, ids);
      ids.add(operation.operationId ?? '');
      addExamples(operation, document);
    }
}

/** A name leaves out the version of the path, so a second version of a route gets it as a suffix. */
function nameFor(method: string, path: string, prefix: string, taken: ReadonlySet<string>): string {
  const root = `/${prefix.replaceAll(/^\/|\/$/g, '')}/`;
  const pattern = (path.startsWith(root) ? path.slice(root.length - 1) : path).replaceAll(
    /\{(\w+)\}/g,
    ':$1',
  );
  const id = operationIdOf(method.toUpperCase(), pattern);
  return taken.has(id) ? `${id}${/v\d+/.exec(pattern)?.[0].toUpperCase() ?? method}` : id;
}

/** A table of all scopes. */
const describeScopes = (): string =>
  [
    '| scope | allows |',
    '| --- | --- |',
    ...scopesOfRoles(allRoles()).map((scope) => {
      const { about, role } = findScope(scope)!;
      return `| \`${scope}\` | ${about}${role ? ` (role \`${role}\`)` : ''} |`;
    }),
  ].join('\n');

/** In the order of the routes, `server` last. */
function tagsOf({ paths }: OpenAPIObject): string[] {
  const operations = Object.values(paths).flatMap((path) => Object.values(path as Operations));
  const names = [...new Set(operations.flatMap(({ tags = [] }) => tags))];
  return names.toSorted((a, b) => Number(a === 'server') - Number(b === 'server'));
}
