import type { OpenAPIObject } from '@nestjs/swagger';
import type { AccessPolicy, ProtectedPolicy } from '../../auth/access-policy.js';
import type { ModeRegistry } from '../../auth/mode-registry.js';
import type { Route } from '../../auth/route-table.js';
import { findProblem } from '../../platform/problems/problem.js';
import { PROBLEM_HEADERS, RATE_LIMIT_HEADERS } from './answer-headers.js';
import { MAY_ANSWER } from './may-answer.decorator.js';

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const CSRF_TOKEN = {
  name: 'X-CSRF-Token',
  in: 'header',
  description: 'Where the credential is a cookie',
  schema: { type: 'string' as const },
} as const;

/** Adds what the declaration of a route says: who can call it, and how it refuses. Versions of a route share an operation. */
export function describeAccess(operation: Operation, route: Route, registry: ModeRegistry): void {
  const { policy } = route;
  const byCookie = !policy.public && policy.modes.some((mode) => registry.get(mode).ambient);
  const security = policy.public ? [{}] : policy.modes.map((mode) => ({ [mode]: [...policy.scopes] }));
  operation.security = [...(operation.security ?? []), ...security];
  operation.description = [operation.description, accessInWords(policy)].filter(Boolean).join('\n\n');
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

function accessInWords(policy: AccessPolicy): string {
  const sentences = policy.public
    ? [
        'Public: no credential is needed.',
        policy.sameOrigin ? 'Requests from other origins are refused.' : '',
        policy.rateLimit
          ? `Each address can send ${policy.rateLimit.requests} requests in ${policy.rateLimit.windowSeconds} seconds.`
          : '',
      ]
    : [
        `Accepts ${policy.modes.join(', ')}.`,
        policy.person ? 'Requires a person.' : policy.user ? 'Refuses service accounts.' : '',
        policy.scopes.length > 0
          ? `Requires ${policy.scopes.map((scope) => `\`${scope}\``).join(', ')}.`
          : '',
        policy.recentSignIn ? 'Requires a recent sign-in.' : '',
        policy.resource ? `A key that is narrowed to resources must name \`${policy.resource}\`.` : '',
        policy.live ? 'Checks the sign-in or key behind the credential again.' : '',
      ];
  return sentences.filter(Boolean).join(' ');
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
  const slugs = ['credential-in-url', 'internal-error', 'database-unavailable'];
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
  if (policy.user) slugs.push('person-required');
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
