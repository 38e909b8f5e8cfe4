import type { ProtectedPolicy } from '../../src/auth/access-policy.js';
import type { Route } from '../../src/auth/route-table.js';
import { machineScopes, type Scope, scopesOfRoles, userScopes } from '../../src/auth/scopes.js';
import '../../src/rooms.js';

const USER_SCOPES = userScopes();
const KEY_SCOPES = machineScopes();

interface Kind {
  readonly mode: string;
  readonly person: boolean;
  readonly holds: readonly Scope[];
  /** Where it goes over, and a route is not live, nothing but announcements ends it. */
  readonly believed?: boolean;
}

/** What the contract says of each kind of credential. A new one goes here, and into the wallet of access-matrix.ts. */
const KINDS: Record<string, Kind> = {
  session: { mode: 'session', person: true, holds: USER_SCOPES },
  jwt: { mode: 'jwt', person: true, holds: USER_SCOPES, believed: true },
  opaque: { mode: 'opaque', person: true, holds: USER_SCOPES },
  'api-key': { mode: 'api-key', person: false, holds: KEY_SCOPES },
  'jwt of a machine': { mode: 'jwt', person: false, holds: KEY_SCOPES },
};

const SCHEMES: Record<string, string> = {
  session: 'Session',
  jwt: 'Bearer',
  opaque: 'Bearer',
  'api-key': 'ApiKey',
};

const contractOf = (kind: string): Kind => KINDS[kind]!;
const schemeOf = (mode: string): string => SCHEMES[mode]!;

/** The kinds of credentials of an application with these modes and routes. */
export function kindsOf(modes: readonly string[], routes: readonly Pick<Route, 'path'>[]): string[] {
  for (const mode of modes)
    if (!SCHEMES[mode])
      throw new Error(`the access matrix does not know the mode "${mode}": it goes into KINDS`);
  const exchanges = routes.some(({ path }) => path === '/oauth/token');
  return Object.entries(KINDS)
    .filter(([kind, { mode }]) => modes.includes(mode) && (kind === mode || exchanges))
    .map(([kind]) => kind);
}

const MAX_AGE = 'max_age="600"';
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
const URL_PARAMETERS = ['access_token', 'api_key', 'apikey', 'token', 'session'];

export interface Credential {
  readonly kind: string;
  /**
   * `row changed`: the owner is disabled in the database, and nobody was told. `role lost`: the owner is no administrator
   * any more, and nobody was told.
   */
  readonly state:
    'good' | 'malformed' | 'unknown' | 'revoked' | 'owner disabled' | 'row changed' | 'role lost';
  readonly scopes: readonly Scope[];
  /** `Authorization: ApiKey` in place of `X-API-Key`. */
  readonly inAuthorization?: boolean;
}

/** One request to a route. */
export interface Attempt {
  /** After "GET /v1/orders with ". */
  readonly name: string;
  /** In headers. */
  readonly explicit?: readonly Credential[];
  readonly cookie?: Credential;
  /** Of the session in the cookie; the right one unless told. */
  readonly csrfToken?: 'missing' | 'wrong';
  /** Headers of a browser that another site made send the request. */
  readonly foreign?: Readonly<Record<string, string>>;
  readonly urlParameter?: string;
  /** After REAUTHENTICATION_WINDOW, or after all expiries; at once unless told. */
  readonly when?: 'late' | 'expired';
}

export interface Refusal {
  readonly status: number;
  readonly slug: string;
  /** The WWW-Authenticate headers, sorted. */
  readonly challenges: readonly string[];
}

