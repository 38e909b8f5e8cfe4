import type { ProtectedPolicy } from '../../src/auth/access-policy.js';
import type { ModeDefinition } from '../../src/auth/mode-registry.js';
import type { Route } from '../../src/auth/route-table.js';

/** The scopes of an application, by who can have them. */
export interface DeclaredScopes {
  readonly user: readonly string[];
  readonly key: readonly string[];
  readonly administrator: readonly string[];
}

interface Kind {
  readonly mode: string;
  readonly person: boolean;
  readonly holds: 'user' | 'key';
  /** Its owner is a service account. */
  readonly service?: boolean;
  /** On a route that is not live, only an announcement revokes it. */
  readonly believed?: boolean;
}

/** What the contract says of each kind of credential. A new kind goes here and into `MAKERS` of access-matrix.spec.ts. */
const KINDS: Record<string, Kind> = {
  session: { mode: 'session', person: true, holds: 'user' },
  jwt: { mode: 'jwt', person: true, holds: 'user', believed: true },
  opaque: { mode: 'opaque', person: true, holds: 'user' },
  'api-key': { mode: 'api-key', person: false, holds: 'key' },
  'api-key of a service': { mode: 'api-key', person: false, holds: 'key', service: true },
  'jwt of a machine': { mode: 'jwt', person: false, holds: 'key' },
};

const SCHEMES: Record<string, string> = {
  session: 'Session',
  jwt: 'Bearer',
  opaque: 'Bearer',
  'api-key': 'ApiKey',
};

const contractOf = (kind: string): Kind => KINDS[kind]!;
const schemeOf = (mode: string): string => SCHEMES[mode]!;

const MAX_AGE = 'max_age="600"';
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
const URL_PARAMETERS = ['access_token', 'api_key', 'apikey', 'token', 'session'];

export interface Credential {
  readonly kind: string;
  /**
   * `row changed`: the owner is disabled in the database, without an announcement. `role lost`: the owner is no
   * administrator any more, without an announcement.
   */
  readonly state:
    'good' | 'malformed' | 'unknown' | 'revoked' | 'owner disabled' | 'row changed' | 'role lost';
  readonly owner: 'user' | 'administrator' | 'service';
  readonly scopes: readonly string[];
  /** `Authorization: ApiKey` in place of `X-API-Key`. */
  readonly inAuthorization?: boolean;
}

/** One request to a route. */
export interface Attempt {
  /** After "GET /v1/probes with ". */
  readonly name: string;
  /** In headers. */
  readonly explicit?: readonly Credential[];
  readonly cookie?: Credential;
  /** Of the session in the cookie. By default the right one. */
  readonly csrfToken?: 'missing' | 'wrong';
  /** Headers of a browser that another site made send the request. */
  readonly foreign?: Readonly<Record<string, string>>;
  readonly urlParameter?: string;
  /** After REAUTHENTICATION_WINDOW, or after all expiries. By default at once. */
  readonly when?: 'late' | 'expired';
}

export interface Refusal {
  readonly status: number;
  readonly slug: string;
  /** The WWW-Authenticate headers, sorted. */
  readonly challenges: readonly string[];
}

/**
 * The modes that the contract does not have, because a project has added them. Their own specs present their credentials.
 * The matrix expects their challenges.
 */
export function addedModes(modes: readonly Pick<ModeDefinition, 'name' | 'scheme'>[]): string[] {
  const added = modes.filter(({ name }) => !SCHEMES[name]);
  for (const { name, scheme } of added) SCHEMES[name] = scheme;
  return added.map(({ name }) => name);
}

const refusal = (status: number, slug: string, challenges: string[] = []): Refusal => ({
  status,
  slug,
  challenges: challenges.toSorted(),
});

/** One for each scheme that the route accepts. For Bearer, it says whether the token failed. */
function challenges({ modes }: ProtectedPolicy, failed?: string): string[] {
  const failedBearer = failed && schemeOf(failed) === 'Bearer' ? ', error="invalid_token"' : '';
  const schemes = new Set(modes.map(schemeOf));
  return [...schemes].map((scheme) => `${scheme} realm="api"${scheme === 'Bearer' ? failedBearer : ''}`);
}

const a = (words: string) => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;

/** Presents a credential as its mode does: in the cookie, or in a header. */
const present = (credential: Credential): Pick<Attempt, 'cookie' | 'explicit'> =>
  credential.kind === 'session' ? { cookie: credential } : { explicit: [credential] };

/** A scheme that no mode has. */
const BASIC: Credential = { kind: 'basic', state: 'malformed', owner: 'user', scopes: [] };

/** Every attempt on a route, and the answer that the contract gives to it. */
export class AccessMatrix {
  constructor(
    private readonly scopes: DeclaredScopes,
    /** The kinds of credentials that the application has. */
    private readonly kinds: readonly string[],
  ) {}

