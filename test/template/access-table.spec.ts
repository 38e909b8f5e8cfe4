import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import '../../src/rooms.js';
import { type ModeDefinition, ModeRegistry } from '../../src/auth/mode-registry.js';
import type { Route } from '../../src/auth/route-table.js';
import { machineScopes, scopesOfRoles } from '../../src/auth/scopes.js';
import type { Answer, Client } from '../support/client.js';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { machineOf } from '../support/modes/machine.js';
import { opaqueOf } from '../support/modes/opaque.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { type TestServer, useServer } from '../support/server.js';

/*
 * Written by hand from the contract: the generated matrix takes the declarations for granted, these tests do not.
 */

/** The routes of the template, each with its modes, its scopes and its further requirements. */
const DECLARED = `
  POST   /v1/users                              public
  GET    /v1/users/me                           any      user  profile:read
  PATCH  /v1/users/me                           person   profile:write
  PUT    /v1/users/me/password                  person   account:security  recent live
  POST   /v1/email-verifications                public
  PUT    /v1/email-verifications                public
  GET    /verify                                public
  GET    /verify.js                             public
  POST   /v1/sessions                           public   same-origin
  GET    /v1/sessions                           person   sessions:read
  DELETE /v1/sessions                           person   sessions:write    live
  DELETE /v1/sessions/:id                       person   sessions:write    live
  GET    /v1/sessions/current                   person
  DELETE /v1/sessions/current                   person
  POST   /v1/sessions/current/reauthentication  person   account:security
  GET    /v1/sessions/current/csrf-token        session
  POST   /v1/tokens                             public   same-origin
  POST   /v1/tokens/refresh                     public   same-origin
  GET    /.well-known/jwks.json                 public
  GET    /v1/admin/signing-keys                 person   admin:signing-keys  recent factor live
  POST   /v1/admin/signing-keys                 person   admin:signing-keys  recent factor live
  DELETE /v1/admin/signing-keys/:kid            person   admin:signing-keys  recent factor live
  GET    /docs                                  public
  GET    /docs/start.js                         public
  GET    /docs/:file                            public
  GET    /openapi.json                          public
  GET    /health/live                           public
  GET    /health/ready                          public
  GET    /problems/:slug                        public
  GET    /                                      public
  // room: leaving
  GET    /v1/users/me/export                    person   profile:read      recent live
  DELETE /v1/users/me                           person   account:security  recent live
  // /room
  // room: recovery
  PUT    /v1/users/me/email                     person   account:security  recent factor live
  POST   /v1/email-changes/undo                 public
  POST   /v1/password-resets                    public
  PUT    /v1/password-resets                    public
  GET    /reset                                 public
  GET    /reset.js                              public
  GET    /undo                                  public
  GET    /undo.js                               public
  // /room
  // room: admin
  GET    /v1/admin/users                        person   admin:users       recent factor live
  PUT    /v1/admin/users/:id/roles              person   admin:users       recent factor live
  PUT    /v1/admin/users/:id/status             person   admin:users       recent factor live
  POST   /v1/admin/users/:id/sign-out           person   admin:users       recent factor live
  // /room
  // room: audit
  GET    /v1/audit-events                       person   profile:read
  GET    /v1/admin/audit-events                 person   admin:audit       recent factor live
  // /room
  // room: mfa
  POST   /v1/passkey-options                    public   same-origin
  GET    /v1/mfa                                person   account:security  recent factor live
  POST   /v1/mfa/totp                           person   account:security  recent factor live
  PUT    /v1/mfa/totp                           person   account:security  recent factor live
  DELETE /v1/mfa/totp                           person   account:security  recent factor live
  POST   /v1/mfa/recovery-codes                 person   account:security  recent factor live
  POST   /v1/mfa/passkeys/options               person   account:security  recent factor live
  POST   /v1/mfa/passkeys                       person   account:security  recent factor live
  DELETE /v1/mfa/passkeys/:id                   person   account:security  recent factor live
  // /room
  // room: oauth
  POST   /oauth/token                           public
  POST   /oauth/introspect                      public
  POST   /oauth/revoke                          public
  GET    /.well-known/oauth-authorization-server  public
  // /room
  // room: own-api-keys
  POST   /v1/api-keys                           person   api-keys:write    recent live
  GET    /v1/api-keys                           person   api-keys:read
  GET    /v1/api-keys/:id                       person   api-keys:read
  PATCH  /v1/api-keys/:id                       person   api-keys:write    live
  POST   /v1/api-keys/:id/rotation              person   api-keys:write    recent live
  DELETE /v1/api-keys/:id                       person   api-keys:write    live
  // room: api-key-alerts
  POST   /v1/api-keys/leak-reports              public
  GET    /v1/api-keys/warnings                  person   api-keys:read
  // /room
  // room: api-key-usage
  GET    /v1/api-keys/:id/usage                 person   api-keys:read
  // /room
  // /room
  // room: service-account-admin
  GET    /v1/admin/service-accounts                                 person  admin:service-accounts  recent factor live
  POST   /v1/admin/service-accounts                                 person  admin:service-accounts  recent factor live
  PATCH  /v1/admin/service-accounts/:id                             person  admin:service-accounts  recent factor live
  DELETE /v1/admin/service-accounts/:id                             person  admin:service-accounts  recent factor live
  GET    /v1/admin/service-accounts/:id/api-keys                    person  admin:service-accounts  recent factor live
  POST   /v1/admin/service-accounts/:id/api-keys                    person  admin:service-accounts  recent factor live
  GET    /v1/admin/service-accounts/:id/api-keys/:keyId             person  admin:service-accounts  recent factor live
  PATCH  /v1/admin/service-accounts/:id/api-keys/:keyId             person  admin:service-accounts  recent factor live
  POST   /v1/admin/service-accounts/:id/api-keys/:keyId/rotation    person  admin:service-accounts  recent factor live
  DELETE /v1/admin/service-accounts/:id/api-keys/:keyId             person  admin:service-accounts  recent factor live
  // room: api-key-alerts
  GET    /v1/admin/service-accounts/:id/api-keys/warnings           person  admin:service-accounts  recent factor live
  // /room
  // room: api-key-usage
  GET    /v1/admin/service-accounts/:id/api-keys/:keyId/usage       person  admin:service-accounts  recent factor live
  // /room
  // /room
  // room: orders
  GET    /v1/orders                             any      orders:read
  POST   /v1/orders                             any      orders:write
  GET    /v1/orders/:id                         any      orders:read       orders/:id
  DELETE /v1/orders/:id                         any      orders:write      orders/:id
  // /room
  // room: events
  POST   /v1/events                             api-key  events:write
  // /room
  // room: reports
  GET    /v1/reports/summary                    jwt      person  reports:read  live
  // /room
  // room: whoami
  GET    /v1/whoami                             any
  // /room
`;

