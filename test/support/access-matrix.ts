import type { ProtectedPolicy } from '../../src/auth/access-policy.js';
import type { Route } from '../../src/auth/route-table.js';
import { ADMIN_SCOPES, type Scope, USER_SCOPES } from '../../src/auth/scopes.js';

/** What the contract says of each mode. A new mode goes here, and into the wallet of access-matrix.spec.ts. */
const MODES: Record<string, { scheme: string; person: boolean; holds: readonly Scope[] }> = {
  session: { scheme: 'Session', person: true, holds: USER_SCOPES },
  jwt: { scheme: 'Bearer', person: true, holds: USER_SCOPES },
  'api-key': {
    scheme: 'ApiKey',
    person: false,
    holds: USER_SCOPES.filter((scope) => scope !== 'account:security'),
  },
};

function contractOf(mode: string) {
  const known = MODES[mode];
  if (!known) throw new Error(`the access matrix does not know the mode "${mode}": it goes into MODES`);
  return known;
}

const MAX_AGE = 'max_age="600"';
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
const URL_PARAMETERS = ['access_token', 'api_key', 'apikey', 'token', 'session'];

export interface Credential {
  readonly mode: string;
  readonly state: 'good' | 'malformed' | 'unknown' | 'revoked' | 'owner disabled';
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
  const { mode, state, scopes } = credential;
  if (!(policy.modes as readonly string[]).includes(mode))
    return refusal(401, 'mode-not-accepted', challenges(policy));
  if (state !== 'good' || when === 'expired')
    return refusal(401, 'invalid-credential', challenges(policy, mode));

  const cookieMayWrite = csrfToken === undefined || SAFE_METHODS.includes(method);
  if (mode === 'session' && (foreign || !cookieMayWrite)) return refusal(403, 'csrf');
  const { person, scheme } = contractOf(mode);
  if (policy.person && !person) return refusal(403, 'person-required');
  const missing = policy.scopes.filter((scope) => !scopes.includes(scope)).join(' ');
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
  const failedBearer = failed && contractOf(failed).scheme === 'Bearer' ? ', error="invalid_token"' : '';
  const schemes = new Set(modes.map((mode) => contractOf(mode).scheme));
  return [...schemes].map((scheme) => `${scheme} realm="api"${scheme === 'Bearer' ? failedBearer : ''}`);
}

const a = (words: string) => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;

const of = (mode: string, state: Credential['state'] = 'good'): Credential => ({
  mode,
  state,
  scopes: contractOf(mode).holds,
});

/** Presents a credential as its mode does: in the cookie, or in a header. */
const present = (credential: Credential): Pick<Attempt, 'cookie' | 'explicit'> =>
  credential.mode === 'session' ? { cookie: credential } : { explicit: [credential] };

const ADMINISTRATOR: Credential = { ...of('session'), scopes: [...USER_SCOPES, ...ADMIN_SCOPES] };
const KEY_IN_AUTHORIZATION: Credential = { ...of('api-key'), inAuthorization: true };
/** A scheme that nobody here knows. */
const BASIC: Credential = { mode: 'basic', state: 'malformed', scopes: [] };

/** Every attempt on a route, with credentials of the modes that are there. */
export function attemptsOn({ policy }: Pick<Route, 'policy'>, modes: readonly string[]): Attempt[] {
  const attempts: Attempt[] = [
    { name: 'no credential' },
    ...modes.flatMap((mode) => bad(mode)),
    ...two(modes),
    ...fromElsewhere(modes),
    ...URL_PARAMETERS.map((name) => ({ name: `a credential in ?${name}=`, urlParameter: name })),
  ];
  if (policy.public) return attempts;
  return [
    ...attempts,
    ...modes.flatMap((mode) => good(mode)),
    ...besideCookie(modes),
    ...withoutCsrfToken(modes),
    ...modes.flatMap((mode) => tooLittle(policy, mode)),
  ];
}

function good(mode: string): Attempt[] {
  const attempts: Attempt[] = [{ name: a(mode), ...present(of(mode)) }];
  if (mode === 'session') attempts.push({ name: 'the session of an administrator', cookie: ADMINISTRATOR });
  if (mode === 'api-key')
    attempts.push({ name: 'an api-key in Authorization', explicit: [KEY_IN_AUTHORIZATION] });
  return attempts;
}

