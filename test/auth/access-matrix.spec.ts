import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Controller, Delete, Get, Module } from '@nestjs/common';
import { Authenticated, Public } from '../../src/auth/authenticated.decorator.js';
import { parseDuration } from '../../src/platform/config/duration.js';
import { ModeRegistry } from '../../src/auth/mode-registry.js';
import { type Route, RouteTable } from '../../src/auth/route-table.js';
import {
  type Attempt,
  attemptsOn,
  type Credential,
  expectedAnswer,
  isAdministrators,
  kindsOf,
} from '../support/access-matrix.js';
import type { Client } from '../support/client.js';
import { type InProcessOptions, InProcessServer } from '../support/in-process.js';
import { apiKeyOf, KeyClient } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { MachineClient, machineOf } from '../support/modes/machine.js';
import { opaqueOf } from '../support/modes/opaque.js';
import { type SessionClient, sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { useStarted } from '../support/server.js';

/** What a user of the template adds. It is in the matrix without another line. */
@Controller('v1/parcels')
@Authenticated({ modes: 'any', scopes: ['probes:read', 'profile:read'] })
class ParcelsController {
  @Get()
  list() {
    return [];
  }

  @Get('costs')
  @Authenticated({ modes: 'any', scopes: ['probes:read'], live: true })
  costs() {
    return [];
  }

  @Delete(':id')
  @Authenticated({ modes: 'person', scopes: ['probes:write', 'account:security'], recentSignIn: true })
  remove() {
    return {};
  }
}

@Controller('v1/parcel-rates')
class ParcelRatesController {
  @Get()
  @Public()
  rates() {
    return [];
  }
}

@Module({ controllers: [ParcelsController, ParcelRatesController] })
class ParcelsModule {}

const OPTIONS: InProcessOptions = {
  modules: [ParcelsModule],
  // An old sign-in needs a token that outlives REAUTHENTICATION_WINDOW.
  // However slow the machine is, the feed is current: a plain JWT is believed.
  env: { ACCESS_TOKEN_TTL: '15m', RATE_LIMITS: 'off', FEED_MAX_LAG: '20s' },
};

/** What the application declares, before Jest collects the tests. */
async function declared(): Promise<{ routes: readonly Route[]; kinds: string[] }> {
  const server = await InProcessServer.start(OPTIONS);
  const routes = server.app.get(RouteTable).all();
  const modes = server.app.get(ModeRegistry).all();
  await server.stop();
  const names = modes.map(({ name }) => name);
  return { routes, kinds: kindsOf(names, routes) };
}

const { routes, kinds } = await declared();
const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const cases = routes.map((route) => ({
  name: nameOf(route),
  route,
  attempts: attemptsOn(route, kinds).map((attempt) => ({
    attempt,
    expected: expectedAnswer(route, attempt),
  })),
}));

/** What a call without a body, to an id of nothing, may put an end to is the credential that it carries. */
const mayDestroy = ({ method, path, policy }: Route) =>
  !policy.public && method !== 'GET' && !path.includes(':');

const MOMENTS: Attempt['when'][] = [undefined, 'late', 'expired'];

type Headers = Readonly<Record<string, string>>;

const MALFORMED: Record<string, Headers> = {
  session: { Cookie: '__Host-session=not-a-secret' },
  jwt: { Authorization: 'Bearer not.a.token' },
  opaque: { Authorization: 'Bearer at_not-a-token' },
  // As a person's, but not the same.
  'jwt of a machine': { Authorization: 'Bearer not.a-machine.token' },
  'api-key': { 'X-API-Key': 'not-a-key' },
  basic: { Authorization: 'Basic YWRhOmFkYQ==' },
};

/** Makes the credentials, each for a person of its own. */
class Wallet {
  readonly #kept = new Map<string, Promise<Headers>>();
  #administrator: Promise<SessionClient> | undefined;

  constructor(private readonly server: InProcessServer) {}

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
    const person = await (isAdministrators(credential) ? this.server.administrator() : this.server.person());
    const client = await this.#signIn(kind, person, scopes);
    if (state === 'unknown') return this.#unknown(client);
    if (state === 'revoked') await this.#revoke(client, person);
    // Where the row is looked at, nothing but it: that an administrator also ends the sign-ins must not be what refuses.
    const isBelieved = kind.startsWith('jwt');
    if (state === 'row changed' || (state === 'owner disabled' && !isBelieved))
      await this.server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [person.id]);
    else if (state === 'owner disabled') await this.#disable(person);
    if (state === 'role lost')
      await this.server.dataSource.query(`UPDATE users SET roles = '{}' WHERE id = $1`, [person.id]);
    return inAuthorization ? { Authorization: `ApiKey ${client.headers['X-API-Key']}` } : client.headers;
  }

  #signIn(kind: string, person: Person, scopes: readonly string[]): Promise<Client> {
    const ofKey = { expiresAt: this.server.clock.in(3_600_000) };
    if (kind === 'session') return sessionOf(person);
    if (kind === 'jwt') return jwtOf(person, { scope: scopes.join(' ') });
    if (kind === 'opaque') return opaqueOf(person, { scope: scopes.join(' ') });
    if (kind === 'api-key') return apiKeyOf(person, [...scopes], ofKey);
    if (kind === 'jwt of a machine') return machineOf(person, [...scopes], ofKey);
    throw new Error(`the wallet does not know "${kind}"`);
  }

  async #disable(person: Person): Promise<void> {
    this.#administrator ??= this.server.administrator().then((administrator) => sessionOf(administrator));
    const path = `/v1/admin/users/${person.id}/status`;
    expect((await (await this.#administrator).put(path, { status: 'disabled' })).status).toBe(200);
  }

  /** Well-formed, and nobody's. */
  async #unknown(client: Client): Promise<Headers> {
    const { Cookie, Authorization } = client.headers;
    if (Cookie) return { Cookie: `__Host-session=${randomBytes(32).toString('base64url')}` };
    if (Authorization?.includes('at_'))
      return { Authorization: `Bearer at_${randomBytes(32).toString('base64url')}` };
    if (Authorization)
      return { Authorization: Authorization.replace(/[^.]+$/, randomBytes(64).toString('base64url')) };
    const { id } = client as KeyClient;
    await this.server.dataSource.query('DELETE FROM api_keys WHERE id = $1', [id]);
    return client.headers;
  }

  async #revoke(client: Client, person: Person): Promise<void> {
    const key = client instanceof MachineClient ? client.key : client;
    const { status } =
      key instanceof KeyClient
        ? await (await sessionOf(person)).delete(`/v1/api-keys/${key.id}`)
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

/** Problems that only the guard has: with one of them, a request has not passed. */
const REFUSALS = new Set(
  cases
    .flatMap(({ attempts }) => attempts)
    .flatMap(({ expected }) => (expected === 'passes' ? [] : [expected.slug])),
);

/** The guard's refusals as OAuth's endpoints tell them; what else they answer is their own. */
function judgeOAuth({ status, challenges, body }: RawAnswer) {
  const { error, error_description: detail } = body ? JSON.parse(body) : {};
  if (status >= 500) return body;
  if (!/^The query parameter '\w+' is refused/.test(detail)) return 'passes';
  expect(error).toBe('invalid_request');
  return { status, slug: 'credential-in-url', challenges };
}

function judge({ path, policy }: Route, answer: RawAnswer) {
  const { status, headers, challenges, body } = answer;
  if (path.startsWith('/oauth/')) return judgeOAuth(answer);
  if (!headers['content-type']?.startsWith('application/problem+json')) return status < 400 ? 'passes' : body;
  const problem = JSON.parse(body);
  const slug: string = problem.type.replace('/problems/', '');
  // On a public route a handler may say 401: a refresh token is none of the guard's business.
  const refused = REFUSALS.has(slug) || (!policy.public && [401, 403].includes(status));
  if (status < 500 && !refused) return 'passes';
  expect(problem).toMatchObject({ status, instance: headers['x-request-id'] });
  return { status, slug, challenges };
}

describe('the access matrix', () => {
  const context = useStarted(() => InProcessServer.start(OPTIONS));
  let wallet: Wallet | undefined;

  async function headersFor(attempt: Attempt, fresh: boolean): Promise<[string, string][]> {
    wallet ??= new Wallet(context.server);
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
    const other = await wallet!.headersOf({ ...session, state: 'revoked' }, false);
    return other['X-CSRF-Token']!;
  }

  /** Sends all attempts of one moment at once. */
  async function answersTo(
    route: Route,
    attempts: readonly Attempt[],
    makesFresh: (attempt: Attempt) => boolean,
  ) {
    const { server } = context;
    const requests: [Attempt, [string, string][]][] = [];
    for (const attempt of attempts) requests.push([attempt, await headersFor(attempt, makesFresh(attempt))]);
    // The time of day only: if eight days passed, the node would forget what it revoked, and the reset is no way back.
    if (attempts[0]?.when) server.clock.set(parseDuration(attempts[0].when === 'late' ? '11m' : '8d')!);
    const answers = requests.map(async ([attempt, headers]): Promise<[string, unknown]> => {
      const url = new URL(
        route.path.replaceAll(/:\w+/g, () => randomUUID()),
        server.url,
      );
      if (attempt.urlParameter) url.searchParams.set(attempt.urlParameter, 'secret');
      return [attempt.name, judge(route, await send(route.method, url, headers))];
    });
    return Promise.all(answers).finally(() => server.clock.reset());
  }

  it.each(cases)('gives to each on $name the answer that is declared', async ({ route, attempts }) => {
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

  it('has the routes of a controller that nobody told it about', () => {
    expect(cases.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['GET /v1/parcels', 'GET /v1/parcels/costs', 'GET /v1/parcel-rates']),
    );
  });

  it('knows each kind of credential that is there, in every way to be bad', () => {
    const { attempts } = cases.find(({ name }) => name === 'GET /v1/parcels')!;
    const names = attempts.map(({ attempt }) => attempt.name);
    for (const kind of kinds)
      for (const state of ['malformed', 'unknown', 'revoked', 'expired'])
        expect(names).toContainEqual(expect.stringMatching(new RegExp(`^an? ${state} ${kind}$`)));
  });
});