/**
 * The answers of some of these routes to each credential. Before them are the scope that the route needs and the challenges of
 * a 401: S is Session, B is Bearer, K is ApiKey. `none` is 401 credential-required, `mode` 401 mode-not-accepted, `person` 403
 * person-required, `scope` 403 insufficient-scope, `client` OAuth's 401 invalid_client. A number is the handler's own answer to
 * a request without a body. A narrow credential may only profile:read. An administrator's token asked for all scopes by name.
 * A machine is a key's JWT.
 */
const ANSWERS = `
                                                                             |        | session | admin  | jwt    | admin  | narrow | opaque | admin  | narrow | key    | narrow | machine | narrow
  GET /health/live                            |                        |     | 200    | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200     | 200
  GET /.well-known/jwks.json                  |                        |     | 200    | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200     | 200
  GET /problems/csrf                          |                        |     | 200    | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200     | 200
  POST /v1/users                              |                        |     | 400    | 400     | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400     | 400
  POST /v1/tokens                             |                        |     | 400    | 400     | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400     | 400
  GET /v1/users/me                            | profile:read           | SBK | none   | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200     | 200
  PATCH /v1/users/me                          | profile:write          | SB  | none   | 400     | 400    | 400    | 400    | scope  | 400    | 400    | scope  | mode   | mode   | person  | person
  PUT /v1/users/me/password                   | account:security       | SB  | none   | 400     | 400    | 400    | 400    | scope  | 400    | 400    | scope  | mode   | mode   | person  | person
  GET /v1/sessions                            | sessions:read          | SB  | none   | 200     | 200    | 200    | 200    | scope  | 200    | 200    | scope  | mode   | mode   | person  | person
  DELETE /v1/sessions/:id                     | sessions:write         | SB  | none   | 404     | 404    | 404    | 404    | scope  | 404    | 404    | scope  | mode   | mode   | person  | person
  GET /v1/sessions/current                    |                        | SB  | none   | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | mode   | mode   | person  | person
  GET /v1/sessions/current/csrf-token         |                        | S   | none   | 200     | 200    | mode   | mode   | mode   | mode   | mode   | mode   | mode   | mode   | mode    | mode
  POST /v1/sessions/current/reauthentication  | account:security       | SB  | none   | 400     | 400    | 400    | 400    | scope  | 400    | 400    | scope  | mode   | mode   | person  | person
  GET /v1/admin/signing-keys                  | admin:signing-keys     | SB  | none   | scope   | 200    | scope  | 200    | scope  | scope  | 200    | scope  | mode   | mode   | person  | person
  DELETE /v1/admin/signing-keys/:kid          | admin:signing-keys     | SB  | none   | scope   | 404    | scope  | 404    | scope  | scope  | 404    | scope  | mode   | mode   | person  | person
  // room: leaving
  GET /v1/users/me/export                     | profile:read           | SB  | none   | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | mode   | mode   | person  | person
  // /room
  // room: recovery
  PUT /v1/users/me/email                      | account:security       | SB  | none   | 400     | 400    | 400    | 400    | scope  | 400    | 400    | scope  | mode   | mode   | person  | person
  POST /v1/password-resets                    |                        |     | 400    | 400     | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400     | 400
  PUT /v1/password-resets                     |                        |     | 400    | 400     | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400     | 400
  POST /v1/email-changes/undo                 |                        |     | 400    | 400     | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400    | 400     | 400
  // /room
  // room: admin
  GET /v1/admin/users                         | admin:users            | SB  | none   | scope   | 200    | scope  | 200    | scope  | scope  | 200    | scope  | mode   | mode   | person  | person
  PUT /v1/admin/users/:id/roles               | admin:users            | SB  | none   | scope   | 400    | scope  | 400    | scope  | scope  | 400    | scope  | mode   | mode   | person  | person
  // /room
  // room: oauth
  GET /.well-known/oauth-authorization-server |                        |     | 200    | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200     | 200
  POST /oauth/token                           |                        |     | client | client  | client | client | client | client | client | client | client | client | client | client  | client
  POST /oauth/introspect                      | tokens:introspect      |     | client | client  | client | client | client | client | client | client | client | 400    | scope  | client  | client
  POST /oauth/revoke                          |                        |     | 400    | 400     | 400    | client | client | client | client | client | client | client | client | client  | client
  // /room
  // room: own-api-keys
  POST /v1/api-keys                           | api-keys:write         | SB  | none   | 400     | 400    | 400    | 400    | scope  | 400    | 400    | scope  | mode   | mode   | person  | person
  GET /v1/api-keys                            | api-keys:read          | SB  | none   | 200     | 200    | 200    | 200    | scope  | 200    | 200    | scope  | mode   | mode   | person  | person
  // /room
  // room: own-api-keys, api-key-alerts
  GET /v1/api-keys/warnings                   | api-keys:read          | SB  | none   | 200     | 200    | 200    | 200    | scope  | 200    | 200    | scope  | mode   | mode   | person  | person
  // /room
  // room: service-account-admin
  POST /v1/admin/service-accounts             | admin:service-accounts | SB  | none   | scope   | 400    | scope  | 400    | scope  | scope  | 400    | scope  | mode   | mode   | person  | person
  PATCH /v1/admin/service-accounts/:id        | admin:service-accounts | SB  | none   | scope   | 400    | scope  | 400    | scope  | scope  | 400    | scope  | mode   | mode   | person  | person
  DELETE /v1/admin/service-accounts/:id       | admin:service-accounts | SB  | none   | scope   | 404    | scope  | 404    | scope  | scope  | 404    | scope  | mode   | mode   | person  | person
  // /room
  // room: orders
  GET /v1/orders                              | orders:read            | SBK | none   | 200     | 200    | 200    | 200    | scope  | 200    | 200    | scope  | 200    | scope  | 200     | scope
  POST /v1/orders                             | orders:write           | SBK | none   | 400     | 400    | 400    | 400    | scope  | 400    | 400    | scope  | 400    | scope  | 400     | scope
  DELETE /v1/orders/:id                       | orders:write           | SBK | none   | 404     | 404    | 404    | 404    | scope  | 404    | 404    | scope  | 404    | scope  | 404     | scope
  // /room
  // room: events
  POST /v1/events                             | events:write           | K   | none   | mode    | mode   | mode   | mode   | mode   | mode   | mode   | mode   | 400    | scope  | mode    | mode
  // /room
  // room: reports
  GET /v1/reports/summary                     | reports:read           | B   | none   | mode    | mode   | 200    | 200    | scope  | mode   | mode   | mode   | mode   | mode   | person  | person
  // /room
  // room: whoami
  GET /v1/whoami                              |                        | SBK | none   | 200     | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200    | 200     | 200
  // /room
  DELETE /v1/sessions/current                 |                        | SB  | none   | 204     | 204    | 204    | 204    | 204    | 204    | 204    | 204    | mode   | mode   | person  | person`;

