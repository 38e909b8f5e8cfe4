import { describe, expect, it } from '@jest/globals';
import { credentials } from '../support/modes/any.js';
// room: api-keys
import { apiKeyOf } from '../support/modes/api-key.js';
// /room
import { type RemoteOptions, TestServer, useServer } from '../support/server.js';
import type { ServedRoutes } from './declarations.fixture.js';

/** Every mode of this project, and the one of the fixture. */
const MODES = [
  // room: api-keys
  'api-key',
  // /room
  // room: jwt
  'jwt',
  // /room
  // room: opaque-tokens
  'opaque',
  // /room
  'robot',
  // room: sessions
  'session',
  // /room
];

const fixture = (name: string): RemoteOptions => ({ fixture: `test/auth/declarations.fixture.ts#${name}` });

/** Starts with more controllers, and returns why it does not start. */
async function faultsOf(name: string): Promise<string[]> {
  const error = await TestServer.start(fixture(name)).then(
    (server) => server.stop().then(() => new Error('it started')),
    (reason: Error) => reason,
  );
  const [first = '', ...lines] = error.message.split('\n');
  expect(first).toContain('RouteDeclarationError');
  return lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim());
}

describe('a route without a sound declaration', () => {
  it('[V8.2.1] stops the start, which names every route and its fault', async () => {
    expect(await faultsOf('bad')).toEqual([
      'GET /bad/undeclared (BadController.undeclared) declares neither @Public() nor @Authenticated()',
      'GET /bad/both (BadController.both) declares both @Public() and @Authenticated()',
      'GET /bad/unknown-scope (BadController.unknownScope) names unknown scopes: probes:all',
      'GET /bad/unknown-mode (BadController.unknownMode) names unknown modes: carrier-pigeon',
      'GET /bad/no-mode (BadController.noMode) accepts no registered mode',
      'GET /bad/unknown-word (BadController.unknownWord) names unknown modes: everybody',
      'GET /bad/impossible (BadController.impossible) requires scopes that none of its modes can hold: probes:write',
      'GET /bad/recent-machine (BadController.recentMachine) requires a recent sign-in, but accepts machines only',
      'GET /also-bad (AlsoBadController.publicInside) declares both @Public() and @Authenticated()',
      'POST /worse/here (WorseController.protectedInside) declares both @Public() and @Authenticated()',
      'POST /worse/there (WorseController.protectedInside) declares both @Public() and @Authenticated()',
    ]);
  });

  // room: api-keys, admin
  it('stops the start if it requires of API keys what no key can have', async () => {
    expect(await faultsOf('badKeys')).toEqual([
      'GET /bad-keys/impossible (BadKeysController.impossible) requires scopes that none of its modes can hold: account:security',
      'GET /bad-keys/admin (BadKeysController.admin) requires scopes that none of its modes can hold: admin:users',
      'GET /bad-keys/recent (BadKeysController.recent) requires a recent sign-in, but accepts machines only',
    ]);
  });
  // /room
});

describe('a handler with unvalidated input', () => {
  it('[V2.2.1] stops the start, which names it', async () => {
    const without = (decorator: string) => `uses ${decorator}() without a schema, so nothing validates it`;
    expect(await faultsOf('unvalidated')).toEqual([
      `POST /unvalidated/body (UnvalidatedController.body) ${without('@Body')}`,
      `POST /unvalidated/field (UnvalidatedController.field) ${without('@Body')}`,
      `GET /unvalidated/query (UnvalidatedController.query) ${without('@Query')}`,
      `GET /unvalidated/one-of-query (UnvalidatedController.oneOfQuery) ${without('@Query')}`,
      `GET /unvalidated/path/:id (UnvalidatedController.path) ${without('@Param')}`,
      expect.stringContaining('POST /unvalidated/raw (UnvalidatedController.raw) uses @RawBody()'),
    ]);
  });
});

describe('a declaration outside of HTTP handlers', () => {
  it('stops the start, which names it', async () => {
    const names = (await faultsOf('elsewhere')).map((fault) => fault.split(' declares ')[0]);
    expect(names).toEqual(['ChatGateway.onMessage', 'OpenResolver', 'MessagesController.onOrder']);
  });
});