/** The answer that the contract gives: the checks in its order, and the first that fails answers. */
export function expectedAnswer(
  { method, policy }: Pick<Route, 'method' | 'policy'>,
  attempt: Attempt,
): Refusal | 'passes' {
  const { explicit = [], cookie, csrfToken, foreign, urlParameter, when } = attempt;
  if (urlParameter) return refusal(400, 'credential-in-url');
  if (policy.public) return policy.sameOrigin && foreign ? refusal(403, 'csrf') : 'passes';
  if (explicit.length > 1) return refusal(400, 'ambiguous-credentials');

  const credential = explicit[0] ?? cookie;
  if (!credential) return refusal(401, 'credential-required', challenges(policy));
  const { kind, state, scopes } = credential;
  const contract = KINDS[kind];
  if (!contract || !(policy.modes as readonly string[]).includes(contract.mode))
    return refusal(401, 'mode-not-accepted', challenges(policy));
  const { mode, person, believed } = contract;
  // A role can be lost at any time, so a token that names admin:* is never believed.
  const isBelieved = believed && !policy.live && !isAdministrators(credential);
  const isGood = ['good', 'role lost'].includes(state) || (state === 'row changed' && isBelieved);
  if (!isGood || when === 'expired') return refusal(401, 'invalid-credential', challenges(policy, mode));

  const cookieMayWrite = csrfToken === undefined || SAFE_METHODS.includes(method);
  if (mode === 'session' && (foreign || !cookieMayWrite)) return refusal(403, 'csrf');
  const scheme = schemeOf(mode);
  if (policy.person && !person) return refusal(403, 'person-required');
  const held: readonly Scope[] = state === 'role lost' ? USER_SCOPES : scopes;
  const missing = policy.scopes.filter((scope) => !held.includes(scope)).join(' ');
  if (missing)
    return refusal(403, 'insufficient-scope', [
      `${scheme} realm="api", error="insufficient_scope", scope="${missing}"`,
    ]);
  if (policy.recentSignIn && when === 'late')
    return refusal(401, 'insufficient-user-authentication', [
      `${scheme} realm="api", error="insufficient_user_authentication", ${MAX_AGE}`,
    ]);
  return 'passes';
}

const refusal = (status: number, slug: string, challenges: string[] = []): Refusal => ({
  status,
  slug,
  challenges: challenges.toSorted(),
});

/** One for each scheme that the route accepts; on Bearer, whether the token was what failed. */
function challenges({ modes }: ProtectedPolicy, failed?: string): string[] {
  const failedBearer = failed && schemeOf(failed) === 'Bearer' ? ', error="invalid_token"' : '';
  const schemes = new Set(modes.map(schemeOf));
  return [...schemes].map((scheme) => `${scheme} realm="api"${scheme === 'Bearer' ? failedBearer : ''}`);
}

const a = (words: string) => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;

const of = (kind: string, state: Credential['state'] = 'good'): Credential => ({
  kind,
  state,
  scopes: contractOf(kind).holds,
});

/** Presents a credential as its mode does: in the cookie, or in a header. */
const present = (credential: Credential): Pick<Attempt, 'cookie' | 'explicit'> =>
  credential.kind === 'session' ? { cookie: credential } : { explicit: [credential] };

/** With all that an administrator may do; a token that asked for it by name. */
const ofAdministrator = (kind: string, state?: Credential['state']): Credential => ({
  ...of(kind, state),
  scopes: scopesOfRoles(['admin']),
});
export const isAdministrators = ({ scopes }: Credential): boolean => scopes.includes('admin:users');
const KEY_IN_AUTHORIZATION: Credential = { ...of('api-key'), inAuthorization: true };
/** A scheme that nobody here knows. */
const BASIC: Credential = { kind: 'basic', state: 'malformed', scopes: [] };

/** Every attempt on a route, with credentials of the kinds that are there. */
export function attemptsOn({ policy }: Pick<Route, 'policy'>, kinds: readonly string[]): Attempt[] {
  const attempts: Attempt[] = [
    { name: 'no credential' },
    ...kinds.flatMap((kind) => bad(kind)),
    ...two(kinds),
    ...fromElsewhere(kinds),
    ...URL_PARAMETERS.map((name) => ({ name: `a credential in ?${name}=`, urlParameter: name })),
  ];
  if (policy.public) return attempts;
  return [
    ...attempts,
    ...kinds.flatMap((kind) => good(kind)),
    ...besideCookie(kinds),
    ...withoutCsrfToken(kinds),
    ...kinds.flatMap((kind) => tooLittle(policy, kind)),
    ...kinds.flatMap((kind) => unannounced(kind)),
  ];
}

function good(kind: string): Attempt[] {
  const attempts: Attempt[] = [{ name: a(kind), ...present(of(kind)) }];
  if (contractOf(kind).person)
    attempts.push(
      { name: `${a(kind)} of an administrator`, ...present(ofAdministrator(kind)) },
      {
        name: `${a(kind)} of somebody who is no administrator any more, in the database only`,
        ...present(ofAdministrator(kind, 'role lost')),
      },
    );
  if (kind === 'api-key')
    attempts.push({ name: 'an api-key in Authorization', explicit: [KEY_IN_AUTHORIZATION] });
  return attempts;
}