const KEY_SCOPES = [...machineScopes()];
const NARROW = 'profile:read';
const ADMINISTRATOR = scopesOfRoles(['admin']).join(' ');

/** The columns of ANSWERS: the mode of each, and who makes its credential. */
const COLUMNS: [mode: string, make: (server: TestServer, ada: Person) => Promise<Client>][] = [
  ['', async (server) => server.anonymous],
  ['session', (_, ada) => sessionOf(ada)],
  ['session', async (server) => sessionOf(await server.administrator())],
  ['jwt', (_, ada) => jwtOf(ada)],
  ['jwt', async (server) => jwtOf(await server.administrator(), { scope: ADMINISTRATOR })],
  ['jwt', (_, ada) => jwtOf(ada, { scope: NARROW })],
  ['opaque', (_, ada) => opaqueOf(ada)],
  ['opaque', async (server) => opaqueOf(await server.administrator(), { scope: ADMINISTRATOR })],
  ['opaque', (_, ada) => opaqueOf(ada, { scope: NARROW })],
  ['api-key', (_, ada) => apiKeyOf(ada, KEY_SCOPES)],
  ['api-key', (_, ada) => apiKeyOf(ada, [NARROW])],
  ['jwt+api-key', (_, ada) => machineOf(ada, KEY_SCOPES)],
  ['jwt+api-key', (_, ada) => machineOf(ada, [NARROW])],
];
const SCHEMES: Record<string, string> = {
  session: 'Session',
  jwt: 'Bearer',
  opaque: 'Bearer',
  'api-key': 'ApiKey',
  'jwt+api-key': 'Bearer',
};
const LETTERS: Record<string, string> = { Session: 'S', Bearer: 'B', ApiKey: 'K' };

