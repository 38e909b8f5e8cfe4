import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { sessionOf } from '../../support/modes/session.js';
import { PASSWORD, useServer } from '../../support/server.js';

const ROOT = join(import.meta.dirname, '../../..');
const run = promisify(execFile);
/** Compilers take as long as the machine lets them. */
const LONG_MS = 600_000;

/** The same program for each generator: it signs in, orders tea, and looks at what it did. */
const PROGRAMS = {
  'openapi-fetch.ts': `
    import createClient from 'openapi-fetch';
    import type { components, paths } from './schema.js';

    const [baseUrl = '', email = '', password = ''] = process.argv.slice(2);
    // What has a default is not required.
    const { data: tokens } = await createClient<paths>({ baseUrl }).POST('/v1/tokens', { body: { email, password } });
    const headers = { Authorization: 'Bearer ' + tokens!.access_token };
    const client = createClient<paths>({ baseUrl, headers });
    // @ts-expect-error quantity is required
    const { error } = await client.POST('/v1/orders', { body: { item: 'Tea' } });
    await client.POST('/v1/orders', { body: { item: 'Tea', quantity: 2 } });
    const { data: page } = await client.GET('/v1/orders');
    const { data: whoami } = await client.GET('/v1/whoami');
    const kind: 'person' | 'machine' | 'service-account' = whoami!.kind;
    const form: components['schemas']['OAuthTokenForm'] = { grant_type: 'client_credentials' };
    console.log(JSON.stringify({ items: page!.items.map(({ item }) => item), kind, title: error!.title, form }));
  `,
  'hey-api.ts': `
    import { client } from './generated/client.gen';
    import { createOrder, createToken, getWhoami, listOrders } from './generated/sdk.gen';
    import type { OAuthTokenForm } from './generated/types.gen';

    const [baseUrl = '', email = '', password = ''] = process.argv.slice(2);
    client.setConfig({ baseUrl });
    const { data: tokens } = await createToken({ body: { email, password } });
    client.setConfig({ baseUrl, auth: ({ scheme }) => (scheme === 'bearer' ? tokens!.access_token : undefined) });
    // @ts-expect-error quantity is required
    const { error } = await createOrder({ body: { item: 'Tea' } });
    await createOrder({ body: { item: 'Tea', quantity: 2 } });
    const { data: page } = await listOrders();
    const { data: whoami } = await getWhoami();
    const kind: 'person' | 'machine' | 'service-account' = whoami!.kind;
    const form: OAuthTokenForm = { grant_type: 'client_credentials' };
    console.log(JSON.stringify({ items: page!.items.map(({ item }) => item), kind, title: error!.title, form }));
  `,
};

describe('clients that are generated from the API reference', () => {
  const context = useServer();
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-clients-'));
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
    const { body } = await context.server.anonymous.get('/openapi.json');
    await writeFile(join(directory, 'openapi.json'), JSON.stringify(body));
    for (const [file, program] of Object.entries(PROGRAMS)) await writeFile(join(directory, file), program);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const node = (script: string, ...args: string[]) =>
    run(process.execPath, [join(ROOT, 'node_modules', script), ...args], { cwd: directory }).catch(
      ({ message, stdout }: Error & { stdout: string }) => Promise.reject(new Error(`${message}\n${stdout}`)),
    );

  it.each([
    ['openapi-fetch.ts', 'openapi-typescript/bin/cli.js', ['openapi.json', '-o', 'schema.d.ts']],
    [
      'hey-api.ts',
      '@hey-api/openapi-ts/bin/run.js',
      ['-i', 'openapi.json', '-o', 'generated', '--no-log-file', '-s'],
    ],
  ])(
    'compile and work as their types say: %s',
    async (program, generator, options) => {
      await node(generator, ...options);
      const checks =
        '--noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler --types node';
      await node('typescript/bin/tsc', ...checks.split(' '), program);
      const { server } = context;
      const ada = await server.person();
      const { stdout } = await node('tsx/dist/cli.mjs', program, server.url, ada.email, PASSWORD);
      expect(JSON.parse(stdout)).toEqual({
        items: ['Tea'],
        kind: 'person',
        title: 'Invalid fields',
        form: { grant_type: 'client_credentials' },
      });
    },
    LONG_MS,
  );
});

