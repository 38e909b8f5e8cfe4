import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Controller, Delete, Get, Module } from '@nestjs/common';
import { Authenticated, Public } from '../../../src/auth/authenticated.decorator.js';
import { ModeRegistry } from '../../../src/auth/mode-registry.js';
import { type Route, RouteTable } from '../../../src/auth/route-table.js';
import { type Attempt, attemptsOn, type Credential, expectedAnswer } from '../../support/access-matrix.js';
import type { Client } from '../../support/client.js';
import { KeyClient, type Person } from '../../support/person.js';
import { type ServerOptions, TestServer, useServer } from '../../support/server.js';

/** What a user of the template adds. It is in the matrix without another line. */
@Controller('v1/parcels')
@Authenticated({ modes: 'any', scopes: ['orders:read', 'profile:read'] })
class ParcelsController {
  @Get()
  list() {
    return [];
  }

  @Delete(':id')
  @Authenticated({ modes: 'person', scopes: ['orders:write', 'account:security'], recentSignIn: true })
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

const OPTIONS: ServerOptions = {
  modules: [ParcelsModule],
  // An old sign-in needs a token that outlives REAUTHENTICATION_WINDOW.
  env: { ACCESS_TOKEN_TTL: '15m', RATE_LIMITS: 'off' },
};

/** What the application declares, before Jest collects the tests. */
async function declared(): Promise<{ routes: readonly Route[]; modes: string[] }> {
  const server = await TestServer.start(OPTIONS);
  const routes = server.app.get(RouteTable).all();
  const modes = server.app.get(ModeRegistry).all();
  await server.stop();
  return { routes, modes: modes.map(({ name }) => name) };
}

const { routes, modes } = await declared();
const cases = routes.flatMap((route) =>
  attemptsOn(route, modes).map((attempt) => ({ route, attempt, expected: expectedAnswer(route, attempt) })),
);

const titleOf = ({ route, attempt, expected }: (typeof cases)[number]) =>
  `${route.method} ${route.path} with ${attempt.name} ` +
  (expected === 'passes' ? 'passes' : `answers ${expected.status} ${expected.slug}`);

/** What a call without a body, to an id of nothing, may put an end to is the credential that it carries. */
const mayDestroy = ({ method, path, policy }: Route) =>
  !policy.public && method !== 'GET' && !path.includes(':');

type Headers = Readonly<Record<string, string>>;

const MALFORMED: Record<string, Headers> = {
  session: { Cookie: '__Host-session=not-a-secret' },
  jwt: { Authorization: 'Bearer not.a.token' },
  'api-key': { 'X-API-Key': 'not-a-key' },
  basic: { Authorization: 'Basic YWRhOmFkYQ==' },
};

/** Makes the credentials, each for a person of its own. */
class Wallet {
  readonly #kept = new Map<string, Promise<Headers>>();

  constructor(private readonly server: TestServer) {}

  headersOf(credential: Credential, fresh: boolean): Promise<Headers> {
    if (fresh && credential.state === 'good') return this.#make(credential);
    const key = JSON.stringify(credential);
    const kept = this.#kept.get(key) ?? this.#make(credential);
    this.#kept.set(key, kept);
    return kept;
  }

  async #make({ mode, state, scopes, inAuthorization }: Credential): Promise<Headers> {
    if (state === 'malformed') return MALFORMED[mode]!;
    const administrator = scopes.includes('admin:users');
    const person = await (administrator ? this.server.administrator() : this.server.person());
    const client = await this.#signIn(mode, person, scopes);
    if (state === 'unknown') return this.#unknown(client);
    if (state === 'revoked') await this.#revoke(client, person);
    // Nothing but the status: that an administrator also ends the sign-ins must not be what refuses.
    if (state === 'owner disabled')
      await this.server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [person.id]);
    return inAuthorization ? { Authorization: `ApiKey ${client.headers['X-API-Key']}` } : client.headers;
  }

  #signIn(mode: string, person: Person, scopes: readonly string[]): Promise<Client> {
    if (mode === 'session') return person.session();
    if (mode === 'jwt') return person.jwt({ scope: scopes.join(' ') });
    if (mode === 'api-key') return person.apiKey([...scopes], { expiresAt: this.server.clock.in(3_600_000) });
    throw new Error(`the wallet does not know the mode "${mode}"`);
  }

  /** Well-formed, and nobody's. */
  async #unknown(client: Client): Promise<Headers> {
    const { Cookie, Authorization } = client.headers;
    if (Cookie) return { Cookie: `__Host-session=${randomBytes(32).toString('base64url')}` };
    if (Authorization)
      return { Authorization: Authorization.replace(/[^.]+$/, randomBytes(64).toString('base64url')) };
    const { id } = client as KeyClient;
    await this.server.dataSource.query('DELETE FROM api_keys WHERE id = $1', [id]);
    return client.headers;
  }

  async #revoke(client: Client, person: Person): Promise<void> {
    const { status } =
      client instanceof KeyClient
        ? await (await person.session()).delete(`/v1/api-keys/${client.id}`)
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
const REFUSALS = new Set(cases.flatMap(({ expected }) => (expected === 'passes' ? [] : [expected.slug])));

function judge({ policy }: Route, { status, headers, challenges, body }: RawAnswer) {
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
  const context = useServer(OPTIONS);
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

  it.each(cases.map((one) => ({ title: titleOf(one), ...one })))(
    '$title',
    async ({ route, attempt, expected }) => {
      const { server } = context;
      const { method } = route;
      const headers = await headersFor(attempt, expected === 'passes' && mayDestroy(route));
      const url = new URL(
        route.path.replaceAll(/:\w+/g, () => randomUUID()),
        server.url,
      );
      if (attempt.urlParameter) url.searchParams.set(attempt.urlParameter, 'secret');
      if (attempt.when) server.clock.advance(attempt.when === 'late' ? '11m' : '8d');
      const answer = await send(method, url, headers).finally(() => server.clock.reset());
      expect(judge(route, answer)).toEqual(expected);
    },
  );

  it('has the routes of a controller that nobody told it about', () => {
    const titles = cases.map(titleOf);
    expect(titles).toContain('GET /v1/parcels with no credential answers 401 credential-required');
    expect(titles).toContain('GET /v1/parcel-rates with no credential passes');
  });
});