/** `v1/orders` of a route or its path. */
const resourceOf = (route: string) => /\/((?:v\d+\/)?[^/ ]*)/.exec(route)![1]!;
/** Without the marks of `npm run keep`. */
const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'));

describe('the access table', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });

  describe('the access table', () => {
    let modes: readonly ModeDefinition[];
    let clients: Client[];

    beforeAll(async () => {
      const { server } = context;
      modes = await server.provider<ModeRegistry>('ModeRegistry').all();
      const ada = await server.person();
      clients = await Promise.all(COLUMNS.map(async ([, make]) => make(server, ada)));
    });

    it('has every route of the contract as the contract says, and no other of the same resources', async () => {
      const names = (some: readonly ModeDefinition[]) => some.map(({ name }) => name).join('+');
      const persons = names(modes.filter(({ carries }) => carries !== 'machine'));
      const lines = linesOf(DECLARED);
      // The probe of the tests, and what a project has added, are not in the contract.
      const ofTemplate = new Set(lines.map(resourceOf));
      const routes = (await context.server.routes()).filter(({ path }) => ofTemplate.has(resourceOf(path)));
      const expected = lines.map((line) => line.replaceAll(/ +/g, ' ').replace(/ any\b/, ` ${names(modes)}`));
      expect(routes.map((route) => show(route, persons)).toSorted()).toEqual(expected.toSorted());
    });

    /** The cell of ANSWERS that an answer belongs into; all of it where it belongs into none. */
    function cellOf(answer: Answer, mode: string, scope: string, letters: string): string {
      const added = modes.filter(({ name }) => !SCHEMES[name]);
      const challenges = answer.challenges
        ?.split(/, (?=[A-Z])/)
        .filter((challenge) => !added.some(({ scheme }) => challenge.startsWith(scheme)))
        .toSorted()
        .join(', ');
      const accepted = [...new Set(Object.values(SCHEMES))]
        .filter((scheme) => letters.includes(LETTERS[scheme]!))
        .map((scheme) => `${scheme} realm="api"`)
        .toSorted()
        .join(', ');
      const tooFew = `${SCHEMES[mode]} realm="api", error="insufficient_scope", scope="${scope}"`;
      const kind = answer.problem ?? answer.body?.error?.replaceAll('_', '-');
      const seen = [answer.status, kind, challenges].filter(Boolean).join(' ');
      if (seen === `401 credential-required ${accepted}`) return 'none';
      if (seen === `401 mode-not-accepted ${accepted}`) return 'mode';
      if (seen === `403 insufficient-scope ${tooFew}`) return 'scope';
      if (seen === '403 person-required') return 'person';
      if (/^401 invalid-client (ApiKey realm="api", )?Basic realm="api"$/.test(seen)) return 'client';
      return [401, 403].includes(answer.status) ? seen : `${answer.status}`;
    }

    it.each(
      linesOf(ANSWERS)
        .slice(1)
        .map((line) => line.split('|').map((cell) => cell.trim())),
    )(
      'gives to each on %s the answer of the contract',
      async (...[route = '', scope = '', letters = '', ...cells]) => {
        const [method = '', path = ''] = route.replace(/:\w+/, randomUUID()).split(' ');
        const seen: string[] = [];
        for (const [column, client] of clients.entries())
          seen.push(cellOf(await client.call(method, path), COLUMNS[column]![0], scope, letters));
        expect(seen).toEqual(cells);
      },
    );
  });

  // room: orders, own-api-keys
  describe('the resource of another user', () => {
    it.each([
      ['session', sessionOf],
      ['jwt', jwtOf],
      ['opaque', opaqueOf],
      ['key', (owner: Person) => apiKeyOf(owner, ['orders:read', 'orders:write'])],
      ["machine's token", (owner: Person) => machineOf(owner, ['orders:read', 'orders:write'])],
    ] as const)('is not there for a good %s', async (mode, make) => {
      const isMachine = mode === 'key' || mode === "machine's token";
      const [ada, bob] = [await context.server.person(), await context.server.person()];
      const owner = await sessionOf(bob);
      const { id: order } = (await owner.post('/v1/orders', { item: 'tea', quantity: 1 })).body;
      const { id: key } = await apiKeyOf(bob, ['orders:read']);
      const calls = [
        ['GET', `/v1/orders/${order}`],
        ['DELETE', `/v1/orders/${order}`],
      ];
      if (!isMachine)
        calls.push(
          ['GET', `/v1/api-keys/${key}`],
          ['PATCH', `/v1/api-keys/${key}`],
          ['DELETE', `/v1/api-keys/${key}`],
          ['DELETE', `/v1/sessions/${owner.signInId}`],
        );
      const client = await make(ada);
      for (const [method, path] of calls) {
        const body = method === 'PATCH' ? { body: { name: 'Mine' } } : {};
        const { status, problem } = await client.call(method!, path!, body);
        expect({ method, path, status, problem }).toEqual({
          method,
          path,
          status: 404,
          problem: 'not-found',
        });
      }
      expect((await owner.get(`/v1/orders/${order}`)).status).toBe(200);
    });
  });
  // /room

  /** A route in the words of DECLARED; `all` are the modes that can carry a person. */
  function show({ method, path, policy }: Route, all: string): string {
    if (policy.public)
      return [method, path, 'public', policy.sameOrigin ? 'same-origin' : ''].filter(Boolean).join(' ');
    const modes = policy.modes.join('+');
    const words = [
      policy.person && modes === all ? '' : modes,
      policy.person ? 'person' : policy.user ? 'user' : '',
      ...policy.scopes,
      policy.recentSignIn ? 'recent' : '',
      policy.secondFactor === 'where-enrolled' ? 'factor' : '',
      policy.live ? 'live' : '',
      policy.resource ?? '',
    ];
    return [method, path, ...words].filter(Boolean).join(' ');
  }
});
