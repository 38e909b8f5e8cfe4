import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseDuration } from '../../src/platform/config/duration.js';
import type { ModeRegistry } from '../../src/auth/mode-registry.js';
import type { Route } from '../../src/auth/route-table.js';
import { AccessMatrix, addedModes, type Attempt, type Credential } from '../support/access-matrix.js';
import type { Client } from '../support/client.js';
import { signIn, signIns } from '../support/modes/any.js';
// room: api-keys
import { apiKeyOf } from '../support/modes/api-key.js';
// /room
// room: jwt
import { jwtOf } from '../support/modes/jwt.js';
// /room
// room: oauth
import { machineOf } from '../support/modes/machine.js';
// /room
// room: opaque-tokens
import { opaqueOf } from '../support/modes/opaque.js';
// /room
// room: sessions
import { sessionOf } from '../support/modes/session.js';
// /room
import type { Owner, Person } from '../support/person.js';
import { TestServer } from '../support/server.js';
import type { ScopeCatalogue } from './access-matrix.fixture.js';

interface Made {
  readonly client: Client;
  /** The key that the credential is, or that it was exchanged for. */
  readonly keyId?: string;
}
type Maker = (owner: any, scopes: string[]) => Promise<Made>;

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

/** Makes a credential of each kind. */
const MAKERS: Record<string, Maker> = {
  // room: sessions
  session: async (person: Person) => ({ client: await sessionOf(person) }),
  // /room
  // room: jwt
  jwt: async (person: Person, scopes) => ({ client: await jwtOf(person, { scope: scopes.join(' ') }) }),
  // /room
  // room: opaque-tokens
  opaque: async (person: Person, scopes) => ({ client: await opaqueOf(person, { scope: scopes.join(' ') }) }),
  // /room
  // room: own-api-keys
  'api-key': (person: Person, scopes) => makeKey(person, scopes),
  // /room
  // room: service-accounts
  'api-key of a service': (service: Owner, scopes) => makeKey(service, scopes),
  // /room
  // room: oauth
  'jwt of a machine': async (person: Person, scopes) => {
    const client = await machineOf(person, scopes, { expiresAt: inAnHour() });
    return { client, keyId: client.key.id };
  },
  // /room
};

// room: api-keys
async function makeKey(owner: Owner, scopes: string[]): Promise<Made> {
  const client = await apiKeyOf(owner, scopes, { expiresAt: inAnHour() });
  return { client, keyId: client.id };
}
// /room

const OWNERS: Record<string, (server: TestServer) => Promise<Owner>> = {
  // room: users
  user: (server) => server.person(),
  administrator: (server) => server.administrator(),
  // /room
  // room: service-accounts
  service: (server) => server.serviceAccount(),
  // /room
};

// What the application declares, before Jest collects the tests.
const server = await TestServer.start({
  fixture: 'test/auth/access-matrix.fixture.ts#parcels',
  // An old sign-in needs a token that outlives REAUTHENTICATION_WINDOW.
  // However slow the machine is, the feed is current: a plain JWT is believed.
  env: { ACCESS_TOKEN_TTL: '15m', RATE_LIMITS: 'off', FEED_MAX_LAG: '20s' },
});
afterAll(() => server.stop());
const modes = await server.provider<ModeRegistry>('ModeRegistry').all();
const added = addedModes(modes);
const kinds = Object.keys(MAKERS);
const matrix = new AccessMatrix(await server.provider<ScopeCatalogue>('ScopeCatalogue').declared(), kinds);
const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const cases = (await server.routes()).map((route) => ({
  name: nameOf(route),
  route,
  attempts: matrix.attemptsOn(route).map((attempt) => ({
    attempt,
    expected: matrix.expectedAnswer(route, attempt),
  })),
}));

/** A call without a body, or to the id of nothing, can destroy only the credential that it carries. */
const mayDestroy = ({ method, path, policy }: Route) =>
  !policy.public && method !== 'GET' && !path.includes(':');

const MOMENTS: Attempt['when'][] = [undefined, 'late', 'expired'];

type Headers = Readonly<Record<string, string>>;

const MALFORMED: Record<string, Headers> = {
  session: { Cookie: '__Host-session=not-a-secret' },
  jwt: { Authorization: 'Bearer not.a.token' },
  opaque: { Authorization: 'Bearer at_not-a-token' },
  // Like a person's, but not the same.
  'jwt of a machine': { Authorization: 'Bearer not.a-machine.token' },
  'api-key': { 'X-API-Key': 'not-a-key' },
  'api-key of a service': { 'X-API-Key': 'not-a-key-either' },
  basic: { Authorization: 'Basic YWRhOmFkYQ==' },
};

