import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { ModeDefinition, ModeRegistry } from '../../../src/auth/mode-registry.js';
import type { Route } from '../../../src/auth/route-table.js';
import { type Answer, type Client, FORM } from '../../support/client.js';
import { postForm } from '../../support/form.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { exchange } from '../../support/modes/machine.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { sessionOf } from '../../support/modes/session.js';
import { PASSWORD, useServer } from '../../support/server.js';

const ROOT = join(import.meta.dirname, '../../..');
/** Public, since no mode authenticates the client. */
const CLIENTS_ONLY = ['POST /oauth/token', 'POST /oauth/introspect', 'POST /oauth/revoke'];
/** For people only: no program calls them. */
const PAGES = [
  'GET /',
  'GET /docs',
  'GET /docs/:file',
  'GET /docs/start.js',
  'GET /verify',
  'GET /verify.js',
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
    it('is an OpenAPI 3.1 document that Redocly finds nothing wrong with', async () => {
      expect(document.openapi).toMatch(/^3\.1\./);
      const directory = await mkdtemp(join(tmpdir(), 'auth-modes-openapi-'));
      const file = join(directory, 'openapi.json');
      await writeFile(file, JSON.stringify(document, null, 2));
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(ROOT, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', file, '--format', 'json'],
        {
          cwd: ROOT,
          env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
        },
      ).catch((failed: { stdout: string }) => failed);
      await rm(directory, { recursive: true });
      expect(JSON.parse(stdout).problems).toEqual([]);
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

    it('says of each operation who may call it, as the declaration does', () => {
      for (const route of described()) {
        const { policy } = route;
        expect([nameOf(route), operationOf(route).security]).toEqual([
          nameOf(route),
          policy.public
            ? [...(CLIENTS_ONLY.includes(nameOf(route)) ? [{ client: [] }] : []), {}]
            : policy.modes.map((mode) => ({ [mode]: policy.scopes })),
        ]);
      }
      expect(document.components.securitySchemes).toEqual({
        ...Object.fromEntries(modes.map(({ name, securityScheme }) => [name, securityScheme])),
        client: expect.objectContaining({ type: 'http', scheme: 'basic' }),
      });
    });

    it('says of each operation what it may be refused with', () => {
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
      'csrf',
      'credential-required',
      'person-required',
      'insufficient-scope',
      'insufficient-user-authentication',
    ];
    it.each([
      ['GET /health/live', []],
      ['POST /oauth/token', []],
      ['POST /v1/sessions', ['csrf']],
      ['GET /v1/probes/principal', ['csrf', 'credential-required']],
      ['GET /v1/probes', ['csrf', 'credential-required', 'insufficient-scope']],
      ['DELETE /v1/sessions/current', ['csrf', 'credential-required', 'person-required']],
      ['POST /v1/api-keys', REFUSALS],
      ['PUT /v1/admin/users/:id/roles', REFUSALS],
    ])('names the refusals of %s', (name, refusals) => {
      const { responses } = operationOf(described().find((route) => nameOf(route) === name)!);
      const text = JSON.stringify(responses);
      expect(REFUSALS.filter((slug) => text.includes(`\`${slug}\``))).toEqual(refusals);
    });

    it('names only problems that have a page', async () => {
      const responses = JSON.stringify(described().map((route) => operationOf(route).responses));
      const named = new Set([...responses.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, slug]) => slug));
      expect(named.size).toBeGreaterThan(10);
      for (const slug of REFUSALS) expect(named).toContain(slug);
      const pages = await Promise.all(
        [...named].map(async (slug) => [
          slug,
          (await context.server.anonymous.get(`/problems/${slug}`)).status,
        ]),
      );
      expect(pages.filter(([, status]) => status !== 200)).toEqual([]);
    });

    it('asks for the CSRF token where a cookie writes', () => {
      for (const route of described()) {
        const { policy, method } = route;
        const parameter = operationOf(route).parameters?.find(
          ({ in: place }: { in: string }) => place === 'header',
        );
        const writes = byCookie(route) && method !== 'GET';
        expect([nameOf(route), parameter?.name, parameter?.required]).toEqual([
          nameOf(route),
          ...(writes
            ? ['X-CSRF-Token', !policy.public && policy.modes.length === 1]
            : [undefined, undefined]),
        ]);
      }
    });

    it('names operations as clients call them', () => {
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

    it('asks the server that it comes from first', () => {
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

    it('names the schema of every body, and says defaults in words, since generators take them for required', () => {
      for (const route of described())
        for (const media of Object.values<any>(operationOf(route).requestBody?.content ?? {}))
          expect([nameOf(route), media.schema]).toEqual([
            nameOf(route),
            { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) },
          ]);
      expect(JSON.stringify(document)).not.toContain('"default":');
      expect(document.components.schemas.TokenRequest.properties.format.description).toContain(
        'Default: `"jwt"`',
      );
    });

    it('allows no field in a body that the server would refuse', () => {
      const forms: string[] = [];
      for (const route of described()) {
        const { content } = operationOf(route).requestBody ?? {};
        if (!content) continue;
        if (content[FORM]) forms.push(nameOf(route));
        if (Object.keys(content).join() === FORM) continue;
        const { schema } = content['application/json'];
        const { additionalProperties } = document.components.schemas[schema.$ref.split('/').at(-1)];
        expect([nameOf(route), additionalProperties]).toEqual([nameOf(route), false]);
      }
      // RFC 6749 3.2: what an OAuth endpoint does not know, it ignores.
      expect(forms.toSorted()).toEqual(['POST /oauth/introspect', 'POST /oauth/revoke', 'POST /oauth/token']);
      expect(operationOf({ method: 'POST', path: '/v1/tokens/refresh' }).requestBody.required).toBe(false);
      expect(operationOf({ method: 'POST', path: '/v1/tokens' }).requestBody.required).toBe(true);
    });
  });

  const KEY_SCOPES = ['events:write', 'tokens:introspect'];

  /** Why an answer is not what the document says of it; undefined where it is. */
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
    const inDefs = JSON.stringify({ ...schema, $defs: document.components.schemas });
    const parsed = z
      .fromJSONSchema(JSON.parse(inDefs.replaceAll('#/components/schemas/', '#/$defs/')))
      .safeParse(body);
    return parsed.success ? undefined : z.prettifyError(parsed.error);
  }

  describe('the answers of the server', () => {
    it('are what the document says', async () => {
      const { server } = context;
      const faults: string[] = [];
      const call = async (by: Client, method: string, path: string, body?: unknown, id?: string) => {
        const answer = await by.call(method, path.replace(/:\w+/, id ?? ''), { body });
        const found = fault(method, path, answer);
        if (found) faults.push(`${method} ${path} ${answer.status}: ${found}`);
        return answer;
      };
      const nobody = server.anonymous;
      const ada = await server.person();
      const [session, jwt, key] = [await sessionOf(ada), await jwtOf(ada), await apiKeyOf(ada, KEY_SCOPES)];
      const [opaque, machine] = [await opaqueOf(ada), await exchange(key)];
      const admin = await sessionOf(await server.administrator());
      const credentials = { email: ada.email, password: PASSWORD };
      const newUser = { email: 'new@example.com', password: PASSWORD, name: 'Ada' };

      await call(nobody, 'GET', '/health/live');
      await call(nobody, 'GET', '/health/ready');
      await call(nobody, 'GET', '/openapi.json');
      await call(nobody, 'GET', '/.well-known/jwks.json');
      await call(nobody, 'GET', '/.well-known/oauth-authorization-server');
      await call(nobody, 'POST', '/v1/users', newUser);
      await call(nobody, 'POST', '/v1/email-verifications', { email: ada.email });
      await call(nobody, 'PUT', '/v1/email-verifications', {
        token: await server.mailedToken('new@example.com'),
      });
      await call(nobody, 'PUT', '/v1/email-verifications', { token: 'used' });
      await call(nobody, 'POST', '/v1/sessions', credentials);
      await call(nobody, 'POST', '/v1/sessions', { ...credentials, password: 'wrong' });
      const { body: pair } = await call(nobody, 'POST', '/v1/tokens', credentials);
      await call(nobody, 'POST', '/v1/tokens/refresh', { refreshToken: pair.refresh_token });
      await call(nobody, 'POST', '/v1/tokens/refresh', { refreshToken: 'unknown' });
      for (const by of [nobody, session, jwt, opaque, key, machine]) {
        await call(by, 'GET', '/v1/probes/principal');
        await call(by, 'GET', '/v1/users/me');
        await call(by, 'GET', '/v1/sessions/current');
        await call(by, 'GET', '/v1/sessions/current/csrf-token');
        await call(by, 'GET', '/v1/reports/summary');
      }
      await call(session, 'PATCH', '/v1/users/me', { name: 'Ada' });
      await call(jwt, 'GET', '/v1/sessions');
      await call(jwt, 'POST', '/v1/events', { type: 'x' });
      await call(key, 'POST', '/v1/events', { type: 'x', data: { any: ['thing', 1, null] } });
      await call(nobody, 'POST', '/v1/api-keys/leak-reports', { key: 'x' });
      await call(key, 'POST', '/v1/probes', { note: 'Tea' });
      await call(session, 'POST', '/v1/probes', { note: 'Tea', more: true });
      const { body: order } = await call(session, 'POST', '/v1/probes', { note: 'Tea' });
      await call(jwt, 'GET', '/v1/probes');
      await call(jwt, 'GET', '/v1/probes/:id', undefined, order.id);
      await call(jwt, 'DELETE', '/v1/probes/:id', undefined, order.id);
      await call(jwt, 'DELETE', '/v1/probes/:id', undefined, order.id);
      const expiresAt = new Date(Date.now() + 1_000_000).toISOString();
      const { body: created } = await call(jwt, 'POST', '/v1/api-keys', {
        name: 'x',
        scopes: ['probes:read'],
        expiresAt,
      });
      await call(session, 'GET', '/v1/api-keys');
      await call(session, 'GET', '/v1/api-keys/:id', undefined, created.id);
      await call(session, 'PATCH', '/v1/api-keys/:id', { name: 'y' }, created.id);
      await call(session, 'GET', '/v1/api-keys/:id/usage', undefined, key.id);
      const { body: rotated } = await call(session, 'POST', '/v1/api-keys/:id/rotation', {}, created.id);
      await call(session, 'POST', '/v1/api-keys/:id/rotation', undefined, created.id);
      await call(session, 'DELETE', '/v1/api-keys/:id', undefined, rotated.id);
      await call(session, 'DELETE', '/v1/api-keys/:id', undefined, created.id);
      const asKey = { client_id: key.id, client_secret: key.key };
      const form = async (path: string, fields: Record<string, string>) => {
        const answer = await postForm(nobody, path, fields);
        const found = fault('POST', path, answer);
        if (found) faults.push(`POST ${path} ${answer.status}: ${found}`);
      };
      await form('/oauth/token', { grant_type: 'client_credentials', ...asKey });
      await form('/oauth/token', { grant_type: 'client_credentials' });
      await form('/oauth/token', { grant_type: 'password', ...asKey });
      await form('/oauth/introspect', { token: opaque.accessToken, ...asKey });
      await form('/oauth/introspect', { token: machine.accessToken, ...asKey });
      await form('/oauth/introspect', { token: 'unknown', ...asKey });
      await form('/oauth/introspect', { token: 'unknown' });
      await form('/oauth/revoke', { token: opaque.accessToken });
      await form('/oauth/revoke', {});
      await call(admin, 'GET', '/v1/admin/signing-keys');
      const { body: keys } = await call(admin, 'POST', '/v1/admin/signing-keys');
      const retired = keys.items.find(({ status }: { status: string }) => status === 'retired');
      await call(admin, 'DELETE', '/v1/admin/signing-keys/:kid', undefined, 'unknown');
      const { body: account } = await call(admin, 'POST', '/v1/admin/service-accounts', { name: 'x' });
      await call(admin, 'GET', '/v1/admin/service-accounts');
      const ofAccount = `/v1/admin/service-accounts/${account.id}/api-keys`;
      const keyFields = {
        name: 'x',
        scopes: ['probes:read'],
        allowedCidrs: ['127.0.0.1'],
        resources: ['probes/x'],
      };
      const { body: serviceKey } = await call(admin, 'POST', ofAccount, keyFields);
      await call(admin, 'GET', ofAccount);
      await call(admin, 'GET', `${ofAccount}/:keyId`, undefined, serviceKey.id);
      await call(admin, 'PATCH', `${ofAccount}/:keyId`, { name: 'y' }, serviceKey.id);
      await call(admin, 'POST', `${ofAccount}/:keyId/rotation`, { overlapSeconds: 0 }, serviceKey.id);
      await call(admin, 'GET', `${ofAccount}/:keyId/usage`, undefined, serviceKey.id);
      await call(admin, 'DELETE', `${ofAccount}/:keyId`, undefined, serviceKey.id);
      await call(admin, 'DELETE', `${ofAccount}/:keyId`, undefined, serviceKey.id);
      await call(session, 'GET', '/v1/admin/users');
      await call(admin, 'GET', '/v1/admin/users');
      await call(
        admin,
        'PUT',
        '/v1/admin/users/:id/roles',
        { roles: [] },
        (await admin.get('/v1/probes/principal')).body.subject,
      );
      await call(admin, 'PUT', '/v1/admin/users/:id/status', { status: 'active' }, ada.id);
      await call(admin, 'POST', '/v1/admin/users/:id/sign-out', undefined, order.id);
      const password = { password: PASSWORD };
      const { cookies, body: renewed } = await call(
        session,
        'POST',
        '/v1/sessions/current/reauthentication',
        password,
      );
      const same = session.with({
        Cookie: `__Host-session=${cookies['__Host-session']}`,
        'X-CSRF-Token': renewed.csrfToken,
      });
      await call(jwt, 'POST', '/v1/sessions/current/reauthentication', password);
      const change = { currentPassword: PASSWORD, newPassword: 'another correct horse battery' };
      const { cookies: newest, body: changed } = await call(same, 'PUT', '/v1/users/me/password', change);
      const last = session.with({
        Cookie: `__Host-session=${newest['__Host-session']}`,
        'X-CSRF-Token': changed.csrfToken,
      });
      await call(last, 'DELETE', '/v1/sessions/:id', undefined, order.id);
      await call(last, 'DELETE', '/v1/sessions');
      await call(last, 'DELETE', '/v1/sessions/current');
      await call(admin, 'DELETE', '/v1/admin/signing-keys/:kid', undefined, retired.kid);
      expect(faults).toEqual([]);
    });

    it('would be found out if they were not', async () => {
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