// room: service-accounts
describe('a route for users', () => {
  const context = useServer(fixture('owners'));

  it('refuses service accounts by its declaration, before its handler runs', async () => {
    const service = await apiKeyOf(await context.server.serviceAccount(), ['probes:read']);
    const { status, problem } = await service.get('/v1/owners/declared');
    expect([status, problem]).toEqual([403, 'person-required']);
    expect((await service.get('/v1/owners/undeclared')).status).toBe(500);
  });

  // room: own-api-keys
  it('accepts the key of a user', async () => {
    const ada = await context.server.person();
    const { body } = await (await apiKeyOf(ada, ['probes:read'])).get('/v1/owners/declared');
    expect(body).toEqual({ userId: ada.id });
  });
  // /room

  it('says so in the API reference', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    const { responses, description } = paths['/v1/owners/declared'].get;
    expect(responses['403'].description).toContain('`person-required`');
    expect(description).toContain('Refuses service accounts.');
  });
});
// /room

describe('a controller of a project', () => {
  const context = useServer(fixture('parcels'));

  it.each(credentials)('is guarded as its class declares: $name', async ({ mode, of }) => {
    expect((await (await of(context.server)).get('/v1/parcels')).body).toEqual({ mode });
    expect((await context.server.anonymous.get('/v1/parcels')).problem).toBe('credential-required');
  });

  const narrowed = credentials.filter(({ mode }) => mode !== 'session');
  // A session has all scopes of its user.
  (narrowed.length > 0 ? it : it.skip)('refuses a credential without a scope of its class', async () => {
    for (const { mode, of } of narrowed) {
      const narrow = await (await of(context.server, ['probes:read'])).get('/v1/parcels');
      const scheme = mode === 'api-key' ? 'ApiKey' : 'Bearer';
      expect([narrow.problem, narrow.challenges]).toEqual([
        'insufficient-scope',
        `${scheme} realm="api", error="insufficient_scope", scope="probes:write"`,
      ]);
    }
  });

  it('is guarded as a method declares, which replaces all that the class declares', async () => {
    for (const { name, of } of credentials) {
      const client = await of(context.server, ['probes:write']);
      expect([name, (await client.put('/v1/parcels/1')).status]).toEqual([name, 200]);
      expect([name, (await client.delete('/v1/parcels/1')).problem]).toEqual([name, 'mode-not-accepted']);
    }
  });

  it('declares an inherited handler for itself', async () => {
    const { anonymous } = context.server;
    expect((await anonymous.get('/v1/open-shelf')).status).toBe(200);
    expect((await anonymous.get('/v1/closed-shelf')).problem).toBe('credential-required');
    const client = await credentials[0]!.of(context.server);
    expect((await client.get('/v1/closed-shelf')).status).toBe(200);
  });

  it('is in the API reference with its access', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    const by = (modes: string[], scopes: string[]) => modes.map((mode) => ({ [mode]: scopes }));
    expect(paths['/v1/parcels'].get.security).toEqual(by(MODES, ['probes:read', 'probes:write']));
    expect(paths['/v1/parcels/{id}'].put.security).toEqual(by(MODES, ['probes:write']));
    expect(paths['/v1/parcels/{id}'].delete.security).toEqual(by(['robot'], []));
    expect(paths['/v1/open-shelf'].get.security).toEqual([{}]);
    // room: sign-ins
    const people = MODES.filter((mode) => mode !== 'api-key' && mode !== 'robot');
    expect(paths['/v1/parcels/{id}'].post.security).toEqual(by(people, ['probes:write']));
    // /room
  });

  it('is in the route table, like every route that the server answers', async () => {
    const known = await context.server.routes();
    const listed = await context.server.provider<ServedRoutes>('ServedRoutes').list();
    const served = new Set(listed.filter((route) => !route.startsWith('HEAD ')));
    expect(served).toContain('PUT /v1/parcels/:id');
    expect([...served].toSorted()).toEqual(known.map(({ method, path }) => `${method} ${path}`).toSorted());
  });
});

describe('a handler that the start did not see', () => {
  const context = useServer(fixture('hidden'));

  it('[V8.2.1] is closed, although its class is public', async () => {
    const { status, problem } = await context.server.anonymous.get('/v1/hidden');
    expect({ status, problem }).toEqual({ status: 500, problem: 'internal-error' });
    expect((await context.server.log()).join('')).toContain('no policy for HiddenController.show');
  });
});
