import type { OpenAPIObject } from '@nestjs/swagger';
import type { AccessPolicy, ProtectedPolicy } from '../../auth/access-policy.js';
import type { ModeRegistry } from '../../auth/mode-registry.js';
import type { Route } from '../../auth/route-table.js';
import { findProblem } from '../../platform/problems/problem.js';
import { PROBLEM_HEADERS, RATE_LIMIT_HEADERS } from './answer-headers.js';
import { MAY_ANSWER, type MayAnswerProblem } from './may-answer.decorator.js';

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Adds access and problems from the declaration of a route. Versions of a route share an operation. */
export function describeAccess(operation: Operation, route: Route, registry: ModeRegistry): void {
  const { policy } = route;
  const modes = policy.public ? [] : policy.modes.map((name) => registry.get(name));
  const ambient = modes.filter((mode) => mode.ambient);
  const byCookie = ambient.length > 0;
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
  if (READS.has(route.method)) return;
  for (const name of ambient.flatMap(({ furtherHeaders = [] }) => furtherHeaders))
    (operation.parameters ??= []).push({
      name,
      in: 'header',
      description: 'Required with a cookie',
      required: modes.length === 1,
      schema: { type: 'string' },
    });
}

function accessInWords(policy: AccessPolicy): string {
  const sentences = policy.public
    ? [
        'Public: requires no credential.',
        policy.sameOrigin ? 'Refuses cross-site requests.' : '',
        policy.rateLimit
          ? `Each IP address can send ${policy.rateLimit.requests} requests in ${policy.rateLimit.windowSeconds} seconds.`
          : '',
      ]
    : [
        `Accepts ${policy.modes.join(', ')}.`,
        policy.person ? 'Requires a person.' : policy.user ? 'Refuses service accounts.' : '',
        policy.scopes.length > 0
          ? `Requires ${policy.scopes.map((scope) => `\`${scope}\``).join(', ')}.`
          : '',
        policy.recentSignIn ? 'Requires a recent sign-in.' : '',
        secondFactorInWords(policy),
        policy.resource ? `A key that is narrowed to resources must include \`${policy.resource}\`.` : '',
        policy.live ? 'Checks the sign-in or key behind the credential again.' : '',
        ...policy.requires.map(({ definition }) => definition.about),
      ];
  return sentences.filter(Boolean).join(' ');
}

function secondFactorInWords({ secondFactor }: ProtectedPolicy): string {
  if (secondFactor === undefined || secondFactor === 'never') return '';
  return secondFactor === true
    ? 'Requires a second factor.'
    : 'Requires a second factor from people who have one.';
}

/** Limits apply to public routes that declare one, to keys and tokens exchanged for keys, and to proofs of a person. */
function describeRateLimit(operation: Operation, route: Route, registry: ModeRegistry): void {
  if (!isLimited(route.policy, registry) && !mayAnswer(route).includes('rate-limited')) return;
  for (const response of Object.values(operation.responses) as { headers?: object }[])
    response.headers = { ...response.headers, ...RATE_LIMIT_HEADERS };
}

const mayAnswer = ({ handler }: Route): string[] =>
  ((Reflect.getMetadata(MAY_ANSWER, handler) ?? []) as MayAnswerProblem[]).flatMap((problem) =>
    typeof problem === 'function' ? problem() : problem,
  );

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
  // An unexpected body is read too, and refused.
  if (route.method !== 'GET')
    slugs.push('validation-failed', 'malformed-request', 'body-too-large', 'unsupported-media-type');
  if (operation.parameters?.length) slugs.push('validation-failed');
  if (route.path.includes(':')) slugs.push('not-found');
  if (isLimited(route.policy, registry)) slugs.push('rate-limited');
  if (route.policy.public) {
    if (route.method !== 'GET') slugs.push('https-required');
  } else slugs.push(...problemsOfGuard(route.policy));
  if (byCookie || (route.policy.public && route.policy.sameOrigin)) slugs.push('csrf');
  slugs.push(...mayAnswer(route));
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
  if (policy.recentSignIn || secondFactorInWords(policy)) slugs.push('insufficient-user-authentication');
  slugs.push(...policy.requires.flatMap(({ definition }) => definition.problems));
  return slugs;
}

function groupByStatus(slugs: string[]): Record<string, string[]> {
  const grouped: Record<string, string[]> = {};
  for (const slug of slugs) (grouped[findProblem(slug)!.status] ??= []).push(slug);
  return grouped;
}
