import type { INestApplication } from '@nestjs/common';
import {
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
  type SwaggerDocumentOptions,
} from '@nestjs/swagger';
import { z } from 'zod';
import type { AccessPolicy, ProtectedPolicy } from '../auth/access-policy.js';
import { ModeRegistry } from '../auth/mode-registry.js';
import { type Route, RouteTable } from '../auth/route-table.js';
import { CONFIG, type Config } from '../config/config.js';
import { findProblem } from '../problems/problem.js';
import { PROBLEM_HEADERS, RATE_LIMIT_HEADERS } from './answer-headers.js';
import { MAY_ANSWER } from './may-answer.decorator.js';

type Converter = NonNullable<SwaggerDocumentOptions['standardSchemaConverter']>;
type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const Problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457. `type` is a page that explains it.' });

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const CSRF_TOKEN = {
  name: 'X-CSRF-Token',
  in: 'header',
  description: 'Where the credential is a cookie',
  schema: { type: 'string' as const },
} as const;

/** Draft 2020-12, as OpenAPI 3.1 has it. What has an id becomes a component. */
const convert: Converter = (schema, { schemaType }) => {
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

/** Without what says twice what is said already: the pattern of a format, the bounds of every safe integer. */
function tidy(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format !== undefined) delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

const refsToComponents = (value: unknown) =>
  JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/');

/** The OpenAPI 3.1 document. Security and refusals of each route come from its declaration, not from a second one. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const modes = app.get(ModeRegistry);
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle('Auth modes')
    .setDescription('Sessions, tokens and API keys behind one declaration per route.')
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(app.get<Config>(CONFIG).ISSUER);
  for (const mode of modes.all()) builder.addSecurity(mode.name, mode.securityScheme);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    standardSchemaConverter: convert,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  const { schemas } = (document.components ??= {});
  document.components.schemas = { ...schemas, ...convert(Problem, { schemaType: 'output' })!.components };
  for (const route of app.get(RouteTable).all()) {
    const path = document.paths[route.path.replaceAll(/:(\w+)/g, '{$1}')] as
      Record<string, Operation> | undefined;
    const operation = path?.[route.method.toLowerCase()];
    if (operation) describeAccess(operation, route, modes);
  }
  document.tags = tagsOf(document).map((name) => ({ name, description: TAGS[name] ?? name }));
  return document;
}

/** The headings of the reference. A room that is not here is its own heading. */
const TAGS: Record<string, string> = {
  users: 'People: registration, profile, password, the proof of an address',
  sessions: 'Sign-ins: by cookie, and the list of all of them',
  tokens: 'Sign-ins by token, and the keys that verify them',
  'api-keys': 'Keys of machines',
  oauth: 'The endpoints that OAuth clients and libraries know',
  administration: 'What administrators do to users, and to the keys that sign',
  orders: 'An example that every mode may call',
  events: 'An example for machines only',
  reports: 'An example that looks behind a token',
  whoami: 'What the server takes a credential for',
  server: 'The server itself',
};

/** In the order of the routes, the server's own last. */
function tagsOf({ paths }: OpenAPIObject): string[] {
  const operations = Object.values(paths).flatMap((path) => Object.values(path as Record<string, Operation>));
  const names = [...new Set(operations.flatMap(({ tags = [] }) => tags))];
  return names.toSorted((a, b) => Number(a === 'server') - Number(b === 'server'));
}

function describeAccess(operation: Operation, route: Route, registry: ModeRegistry): void {
  const { policy } = route;
  const byCookie = !policy.public && policy.modes.some((mode) => registry.get(mode).ambient);
  operation.security = policy.public ? [{}] : policy.modes.map((mode) => ({ [mode]: [...policy.scopes] }));
  if (!policy.public) {
    const access = [
      `Accepts ${policy.modes.join(', ')}${policy.person ? ' (a person)' : ''}.`,
      policy.scopes.length > 0 ? `Needs ${policy.scopes.map((scope) => `\`${scope}\``).join(', ')}.` : '',
      policy.recentSignIn ? 'Needs a recent sign-in.' : '',
      policy.resource ? `Is about \`${policy.resource}\`.` : '',
      policy.live ? 'What is behind the credential must be alive.' : '',
    ];
    operation.description = [operation.description, access.filter(Boolean).join(' ')]
      .filter(Boolean)
      .join('\n\n');
  }
  for (const [status, slugs] of Object.entries(problemsByStatus(operation, route, registry, byCookie)))
    operation.responses[status] ??= {
      description: slugs.map((slug) => `\`${slug}\`: ${findProblem(slug)!.title}`).join('  \n'),
      ...(PROBLEM_HEADERS[status] && { headers: PROBLEM_HEADERS[status] }),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  describeRateLimit(operation, route, registry);
  if (byCookie && !READS.has(route.method))
    (operation.parameters ??= []).push({ ...CSRF_TOKEN, required: policy.modes.length === 1 });
}

/** Keys have limits, and so have the tokens exchanged for them. With RATE_LIMITS off nobody has, so that no header is a promise. */
function describeRateLimit(operation: Operation, { policy }: Route, registry: ModeRegistry): void {
  if (!isLimited(policy, registry)) return;
  for (const response of Object.values(operation.responses) as { headers?: object }[])
    response.headers = { ...response.headers, ...RATE_LIMIT_HEADERS };
}

const isLimited = (policy: AccessPolicy, registry: ModeRegistry): boolean =>
  policy.public
    ? policy.rateLimit !== undefined
    : !policy.person && policy.modes.some((mode) => registry.get(mode).carries !== 'person');

function problemsByStatus(
  operation: Operation,
  route: Route,
  registry: ModeRegistry,
  byCookie: boolean,
): Record<string, string[]> {
  const slugs = ['credential-in-url', 'internal-error', 'database-unavailable', 'shutting-down'];
  // A body is read where none is expected too, and refused.
  if (route.method !== 'GET')
    slugs.push('validation-failed', 'malformed-request', 'body-too-large', 'unsupported-media-type');
  if (operation.parameters?.length) slugs.push('validation-failed');
  if (route.path.includes(':')) slugs.push('not-found');
  if (isLimited(route.policy, registry)) slugs.push('rate-limited');
  if (route.policy.public) {
    if (route.method !== 'GET') slugs.push('https-required');
  } else slugs.push(...problemsOfGuard(route.policy));
  if (byCookie || (route.policy.public && route.policy.sameOrigin)) slugs.push('csrf');
  slugs.push(...((Reflect.getMetadata(MAY_ANSWER, route.handler) as string[] | undefined) ?? []));
  const known = [...new Set(slugs)].filter((slug) => findProblem(slug));
  return groupByStatus(known);
}

function problemsOfGuard(policy: ProtectedPolicy): string[] {
  const slugs = [
    'ambiguous-credentials',
    'credential-required',
    'mode-not-accepted',
    'invalid-credential',
    'https-required',
  ];
  if (policy.person) slugs.push('person-required');
  if (policy.scopes.length > 0) slugs.push('insufficient-scope');
  if (policy.scopes.length > 0 && !policy.person) slugs.push('resource-not-granted');
  if (policy.recentSignIn) slugs.push('insufficient-user-authentication');
  return slugs;
}

function groupByStatus(slugs: string[]): Record<string, string[]> {
  const grouped: Record<string, string[]> = {};
  for (const slug of slugs) (grouped[findProblem(slug)!.status] ??= []).push(slug);
  return grouped;
}