  /** The checks in the order of the contract. The first that fails answers. */
  expectedAnswer({ method, policy }: Pick<Route, 'method' | 'policy'>, attempt: Attempt): Refusal | 'passes' {
    const { explicit = [], cookie, foreign, urlParameter } = attempt;
    if (urlParameter) return refusal(400, 'credential-in-url');
    if (policy.public) return policy.sameOrigin && foreign ? refusal(403, 'csrf') : 'passes';
    if (explicit.length > 1) return refusal(400, 'ambiguous-credentials');
    const credential = explicit[0] ?? cookie;
    if (!credential) return refusal(401, 'credential-required', challenges(policy));
    const contract = KINDS[credential.kind];
    if (!contract || !(policy.modes as readonly string[]).includes(contract.mode))
      return refusal(401, 'mode-not-accepted', challenges(policy));
    const { mode, believed } = contract;
    // A role can be lost at any time, so a token that names admin:* is never believed.
    const isBelieved = believed && !policy.live && credential.owner !== 'administrator';
    const isGood =
      ['good', 'role lost'].includes(credential.state) || (credential.state === 'row changed' && isBelieved);
    if (!isGood || attempt.when === 'expired')
      return refusal(401, 'invalid-credential', challenges(policy, mode));
    const cookieMayWrite = attempt.csrfToken === undefined || SAFE_METHODS.includes(method);
    if (mode === 'session' && (foreign || !cookieMayWrite)) return refusal(403, 'csrf');
    return this.#authorized(policy, credential, attempt.when === 'late');
  }