/** Makes the credentials, each for an owner of its own. */
class Wallet {
  readonly #kept = new Map<string, Promise<Headers>>();
  #administrator: Promise<Client> | undefined;

  headersOf(credential: Credential, fresh: boolean): Promise<Headers> {
    if (fresh && ['good', 'row changed', 'role lost'].includes(credential.state))
      return this.#make(credential);
    const key = JSON.stringify(credential);
    const kept = this.#kept.get(key) ?? this.#make(credential);
    this.#kept.set(key, kept);
    return kept;
  }

  async #make(credential: Credential): Promise<Headers> {
    const { kind, state, scopes, inAuthorization } = credential;
    if (state === 'malformed') return MALFORMED[kind]!;
    const owner = await OWNERS[credential.owner]!(server);
    const made = await MAKERS[kind]!(owner, [...scopes]);
    if (state === 'unknown') return this.#unknown(made);
    if (state === 'revoked') await this.#revoke(made, owner, credential);
    // Only a believed token needs the announcement. For the others the row alone must be the reason of the refusal.
    const isBelieved = kind.startsWith('jwt');
    if (state === 'row changed' || (state === 'owner disabled' && !isBelieved)) {
      const table = credential.owner === 'service' ? 'service_accounts' : 'users';
      await server.query(`UPDATE ${table} SET status = 'disabled' WHERE id = $1`, [owner.id]);
    } else if (state === 'owner disabled') await this.#disable(owner);
    if (state === 'role lost') await server.query(`UPDATE users SET roles = '{}' WHERE id = $1`, [owner.id]);
    const { headers } = made.client;
    return inAuthorization ? { Authorization: `ApiKey ${headers['X-API-Key']}` } : headers;
  }

  async #disable({ id }: Owner): Promise<void> {
    this.#administrator ??= OWNERS['administrator']!(server).then((administrator) =>
      signIns[0]!.of(administrator as Person, { scope: 'admin:users' }),
    );
    const path = `/v1/admin/users/${id}/status`;
    expect((await (await this.#administrator).put(path, { status: 'disabled' })).status).toBe(200);
  }

  /** Well-formed, and nobody's. */
  async #unknown({ client: { headers }, keyId }: Made): Promise<Headers> {
    const { Cookie, Authorization } = headers;
    if (Cookie) return { Cookie: `__Host-session=${randomBytes(32).toString('base64url')}` };
    if (Authorization?.includes('at_'))
      return { Authorization: `Bearer at_${randomBytes(32).toString('base64url')}` };
    if (Authorization)
      return { Authorization: Authorization.replace(/[^.]+$/, randomBytes(64).toString('base64url')) };
    await server.query('DELETE FROM api_keys WHERE id = $1', [keyId]);
    return headers;
  }

  async #revoke({ client, keyId }: Made, owner: Owner, credential: Credential): Promise<void> {
    if (credential.owner === 'service') {
      await server.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [keyId]);
      return;
    }
    const { status } = keyId
      ? await (await signIn(owner as Person)).delete(`/v1/api-keys/${keyId}`)
      : await client.delete('/v1/sessions/current');
    expect(status).toBe(204);
  }
}

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly challenges: string[];
  readonly body: string;
}

const agent = new Agent({ keepAlive: true });
afterAll(() => agent.destroy());

/** By node:http, since fetch joins a header that is there twice. */
function send(method: string, url: URL, headers: [string, string][]): Promise<RawAnswer> {
  const pairs = [['Host', url.host], ['Content-Length', '0'], ...headers].flat();
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: pairs }, (answer) => {
      const challenges = (answer.headersDistinct['www-authenticate'] ?? []).toSorted();
      text(answer).then(
        (body) => resolve({ status: answer.statusCode!, headers: answer.headers, challenges, body }),
        reject,
      );
    });
    sent.on('error', reject).end();
  });
}

/** Problems that only the guard has. A request that got one of them has not passed. */
const REFUSALS = new Set(
  cases
    .flatMap(({ attempts }) => attempts)
    .flatMap(({ expected }) => (expected === 'passes' ? [] : [expected.slug])),
);

/** The guard's refusals in the form of OAuth's endpoints. Their other answers are their own. */
function judgeOAuth({ status, challenges, body }: RawAnswer) {
  const { error, error_description: detail } = body ? JSON.parse(body) : {};
  if (status >= 500) return body;
  if (!/^The query parameter '\w+' is not accepted/.test(detail)) return 'passes';
  expect(error).toBe('invalid_request');
  return { status, slug: 'credential-in-url', challenges };
}