/** Operations whose body is a secret that no example can know. */
const NEED_SECRETS = [
  'updateEmailVerification',
  'updatePasswordReset',
  'createEmailChangeUndo',
  'createAnomalyReport',
  'createTokenRefresh',
  'requestToken',
  'setMfaTotp',
  'createMfaPasskey',
];

describe('the examples of bodies in the API reference', () => {
  const context = useServer();

  it('succeed as they stand, one after the other', async () => {
    const { server } = context;
    const { paths } = (await server.anonymous.get('/openapi.json')).body;
    const left = new Map<string, [method: string, path: string, content: Record<string, unknown>]>();
    for (const [path, operations] of Object.entries<Record<string, any>>(paths))
      for (const [method, { operationId, requestBody }] of Object.entries(operations))
        if (requestBody) left.set(operationId, [method.toUpperCase(), path, requestBody.content]);

    const send = async (by: Client, operationId: string, ...ids: string[]) => {
      const [method, path, content] = left.get(operationId)!;
      left.delete(operationId);
      const [[type, { example }]] = Object.entries(content) as [[string, { example?: any }]];
      const body = type === 'application/json' ? example : new URLSearchParams(example).toString();
      const headers = { 'Content-Type': type };
      const answer = await by.call(
        method,
        path.replaceAll(/\{\w+\}/g, () => ids.shift()!),
        { body, headers },
      );
      if (answer.status >= 300)
        throw new Error(`${operationId}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    };

    const { anonymous } = server;
    await send(anonymous, 'createUser');
    await server.query('UPDATE users SET email_verified_at = now()');
    await send(anonymous, 'createEmailVerification');
    await send(anonymous, 'createPasswordReset');
    const { body, cookies } = await send(anonymous, 'createSession');
    const ada = anonymous.with({
      Cookie: `__Host-session=${cookies['__Host-session']}`,
      'X-CSRF-Token': body.csrfToken,
    });
    const { access_token } = (await send(anonymous, 'createToken')).body;
    const byToken = anonymous.with({ Authorization: `Bearer ${access_token}` });
    await send(ada, 'createOrder');
    await send(ada, 'createProbe');
    await send(anonymous, 'createProbeEcho');
    await send(ada, 'updateCurrentUser');
    const { id } = (await send(ada, 'createApiKey')).body;
    await send(ada, 'updateApiKey', id);
    await send(ada, 'createApiKeyRotation', id);
    await send(anonymous, 'createApiKeyLeakReport');
    await send(ada, 'setCurrentUserEmail');
    await send(byToken, 'createCurrentSessionReauthentication');
    await send(ada, 'setCurrentUserPassword');
    await send(await apiKeyOf(await server.person(), ['events:write']), 'createEvent');
    await send(await apiKeyOf(await server.person(), ['tokens:introspect']), 'introspectToken');
    await send(anonymous, 'revokeToken');

    const admin = await sessionOf(await server.administrator());
    const { id: account } = (await send(admin, 'createAdminServiceAccount')).body;
    const { id: key } = (await send(admin, 'createAdminServiceAccountApiKey', account)).body;
    await send(admin, 'updateAdminServiceAccountApiKey', account, key);
    await send(admin, 'createAdminServiceAccountApiKeyRotation', account, key);
    await send(admin, 'updateAdminServiceAccount', account);
    const bob = await server.person();
    await send(admin, 'setAdminUserRoles', bob.id);
    await send(admin, 'setAdminUserStatus', bob.id);
    expect([...left.keys()].filter((name) => !NEED_SECRETS.includes(name))).toEqual([]);
  });

  it('are named by grant at the token endpoint', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    const [{ examples, example }] = Object.values<any>(paths['/oauth/token'].post.requestBody.content);
    expect(example).toBeUndefined();
    expect(Object.keys(examples)).toEqual(['client_credentials', 'refresh_token', 'token_exchange']);
    for (const { value } of Object.values<any>(examples))
      expect(value.grant_type).toEqual(expect.any(String));
  });
});
