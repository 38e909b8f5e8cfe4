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
  /** How long after the sign-in: within REAUTHENTICATION_WINDOW, after it, or after all expiries. */
  readonly when?: 'late' | 'expired';
}

export interface Refusal {
  readonly status: number;
  readonly slug: string;
  /** The WWW-Authenticate headers, sorted. */
  readonly challenges: readonly string[];
}

/** The answer that the contract gives: the checks in its order, and the first that fails answers. */
export function expectedAnswer({ method, policy }: Pick<Route, 'method' | 'policy'>, attempt: Attempt) {
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

/** Every attempt on a route, with credentials of the modes that are there. */
export function attemptsOn({ policy }: Pick<Route, 'policy'>, modes: readonly string[]): Attempt[] {
  const attempts = [
    { name: 'no credential' },
    ...modes.flatMap((mode) => good(mode)),
    ...modes.flatMap((mode) => bad(mode)),
    ...several(modes),
    ...URL_PARAMETERS.map((name) => ({ name: `a credential in ?${name}=`, urlParameter: name })),
    ...(modes.includes('session') ? crossSite() : []),
    ...(policy.public ? [] : modes.flatMap((mode) => tooLittle(policy, mode))),
  ];
  return policy.public ? attempts.filter(isOfInterestInPublic) : attempts;
}

/** No credential is read there, so one bad credential of each mode is enough. */
const isOfInterestInPublic = ({ explicit = [], cookie, urlParameter, foreign }: Attempt) =>
  urlParameter !== undefined ||
  foreign !== undefined ||
  [...explicit, cookie].every((credential) => credential?.state !== 'good') ||
  explicit.length > 1;

function good(mode: string): Attempt[] {
  if (mode === 'session')
    return [
      { name: 'a session', cookie: of(mode) },
      { name: 'the session of an administrator', cookie: ADMINISTRATOR },
    ];
  const attempts: Attempt[] = [{ name: a(mode), ...present(of(mode)) }];
  if (mode === 'api-key')
    attempts.push({ name: 'an api-key in Authorization', explicit: [KEY_IN_AUTHORIZATION] });
  return attempts;
}

const ADMINISTRATOR: Credential = {
  mode: 'session',
  state: 'good',
  scopes: [...USER_SCOPES, ...ADMIN_SCOPES],
};
const KEY_IN_AUTHORIZATION: Credential = { ...of('api-key'), inAuthorization: true };

/** Malformed, unknown, revoked, owner disabled, expired: all of them without a CSRF token, which is asked for later. */
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

function tooLittle(policy: ProtectedPolicy, mode: string): Attempt[] {
  const attempts: Attempt[] = [];
  const lacking = USER_SCOPES.find((scope) => !policy.scopes.includes(scope))!;
  const first = policy.scopes.slice(0, 1);
  const narrow = (scopes: readonly Scope[]) => ({ ...present({ ...of(mode), scopes }) });
  if (mode !== 'session' && policy.scopes.length > 0) {
    attempts.push({ name: `${a(mode)} that may only ${lacking}`, ...narrow([lacking]) });
    if (policy.scopes.length > 1 && first.every((scope) => contractOf(mode).holds.includes(scope)))
      attempts.push({ name: `${a(mode)} that may only ${first[0]}`, ...narrow(first) });
  }
  if (policy.recentSignIn && contractOf(mode).person) {
    attempts.push({ name: `an old ${mode}`, ...present(of(mode)), when: 'late' });
    if (mode === 'session')
      attempts.push({ name: 'the old session of an administrator', cookie: ADMINISTRATOR, when: 'late' });
    else
      attempts.push({ name: `an old ${mode} that may only ${lacking}`, ...narrow([lacking]), when: 'late' });
  }
  return attempts;
}

/** Two explicit ones are refused however good they are, and one wins over the cookie however good that is. */
function several(modes: readonly string[]): Attempt[] {
  const cookie = modes.includes('session') ? of('session') : undefined;
  const explicit = modes.filter((mode) => mode !== 'session');
  const attempts = explicit.map((mode): Attempt => ({
    name: `one ${mode} twice`,
    explicit: [of(mode), of(mode)],
  }));
  if (explicit.length > 1)
    attempts.push({ name: explicit.map(a).join(' and '), explicit: explicit.map((mode) => of(mode)) });
  if (modes.includes('api-key'))
    attempts.push({ name: 'an api-key in both headers', explicit: [of('api-key'), KEY_IN_AUTHORIZATION] });
  if (!cookie) return attempts;
  for (const mode of explicit)
    attempts.push(
      { name: `a malformed ${mode} beside a good cookie`, explicit: [of(mode, 'malformed')], cookie },
      { name: `${a(mode)} beside a bad cookie`, explicit: [of(mode)], cookie: of('session', 'unknown') },
    );
  attempts.push({ name: 'Basic beside a good cookie', explicit: [BASIC], cookie });
  return attempts;
}

/** A scheme that nobody here knows. */
const BASIC: Credential = { mode: 'basic', state: 'malformed', scopes: [] };

function crossSite(): Attempt[] {
  const cookie = of('session');
  return [
    { name: 'a session without X-CSRF-Token', cookie, csrfToken: 'missing' },
    { name: 'a session and the CSRF token of another', cookie, csrfToken: 'wrong' },
    { name: 'a session from another origin', cookie, foreign: { Origin: 'https://evil.example' } },
    { name: 'a session from an opaque origin', cookie, foreign: { Origin: 'null' } },
    { name: 'a session from another site', cookie, foreign: { 'Sec-Fetch-Site': 'cross-site' } },
  ];
}