  #authorized(policy: ProtectedPolicy, credential: Credential, isLate: boolean): Refusal | 'passes' {
    const { mode, person, service } = contractOf(credential.kind);
    const scheme = schemeOf(mode);
    if ((policy.person && !person) || (policy.user && service)) return refusal(403, 'person-required');
    const held = credential.state === 'role lost' ? this.scopes.user : credential.scopes;
    const missing = policy.scopes.filter((scope) => !held.includes(scope)).join(' ');
    if (missing)
      return refusal(403, 'insufficient-scope', [
        `${scheme} realm="api", error="insufficient_scope", scope="${missing}"`,
      ]);
    if (policy.recentSignIn && isLate)
      return refusal(401, 'insufficient-user-authentication', [
        `${scheme} realm="api", error="insufficient_user_authentication", ${MAX_AGE}`,
      ]);
    return 'passes';
  }

  attemptsOn({ policy }: Pick<Route, 'policy'>): Attempt[] {
    const attempts: Attempt[] = [
      { name: 'no credential' },
      ...this.kinds.flatMap((kind) => this.#bad(kind)),
      ...this.#two(),
      ...this.#fromElsewhere(),
      ...URL_PARAMETERS.map((name) => ({ name: `a credential in ?${name}=`, urlParameter: name })),
    ];
    if (policy.public) return attempts;
    return [
      ...attempts,
      ...this.kinds.flatMap((kind) => this.#good(kind)),
      ...this.#besideCookie(),
      ...this.#withoutCsrfToken(),
      ...this.kinds.flatMap((kind) => this.#tooLittle(policy, kind)),
      ...this.kinds.flatMap((kind) => this.#unannounced(kind)),
    ];
  }

  #of(kind: string, state: Credential['state'] = 'good'): Credential {
    const { holds, service } = contractOf(kind);
    return { kind, state, owner: service ? 'service' : 'user', scopes: this.scopes[holds] };
  }

  /** With all that an administrator can do. A token asked for it by name. */
  #ofAdministrator(kind: string, state?: Credential['state']): Credential {
    return { ...this.#of(kind, state), owner: 'administrator', scopes: this.scopes.administrator };
  }

  get #keyInAuthorization(): Credential {
    return { ...this.#of('api-key'), inAuthorization: true };
  }

  get #explicit(): string[] {
    return this.kinds.filter((kind) => kind !== 'session');
  }

  get #hasSessions(): boolean {
    return this.kinds.includes('session');
  }

  #good(kind: string): Attempt[] {
    const attempts: Attempt[] = [{ name: a(kind), ...present(this.#of(kind)) }];
    if (contractOf(kind).person)
      attempts.push(
        { name: `${a(kind)} of an administrator`, ...present(this.#ofAdministrator(kind)) },
        {
          name: `${a(kind)} of a former administrator, changed in the database only`,
          ...present(this.#ofAdministrator(kind, 'role lost')),
        },
      );
    if (kind === 'api-key')
      attempts.push({ name: 'an api-key in Authorization', explicit: [this.#keyInAuthorization] });
    return attempts;
  }

  /** All without a CSRF token, which is checked after the credential. */
  #bad(kind: string): Attempt[] {
    const csrfToken = 'missing';
    return [
      { name: `a malformed ${kind}`, ...present(this.#of(kind, 'malformed')), csrfToken },
      { name: `an unknown ${kind}`, ...present(this.#of(kind, 'unknown')), csrfToken },
      { name: `a revoked ${kind}`, ...present(this.#of(kind, 'revoked')), csrfToken },
      { name: `${a(kind)} of a disabled owner`, ...present(this.#of(kind, 'owner disabled')), csrfToken },
      { name: `an expired ${kind}`, ...present(this.#of(kind)), csrfToken, when: 'expired' },
    ];
  }

  /** Refused, however good they are. */
  #two(): Attempt[] {
    const explicit = this.#explicit;
    const attempts = explicit.map((kind): Attempt => ({
      name: `one ${kind} twice`,
      explicit: [this.#of(kind), this.#of(kind)],
    }));
    for (const [i, kind] of explicit.slice(1).entries())
      attempts.push({
        name: `${a(explicit[i]!)} and ${a(kind)}`,
        explicit: [this.#of(explicit[i]!), this.#of(kind)],
      });
    if (this.kinds.includes('api-key'))
      attempts.push({
        name: 'an api-key in both headers',
        explicit: [this.#of('api-key'), this.#keyInAuthorization],
      });
    return attempts;
  }

  /** What another site can make a browser send. The browser adds only the cookie by itself. */
  #fromElsewhere(): Attempt[] {
    const foreign = { Origin: 'https://evil.example' };
    const attempts = this.kinds.map((kind) => ({
      name: `${a(kind)} from another origin`,
      ...present(this.#of(kind)),
      foreign,
    }));
    if (!this.#hasSessions) return attempts;
    const cookie = this.#of('session');
    return [
      ...attempts,
      { name: 'a session from an opaque origin', cookie, foreign: { Origin: 'null' } },
      { name: 'a session from another site', cookie, foreign: { 'Sec-Fetch-Site': 'cross-site' } },
    ];
  }

  #withoutCsrfToken(): Attempt[] {
    if (!this.#hasSessions) return [];
    const cookie = this.#of('session');
    return [
      { name: 'a session without X-CSRF-Token', cookie, csrfToken: 'missing' },
      { name: 'a session and the CSRF token of another', cookie, csrfToken: 'wrong' },
    ];
  }

  /** An explicit credential wins over the cookie, however bad it is and however good the cookie. */
  #besideCookie(): Attempt[] {
    if (!this.#hasSessions) return [];
    const cookie = this.#of('session');
    return [
      { name: 'Basic beside a good cookie', explicit: [BASIC], cookie },
      ...this.#explicit.flatMap((kind) => [
        { name: `a malformed ${kind} beside a good cookie`, explicit: [this.#of(kind, 'malformed')], cookie },
        {
          name: `${a(kind)} beside a bad cookie`,
          explicit: [this.#of(kind)],
          cookie: this.#of('session', 'unknown'),
        },
      ]),
    ];
  }

  /** A believed credential does not notice a change without an announcement, unless the route is live. */
  #unannounced(kind: string): Attempt[] {
    if (!contractOf(kind).believed) return [];
    const attempts: Attempt[] = [
      {
        name: `${a(kind)} whose owner is disabled in the database only`,
        ...present(this.#of(kind, 'row changed')),
      },
    ];
    if (contractOf(kind).person)
      attempts.push({
        name: `${a(kind)} of an administrator who is disabled in the database only`,
        ...present(this.#ofAdministrator(kind, 'row changed')),
      });
    return attempts;
  }

  /** Too few scopes, and a sign-in too long ago. A session always has all scopes of its user. */
  #tooLittle(policy: ProtectedPolicy, kind: string): Attempt[] {
    const { person } = contractOf(kind);
    const { scopes } = this.#of(kind);
    const [first] = policy.scopes as readonly string[];
    const lacking = this.scopes.key.find((scope) => !(policy.scopes as readonly string[]).includes(scope))!;
    const attempts: Attempt[] = [];
    const only = (scope: string) => present({ ...this.#of(kind), scopes: [scope] });
    const isNarrowed = kind !== 'session' && first !== undefined;
    if (isNarrowed) attempts.push({ name: `${a(kind)} with only ${lacking}`, ...only(lacking) });
    if (isNarrowed && policy.scopes.length > 1 && scopes.includes(first))
      attempts.push({ name: `${a(kind)} with only ${first}`, ...only(first) });
    if (!policy.recentSignIn || !person) return attempts;
    attempts.push({ name: `an old ${kind}`, ...present(this.#of(kind)), when: 'late' });
    attempts.push({
      name: `an old ${kind} of an administrator`,
      ...present(this.#ofAdministrator(kind)),
      when: 'late',
    });
    if (isNarrowed)
      attempts.push({ name: `an old ${kind} with only ${lacking}`, ...only(lacking), when: 'late' });
    return attempts;
  }
}