/** All without a CSRF token, which is asked for after the credential. */
function bad(mode: string): Attempt[] {
  const csrfToken = 'missing';
  return [
    { name: `a malformed ${mode}`, ...present(of(mode, 'malformed')), csrfToken },
    { name: `an unknown ${mode}`, ...present(of(mode, 'unknown')), csrfToken },
    { name: `a revoked ${mode}`, ...present(of(mode, 'revoked')), csrfToken },
    { name: `${a(mode)} of a disabled user`, ...present(of(mode, 'owner disabled')), csrfToken },
    { name: `an expired ${mode}`, ...present(of(mode)), csrfToken, when: 'expired' },
  ];
}

/** However good they are. */
function two(modes: readonly string[]): Attempt[] {
  const explicit = modes.filter((mode) => mode !== 'session');
  const attempts = explicit.map((mode): Attempt => ({
    name: `one ${mode} twice`,
    explicit: [of(mode), of(mode)],
  }));
  if (explicit.length > 1)
    attempts.push({ name: explicit.map(a).join(' and '), explicit: explicit.map((mode) => of(mode)) });
  if (modes.includes('api-key'))
    attempts.push({ name: 'an api-key in both headers', explicit: [of('api-key'), KEY_IN_AUTHORIZATION] });
  return attempts;
}

/** What another site can make a browser send. Only a cookie comes along by itself. */
function fromElsewhere(modes: readonly string[]): Attempt[] {
  const foreign = { Origin: 'https://evil.example' };
  const attempts = modes.map((mode) => ({
    name: `${a(mode)} from another origin`,
    ...present(of(mode)),
    foreign,
  }));
  if (!modes.includes('session')) return attempts;
  const cookie = of('session');
  return [
    ...attempts,
    { name: 'a session from an opaque origin', cookie, foreign: { Origin: 'null' } },
    { name: 'a session from another site', cookie, foreign: { 'Sec-Fetch-Site': 'cross-site' } },
  ];
}

function withoutCsrfToken(modes: readonly string[]): Attempt[] {
  if (!modes.includes('session')) return [];
  const cookie = of('session');
  return [
    { name: 'a session without X-CSRF-Token', cookie, csrfToken: 'missing' },
    { name: 'a session and the CSRF token of another', cookie, csrfToken: 'wrong' },
  ];
}

/** What is explicit wins over the cookie, however bad it is and however good the cookie. */
function besideCookie(modes: readonly string[]): Attempt[] {
  if (!modes.includes('session')) return [];
  const cookie = of('session');
  const explicit = modes.filter((mode) => mode !== 'session');
  return [
    { name: 'Basic beside a good cookie', explicit: [BASIC], cookie },
    ...explicit.flatMap((mode) => [
      { name: `a malformed ${mode} beside a good cookie`, explicit: [of(mode, 'malformed')], cookie },
      { name: `${a(mode)} beside a bad cookie`, explicit: [of(mode)], cookie: of('session', 'unknown') },
    ]),
  ];
}

/** Too few scopes, and a sign-in too long ago. A session is never narrow: it carries all that its user may do. */
function tooLittle(policy: ProtectedPolicy, mode: string): Attempt[] {
  const { person, holds } = contractOf(mode);
  const [first] = policy.scopes;
  const lacking = USER_SCOPES.find((scope) => !policy.scopes.includes(scope))!;
  const attempts: Attempt[] = [];
  const only = (scope: Scope) => present({ ...of(mode), scopes: [scope] });
  const isNarrowed = mode !== 'session' && first !== undefined;
  if (isNarrowed) attempts.push({ name: `${a(mode)} that may only ${lacking}`, ...only(lacking) });
  if (isNarrowed && policy.scopes.length > 1 && holds.includes(first))
    attempts.push({ name: `${a(mode)} that may only ${first}`, ...only(first) });
  if (!policy.recentSignIn || !person) return attempts;
  attempts.push({ name: `an old ${mode}`, ...present(of(mode)), when: 'late' });
  if (mode === 'session')
    attempts.push({ name: 'the old session of an administrator', cookie: ADMINISTRATOR, when: 'late' });
  if (isNarrowed)
    attempts.push({ name: `an old ${mode} that may only ${lacking}`, ...only(lacking), when: 'late' });
  return attempts;
}