/** All without a CSRF token, which is asked for after the credential. */
function bad(kind: string): Attempt[] {
  const csrfToken = 'missing';
  return [
    { name: `a malformed ${kind}`, ...present(of(kind, 'malformed')), csrfToken },
    { name: `an unknown ${kind}`, ...present(of(kind, 'unknown')), csrfToken },
    { name: `a revoked ${kind}`, ...present(of(kind, 'revoked')), csrfToken },
    { name: `${a(kind)} of a disabled user`, ...present(of(kind, 'owner disabled')), csrfToken },
    { name: `an expired ${kind}`, ...present(of(kind)), csrfToken, when: 'expired' },
  ];
}

/** However good they are. */
function two(kinds: readonly string[]): Attempt[] {
  const explicit = kinds.filter((kind) => kind !== 'session');
  const attempts = explicit.map((kind): Attempt => ({
    name: `one ${kind} twice`,
    explicit: [of(kind), of(kind)],
  }));
  for (const [i, kind] of explicit.slice(1).entries())
    attempts.push({ name: `${a(explicit[i]!)} and ${a(kind)}`, explicit: [of(explicit[i]!), of(kind)] });
  if (kinds.includes('api-key'))
    attempts.push({ name: 'an api-key in both headers', explicit: [of('api-key'), KEY_IN_AUTHORIZATION] });
  return attempts;
}

/** What another site can make a browser send. Only a cookie comes along by itself. */
function fromElsewhere(kinds: readonly string[]): Attempt[] {
  const foreign = { Origin: 'https://evil.example' };
  const attempts = kinds.map((kind) => ({
    name: `${a(kind)} from another origin`,
    ...present(of(kind)),
    foreign,
  }));
  if (!kinds.includes('session')) return attempts;
  const cookie = of('session');
  return [
    ...attempts,
    { name: 'a session from an opaque origin', cookie, foreign: { Origin: 'null' } },
    { name: 'a session from another site', cookie, foreign: { 'Sec-Fetch-Site': 'cross-site' } },
  ];
}

function withoutCsrfToken(kinds: readonly string[]): Attempt[] {
  if (!kinds.includes('session')) return [];
  const cookie = of('session');
  return [
    { name: 'a session without X-CSRF-Token', cookie, csrfToken: 'missing' },
    { name: 'a session and the CSRF token of another', cookie, csrfToken: 'wrong' },
  ];
}

/** What is explicit wins over the cookie, however bad it is and however good the cookie. */
function besideCookie(kinds: readonly string[]): Attempt[] {
  if (!kinds.includes('session')) return [];
  const cookie = of('session');
  const explicit = kinds.filter((kind) => kind !== 'session');
  return [
    { name: 'Basic beside a good cookie', explicit: [BASIC], cookie },
    ...explicit.flatMap((kind) => [
      { name: `a malformed ${kind} beside a good cookie`, explicit: [of(kind, 'malformed')], cookie },
      { name: `${a(kind)} beside a bad cookie`, explicit: [of(kind)], cookie: of('session', 'unknown') },
    ]),
  ];
}

/** What is believed does not hear of what nobody announces, unless the route is live. */
function unannounced(kind: string): Attempt[] {
  if (!contractOf(kind).believed) return [];
  const attempts: Attempt[] = [
    { name: `${a(kind)} whose owner is disabled in the database only`, ...present(of(kind, 'row changed')) },
  ];
  if (contractOf(kind).person)
    attempts.push({
      name: `${a(kind)} of an administrator who is disabled in the database only`,
      ...present(ofAdministrator(kind, 'row changed')),
    });
  return attempts;
}

/** Too few scopes, and a sign-in too long ago. A session is never narrow: it carries all that its user may do. */
function tooLittle(policy: ProtectedPolicy, kind: string): Attempt[] {
  const { person, holds } = contractOf(kind);
  const [first] = policy.scopes;
  const lacking = KEY_SCOPES.find((scope) => !policy.scopes.includes(scope))!;
  const attempts: Attempt[] = [];
  const only = (scope: Scope) => present({ ...of(kind), scopes: [scope] });
  const isNarrowed = kind !== 'session' && first !== undefined;
  if (isNarrowed) attempts.push({ name: `${a(kind)} that may only ${lacking}`, ...only(lacking) });
  if (isNarrowed && policy.scopes.length > 1 && holds.includes(first))
    attempts.push({ name: `${a(kind)} that may only ${first}`, ...only(first) });
  if (!policy.recentSignIn || !person) return attempts;
  attempts.push({ name: `an old ${kind}`, ...present(of(kind)), when: 'late' });
  attempts.push({
    name: `an old ${kind} of an administrator`,
    ...present(ofAdministrator(kind)),
    when: 'late',
  });
  if (isNarrowed)
    attempts.push({ name: `an old ${kind} that may only ${lacking}`, ...only(lacking), when: 'late' });
  return attempts;
}