function judge({ path, policy }: Route, answer: RawAnswer) {
  const { status, headers, challenges, body } = answer;
  if (path.startsWith('/oauth/')) return judgeOAuth(answer);
  if (!headers['content-type']?.startsWith('application/problem+json')) return status < 400 ? 'passes' : body;
  const problem = JSON.parse(body);
  const slug: string = problem.type.replace('/problems/', '');
  // A room's own requirement is checked last.
  const last = policy.public ? [] : policy.requires.flatMap(({ definition }) => definition.problems);
  if (last.includes(slug)) return 'passes';
  // The handler of a public route can answer 401: the guard does not check a refresh token.
  const refused = REFUSALS.has(slug) || (!policy.public && [401, 403].includes(status));
  if (status < 500 && !refused) return 'passes';
  expect(problem).toMatchObject({ status, instance: headers['x-request-id'] });
  return { status, slug, challenges };
}

describe('the access matrix', () => {
  const wallet = new Wallet();

  async function headersFor(attempt: Attempt, fresh: boolean): Promise<[string, string][]> {
    const headers: [string, string][] = [];
    const add = (more: Headers) => headers.push(...Object.entries(more));
    for (const credential of attempt.explicit ?? []) add(await wallet.headersOf(credential, fresh));
    if (attempt.cookie) {
      const { 'X-CSRF-Token': token, ...cookie } = await wallet.headersOf(attempt.cookie, fresh);
      add(cookie);
      if (attempt.csrfToken === 'wrong') add({ 'X-CSRF-Token': await csrfTokenOfAnother(attempt.cookie) });
      else if (!attempt.csrfToken && token) add({ 'X-CSRF-Token': token });
    }
    if (attempt.foreign) add(attempt.foreign);
    return headers;
  }

  async function csrfTokenOfAnother(session: Credential): Promise<string> {
    const other = await wallet.headersOf({ ...session, state: 'revoked' }, false);
    return other['X-CSRF-Token']!;
  }

  /** Sends all attempts of one moment at once. */
  async function answersTo(
    route: Route,
    attempts: readonly Attempt[],
    makesFresh: (attempt: Attempt) => boolean,
  ) {
    const requests: [Attempt, [string, string][]][] = [];
    for (const attempt of attempts) requests.push([attempt, await headersFor(attempt, makesFresh(attempt))]);
    // Only the time of day: if eight days passed, the node would forget its revocations, and a reset could not undo that.
    const when = attempts[0]?.when;
    if (when) await server.clock.set(parseDuration(when === 'late' ? '11m' : '8d')!);
    const answers = requests.map(async ([attempt, headers]): Promise<[string, unknown]> => {
      const url = new URL(
        route.path.replaceAll(/:\w+/g, () => randomUUID()),
        server.url,
      );
      if (attempt.urlParameter) url.searchParams.set(attempt.urlParameter, 'secret');
      return [attempt.name, judge(route, await send(route.method, url, headers))];
    });
    try {
      return await Promise.all(answers);
    } finally {
      if (when) await server.clock.reset();
    }
  }

  it.each(cases)('[V8.3.1] gives every attempt on $name its declared answer', async ({ route, attempts }) => {
    const passes = new Set(
      attempts.filter(({ expected }) => expected === 'passes').map(({ attempt }) => attempt),
    );
    const seen = new Map<string, unknown>();
    for (const moment of MOMENTS) {
      const now = attempts.map(({ attempt }) => attempt).filter(({ when }) => when === moment);
      const answers = await answersTo(route, now, (attempt) => passes.has(attempt) && mayDestroy(route));
      for (const [name, answer] of answers) seen.set(name, answer);
    }
    expect(Object.fromEntries(seen)).toEqual(
      Object.fromEntries(attempts.map(({ attempt, expected }) => [attempt.name, expected])),
    );
    expect(seen.size).toBe(attempts.length);
  });

  it('has the routes of a new controller', () => {
    expect(cases.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['GET /v1/parcels', 'GET /v1/parcels/costs', 'GET /v1/parcel-rates']),
    );
  });

  it('has a credential of every registered mode of the template', () => {
    const ofTemplate = modes.map(({ name }): string => name).filter((name) => !added.includes(name));
    expect(new Set(ofTemplate)).toEqual(new Set(kinds.map((kind) => kind.split(' ')[0]!)));
  });

  it('has every kind of credential, in every way to be bad', () => {
    const { attempts } = cases.find(({ name }) => name === 'GET /v1/parcels')!;
    const names = attempts.map(({ attempt }) => attempt.name);
    for (const kind of kinds)
      for (const state of ['malformed', 'unknown', 'revoked', 'expired'])
        expect(names).toContainEqual(expect.stringMatching(new RegExp(`^an? ${state} ${kind}$`)));
  });
});
