import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { ModeDefinition, ModeRegistry } from '../../../src/auth/mode-registry.js';
import type { Route } from '../../../src/auth/route-table.js';
import { type Answer, type Client, FORM } from '../../support/client.js';
import { anyone, credentials, signIn, signIns } from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
// room: oauth
import { postForm } from '../../support/form.js';
import { exchange } from '../../support/modes/machine.js';
// /room
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

/** Public, since no mode authenticates the client. */
const CLIENTS_ONLY = ['POST /oauth/token', 'POST /oauth/introspect', 'POST /oauth/revoke'];
/** For people only: no program calls them. */
const PAGES = [
  'GET /',
  'GET /docs',
  'GET /docs/:file',
  'GET /docs/start.js',
  'GET /pages.css',
  // room: playground
  'GET /playground/:version/*',
  // /room
  // room: anomalies
  'GET /not-me',
  'GET /not-me.js',
  // /room
  // room: users
  'GET /verify',
  'GET /verify.js',
  // /room
  // room: recovery
  'GET /reset',
  'GET /reset.js',
  'GET /undo',
  'GET /undo.js',
  // /room
];

describe('the API reference', () => {
  const context = useServer();
  let document: any;
  let routes: readonly Route[];
  let modes: readonly ModeDefinition[];
  beforeAll(async () => {
    const { server } = context;
    routes = await server.routes();
    modes = await server.provider<ModeRegistry>('ModeRegistry').all();
    document = (await context.server.anonymous.get('/openapi.json')).body;
  });

  const nameOf = ({ method, path }: Route) => `${method} ${path}`;
  const described = () => routes.filter((route) => !PAGES.includes(nameOf(route)));
  const byCookie = ({ policy }: Route) =>
    !policy.public && policy.modes.some((mode) => modes.find(({ name }) => name === mode)!.ambient);
  const operationOf = ({ method, path }: Pick<Route, 'method' | 'path'>) =>
    document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];

  describe('GET /openapi.json', () => {
    it('is an OpenAPI 3.1 document', () => {
      expect(document.openapi).toMatch(/^3\.1\./);
    });

    it('has every route but the pages, and no other', () => {
      const inDocument = Object.entries<object>(document.paths).flatMap(([path, operations]) =>
        Object.keys(operations).map(
          (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
        ),
      );
      expect(inDocument.toSorted()).toEqual(described().map(nameOf).toSorted());
      expect(routes.map(nameOf)).toEqual(expect.arrayContaining(PAGES));
    });

    it('gives each operation an id of its own, a summary, a tag and a success', () => {
      const ids = new Set<string>();
      for (const route of described()) {
        const { operationId, summary, tags, responses } = operationOf(route);
        expect(operationId).toMatch(/^\w+$/);
        ids.add(operationId);
        expect([nameOf(route), summary, tags]).toEqual([
          nameOf(route),
          expect.stringMatching(/./),
          [expect.any(String)],
        ]);
        const successes = Object.keys(responses).filter((status) => status.startsWith('2'));
        expect([nameOf(route), successes]).toEqual([nameOf(route), [expect.any(String)]]);
        const { content } = responses[successes[0]!];
        const isEmpty = successes[0] === '204';
        expect([nameOf(route), content === undefined]).toEqual([nameOf(route), isEmpty]);
      }
      expect(ids.size).toBe(described().length);
    });

    it('has the declared security for each operation', () => {
      for (const route of described()) {
        const { policy } = route;
        expect([nameOf(route), operationOf(route).security]).toEqual([
          nameOf(route),
          policy.public
            ? [...(CLIENTS_ONLY.includes(nameOf(route)) ? [{ client: [] }] : []), {}]
            : policy.modes.map((mode) => ({ [mode]: policy.scopes })),
        ]);
      }
      const schemes: Record<string, unknown> = Object.fromEntries(
        modes.map(({ name, securityScheme }) => [name, securityScheme]),
      );
      // room: oauth
      schemes['client'] = expect.objectContaining({ type: 'http', scheme: 'basic' });
      // /room
      expect(document.components.securitySchemes).toEqual(schemes);
    });

    it('has the possible refusals of each operation', () => {
      for (const route of described()) {
        const { policy, path } = route;
        const { responses } = operationOf(route);
        const expected = ['400', '500', '503'];
        if (route.method !== 'GET') expected.push('413', '415');
        if (path.includes(':')) expected.push('404');
        if (!policy.public) expected.push('401', '403');
        expect([nameOf(route), Object.keys(responses)]).toEqual([
          nameOf(route),
          expect.arrayContaining(expected),
        ]);
      }
    });

    const REFUSALS = [
      // room: sessions
      'csrf',
      // /room
      'credential-required',
      'person-required',
      'insufficient-scope',
      'insufficient-user-authentication',
    ];
    it.each<[string, string[]]>([
      ['GET /health/live', []],
      ['GET /v1/probes/principal', ['csrf', 'credential-required']],
      ['GET /v1/probes', ['csrf', 'credential-required', 'insufficient-scope']],
      // room: oauth
      ['POST /oauth/token', []],
      // /room
      // room: sessions
      ['POST /v1/sessions', ['csrf']],
      // /room
      // room: sign-ins
      ['DELETE /v1/sessions/current', ['csrf', 'credential-required', 'person-required']],
      // /room
      // room: own-api-keys
      ['POST /v1/api-keys', REFUSALS],
      // /room
      // room: admin
      ['PUT /v1/admin/users/:id/roles', REFUSALS],
      // /room
    ])('names the refusals of %s', (name, refusals) => {
      const { responses } = operationOf(described().find((route) => nameOf(route) === name)!);
      const text = JSON.stringify(responses);
      expect(REFUSALS.filter((slug) => text.includes(`\`${slug}\``))).toEqual(
        refusals.filter((slug) => REFUSALS.includes(slug)),
      );
    });

    it('names only problems that have a page', async () => {
      const responses = JSON.stringify(described().map((route) => operationOf(route).responses));
      const named = new Set([...responses.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, slug]) => slug));
      expect(named.size).toBeGreaterThan(10);
      for (const slug of ['credential-required', 'insufficient-scope']) expect(named).toContain(slug);
      const pages = await Promise.all(
        [...named].map(async (slug) => [
          slug,
          (await context.server.anonymous.get(`/problems/${slug}`)).status,
        ]),
      );
      expect(pages.filter(([, status]) => status !== 200)).toEqual([]);
    });

    it('requires the CSRF token if a cookie can write', () => {
      for (const route of described()) {
        const { policy, method } = route;
        const parameter = operationOf(route).parameters?.find(
          ({ name }: { name: string }) => name === 'X-CSRF-Token',
        );
        const writes = byCookie(route) && method !== 'GET';
        expect([nameOf(route), parameter?.in, parameter?.required]).toEqual([
          nameOf(route),
          ...(writes ? ['header', !policy.public && policy.modes.length === 1] : [undefined, undefined]),
        ]);
      }
    });

    it('names operations for generated clients', () => {
      const names: Record<string, string> = {
        'GET /v1/sessions': 'listSessions',
        'POST /v1/api-keys': 'createApiKey',
        'GET /v1/probes/:id': 'getProbe',
        'DELETE /v1/sessions/:id': 'deleteSession',
        'GET /v1/users/me': 'getCurrentUser',
        'PUT /v1/users/me/password': 'setCurrentUserPassword',
        'PUT /v1/admin/users/:id/roles': 'setAdminUserRoles',
        'POST /oauth/revoke': 'revokeToken',
      };
      for (const route of described().filter((one) => names[nameOf(one)]))
        expect([nameOf(route), operationOf(route).operationId]).toEqual([
          nameOf(route),
          names[nameOf(route)],
        ]);
    });

    it('lists its own server first', () => {
      expect(document.servers[0].url).toBe('/');
    });

    it('describes every operation, parameter, schema and field', () => {
      const bare: string[] = [];
      const look = (name: string, schema: any) => {
        if (schema.$ref) return;
        if (!schema.description) bare.push(name);
        for (const [field, value] of Object.entries(schema.properties ?? {})) look(`${name}.${field}`, value);
        for (const [field, value] of Object.entries(schema.items?.properties ?? {}))
          look(`${name}[].${field}`, value);
      };
      for (const [name, schema] of Object.entries(document.components.schemas)) look(name, schema);
      for (const route of described()) {
        const { description, parameters = [] } = operationOf(route);
        if (!description) bare.push(nameOf(route));
        for (const parameter of parameters)
          if (!parameter.description) bare.push(`${nameOf(route)} ${parameter.name}`);
      }
      expect(bare).toEqual([]);
    });

    /** The schemas of a body that can have several forms. */
    const alternatives = (schema: any): any[] => schema.anyOf ?? [schema];

    it('names the schema of every body, and describes defaults in words, because generators make fields with defaults required', () => {
      for (const route of described())
        for (const media of Object.values<any>(operationOf(route).requestBody?.content ?? {}))
          // Bytes have no fields to name.
          if (media.schema.format !== 'binary')
            expect([nameOf(route), media.schema]).toEqual([
              nameOf(route),
              { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) },
            ]);
      expect(JSON.stringify(document)).not.toContain('"default":');
      // room: jwt, opaque-tokens
      const [byPassword] = alternatives(document.components.schemas.TokenRequest);
      expect(byPassword.properties.format.description).toContain('Default: `"jwt"`');
      // /room
    });

    it('[V2.1.1] allows no field that the server would refuse', () => {
      const forms: string[] = [];
      for (const route of described()) {
        const { content } = operationOf(route).requestBody ?? {};
        if (!content) continue;
        if (content[FORM]) forms.push(nameOf(route));
        const { schema } = content['application/json'] ?? {};
        // A form, or bytes.
        if (!schema?.$ref) continue;
        const body = document.components.schemas[schema.$ref.split('/').at(-1)];
        for (const { additionalProperties } of alternatives(body))
          expect([nameOf(route), additionalProperties]).toEqual([nameOf(route), false]);
      }
      // RFC 6749 3.2: an OAuth endpoint ignores what it does not know.
      expect(forms.toSorted()).toEqual([
        // room: oauth
        'POST /oauth/introspect',
        'POST /oauth/revoke',
        'POST /oauth/token',
        // /room
      ]);
    });

    // room: tokens
    it('requires a body only if the server does', () => {
      expect(operationOf({ method: 'POST', path: '/v1/tokens/refresh' }).requestBody.required).toBe(false);
      expect(operationOf({ method: 'POST', path: '/v1/tokens' }).requestBody.required).toBe(true);
    });
    // /room
  });

  const validators = new Map<object, z.ZodType>();
  function validatorOf(schema: object): z.ZodType {
    const known = validators.get(schema);
    if (known) return known;
    const inDefs = JSON.stringify({ ...schema, $defs: document.components.schemas });
    const validator = z.fromJSONSchema(JSON.parse(inDefs.replaceAll('#/components/schemas/', '#/$defs/')));
    validators.set(schema, validator);
    return validator;
  }

  /** Why an answer does not match the document. Undefined if it does. */
  function fault(method: string, path: string, { status, headers, body }: Answer): string | undefined {
    const described = path.replace(/(service-accounts\/)[^/]+/, '$1:id');
    const response = operationOf({ method, path: described }).responses[status];
    if (!response) return `${status} is not described`;
    const [type] = headers.get('content-type')?.split(';') ?? [];
    if (type === undefined) return response.content ? 'no body' : undefined;
    const schema = response.content?.[type]?.schema;
    if (!schema) return `${type} is not described`;
    for (const [name, { required }] of Object.entries<{ required?: boolean }>(response.headers ?? {}))
      if (required && !headers.has(name)) return `the header ${name} is missing`;
    const parsed = validatorOf(schema).safeParse(body);
    return parsed.success ? undefined : z.prettifyError(parsed.error);
  }

  /** Calls, and collects the answers that are not what the document says of them. */
  class Checked {
    readonly faults: string[] = [];

    async call(by: Client, method: string, path: string, body?: unknown, id?: string): Promise<Answer> {
      const answer = await by.call(method, path.replace(/:\w+/, id ?? ''), { body });
      this.note(method, path, answer);
      return answer;
    }

    note(method: string, path: string, answer: Answer): void {
      const found = fault(method, path, answer);
      if (found) this.faults.push(`${method} ${path} ${answer.status}: ${found}`);
    }
  }

  describe('the answers of the server', () => {
    const check = async (calls: (checked: Checked) => Promise<void>) => {
      const checked = new Checked();
      await calls(checked);
      expect(checked.faults).toEqual([]);
    };
    const nobody = () => context.server.anonymous;

    it.each([
      '/health/live',
      '/health/ready',
      '/openapi.json',
      // room: jwt
      '/.well-known/jwks.json',
      // /room
      // room: oauth
      '/.well-known/oauth-authorization-server',
      // /room
    ])('match the document on %s', (path) =>
      check(async (checked) => {
        await checked.call(nobody(), 'GET', path);
      }),
    );

    it('match the document on probes', () =>
      check(async (checked) => {
        await checked.call(nobody(), 'POST', '/v1/probes/echo', {
          note: 'x',
          data: { any: ['thing', 1, null] },
        });
        const client = await anyone(context.server);
        await checked.call(client, 'POST', '/v1/probes', { note: 'Tea', more: true });
        const { body: probe } = await checked.call(client, 'POST', '/v1/probes', { note: 'Tea' });
        await checked.call(client, 'GET', '/v1/probes');
        await checked.call(client, 'GET', '/v1/probes/:id', undefined, probe.id);
        await checked.call(client, 'DELETE', '/v1/probes/:id', undefined, probe.id);
        await checked.call(client, 'DELETE', '/v1/probes/:id', undefined, probe.id);
      }));

    it.each(credentials)('match the document for a $name, passed or refused', ({ of }) =>
      check(async (checked) => {
        for (const by of [nobody(), await of(context.server)]) {
          await checked.call(by, 'GET', '/v1/probes/principal');
          await checked.call(by, 'POST', '/v1/probes', { note: 'Tea' });
          // room: sign-ins
          await checked.call(by, 'GET', '/v1/users/me');
          await checked.call(by, 'GET', '/v1/sessions/current');
          // /room
          // room: sessions
          await checked.call(by, 'GET', '/v1/sessions/current/csrf-token');
          // /room
          // room: reports
          await checked.call(by, 'GET', '/v1/reports/summary');
          // /room
          // room: events
          await checked.call(by, 'POST', '/v1/events', { type: 'x', data: { any: ['thing', 1, null] } });
          // /room
        }
      }),
    );

    // room: sign-ins
    const credentialsOf = ({ email, password }: Person) => ({ email, password });

    it('match the document on users', () =>
      check(async (checked) => {
        const { server } = context;
        const ada = await server.person();
        const newUser = { email: 'new@example.com', password: PASSWORD, name: 'Ada' };
        await checked.call(nobody(), 'POST', '/v1/users', newUser);
        await checked.call(nobody(), 'POST', '/v1/email-verifications', { email: ada.email });
        const token = await server.mailedToken('new@example.com');
        await checked.call(nobody(), 'PUT', '/v1/email-verifications', { token });
        await checked.call(nobody(), 'PUT', '/v1/email-verifications', { token: 'used' });
        await checked.call(await signIn(ada), 'PATCH', '/v1/users/me', { name: 'Ada' });
      }));

    it.each(signIns)('match the document on sign-ins by $mode', ({ path, fields, from }) =>
      check(async (checked) => {
        const { url, secrets } = context.server;
        const ada = await context.server.person();
        const body = { ...credentialsOf(ada), ...fields };
        await checked.call(nobody(), 'POST', path, { ...body, password: 'wrong' });
        let client = from(url, secrets, await checked.call(nobody(), 'POST', path, body));
        const password = { password: PASSWORD };
        const renewed = await checked.call(client, 'POST', '/v1/sessions/current/reauthentication', password);
        client = renewedBy(client, renewed);
        const change = { currentPassword: PASSWORD, newPassword: 'another correct horse battery' };
        client = renewedBy(client, await checked.call(client, 'PUT', '/v1/users/me/password', change));
        await checked.call(client, 'GET', '/v1/sessions');
        await checked.call(client, 'DELETE', '/v1/sessions/:id', undefined, ada.id);
        await checked.call(client, 'DELETE', '/v1/sessions');
        await checked.call(client, 'DELETE', '/v1/sessions/current');
      }),
    );

    /** The client with the new cookie, if the answer sets one. */
    function renewedBy(client: Client, { cookies, body }: Answer): Client {
      const cookie = cookies['__Host-session'];
      return cookie
        ? client.with({ Cookie: `__Host-session=${cookie}`, 'X-CSRF-Token': body.csrfToken })
        : client;
    }
    // /room

    // room: tokens
    it('match the document on refreshes', () =>
      check(async (checked) => {
        const ada = credentialsOf(await context.server.person());
        const { body: pair } = await checked.call(nobody(), 'POST', '/v1/tokens', ada);
        await checked.call(nobody(), 'POST', '/v1/tokens/refresh', { refreshToken: pair.refresh_token });
        await checked.call(nobody(), 'POST', '/v1/tokens/refresh', { refreshToken: 'unknown' });
      }));
    // /room

    // room: own-api-keys
    it('match the document on API keys', () =>
      check(async (checked) => {
        const client = await signIn(await context.server.person());
        const expiresAt = new Date(Date.now() + 1_000_000).toISOString();
        const fields = { name: 'x', scopes: ['probes:read'], expiresAt };
        const { id } = (await checked.call(client, 'POST', '/v1/api-keys', fields)).body;
        await checked.call(client, 'GET', '/v1/api-keys');
        await checked.call(client, 'GET', '/v1/api-keys/:id', undefined, id);
        await checked.call(client, 'PATCH', '/v1/api-keys/:id', { name: 'y' }, id);
        // room: api-key-usage
        await checked.call(client, 'GET', '/v1/api-keys/:id/usage', undefined, id);
        // /room
        const { body: rotated } = await checked.call(client, 'POST', '/v1/api-keys/:id/rotation', {}, id);
        await checked.call(client, 'POST', '/v1/api-keys/:id/rotation', undefined, id);
        await checked.call(client, 'DELETE', '/v1/api-keys/:id', undefined, rotated.id);
        await checked.call(client, 'DELETE', '/v1/api-keys/:id', undefined, id);
        // room: api-key-alerts
        await checked.call(nobody(), 'POST', '/v1/api-keys/leak-reports', { key: 'x' });
        // /room
      }));
    // /room

    // room: oauth, opaque-tokens
    it('match the document on the endpoints of OAuth', () =>
      check(async (checked) => {
        const ada = await context.server.person();
        const key = await apiKeyOf(ada, ['probes:read', 'tokens:introspect']);
        const machine = await exchange(key);
        const opaque = (await nobody().post('/v1/tokens', { ...credentialsOf(ada), format: 'opaque' })).body;
        const asKey = { client_id: key.id, client_secret: key.key };
        const form = async (path: string, fields: Record<string, string>) =>
          checked.note('POST', path, await postForm(nobody(), path, fields));
        await form('/oauth/token', { grant_type: 'client_credentials', ...asKey });
        await form('/oauth/token', { grant_type: 'client_credentials' });
        await form('/oauth/token', { grant_type: 'password', ...asKey });
        await form('/oauth/introspect', { token: opaque.access_token, ...asKey });
        await form('/oauth/introspect', { token: machine.accessToken, ...asKey });
        await form('/oauth/introspect', { token: 'unknown', ...asKey });
        await form('/oauth/introspect', { token: 'unknown' });
        await form('/oauth/revoke', { token: opaque.access_token });
        await form('/oauth/revoke', {});
      }));
    // /room

    // room: admin
    const administrator = async () => signIns[0]!.of(await context.server.administrator(), ADMIN);
    const ADMIN = {
      scope: [
        'admin:users',
        'probes:read',
        // room: jwt
        'admin:signing-keys',
        // /room
        // room: service-account-admin
        'admin:service-accounts',
        // /room
      ].join(' '),
    };

    it('match the document on the administration of users', () =>
      check(async (checked) => {
        const admin = await administrator();
        const ada = await context.server.person();
        await checked.call(await signIn(ada), 'GET', '/v1/admin/users');
        await checked.call(admin, 'GET', '/v1/admin/users');
        await checked.call(admin, 'PUT', '/v1/admin/users/:id/status', { status: 'active' }, ada.id);
        await checked.call(admin, 'POST', '/v1/admin/users/:id/sign-out', undefined, ada.id);
        const own = (await admin.get('/v1/probes/principal')).body.subject;
        await checked.call(admin, 'PUT', '/v1/admin/users/:id/roles', { roles: [] }, own);
      }));

    // room: jwt
    it('match the document on signing keys', () =>
      check(async (checked) => {
        const admin = await administrator();
        await checked.call(admin, 'GET', '/v1/admin/signing-keys');
        const { body: keys } = await checked.call(admin, 'POST', '/v1/admin/signing-keys');
        const retired = keys.items.find(({ status }: { status: string }) => status === 'retired');
        await checked.call(admin, 'DELETE', '/v1/admin/signing-keys/:kid', undefined, 'unknown');
        await checked.call(admin, 'DELETE', '/v1/admin/signing-keys/:kid', undefined, retired.kid);
      }));
    // /room

    // room: service-account-admin
    it('match the document on service accounts', () =>
      check(async (checked) => {
        const admin = await administrator();
        const { body: account } = await checked.call(admin, 'POST', '/v1/admin/service-accounts', {
          name: 'x',
        });
        await checked.call(admin, 'GET', '/v1/admin/service-accounts');
        const ofAccount = `/v1/admin/service-accounts/${account.id}/api-keys`;
        const keyFields = {
          name: 'x',
          scopes: ['probes:read'],
          allowedCidrs: ['127.0.0.1'],
          resources: ['probes/x'],
        };
        const { id } = (await checked.call(admin, 'POST', ofAccount, keyFields)).body;
        await checked.call(admin, 'GET', ofAccount);
        await checked.call(admin, 'GET', `${ofAccount}/:keyId`, undefined, id);
        await checked.call(admin, 'PATCH', `${ofAccount}/:keyId`, { name: 'y' }, id);
        await checked.call(admin, 'POST', `${ofAccount}/:keyId/rotation`, { overlapSeconds: 0 }, id);
        // room: api-key-usage
        await checked.call(admin, 'GET', `${ofAccount}/:keyId/usage`, undefined, id);
        // /room
        await checked.call(admin, 'DELETE', `${ofAccount}/:keyId`, undefined, id);
        await checked.call(admin, 'DELETE', `${ofAccount}/:keyId`, undefined, id);
      }));
    // /room
    // /room

    it('match the document no longer if they change', async () => {
      const answer = await context.server.anonymous.get('/health/live');
      const of = (changes: object) => fault('GET', '/health/live', { ...answer, ...changes });
      expect(of({})).toBeUndefined();
      expect(of({ status: 418 })).toBe('418 is not described');
      expect(of({ headers: new Headers({ 'Content-Type': 'text/plain' }) })).toBe(
        'text/plain is not described',
      );
      for (const body of [{}, { status: 'good' }, { status: 'ok', more: 1 }, null])
        expect([body, of({ body })]).toEqual([body, expect.any(String)]);
    });
  });
});
