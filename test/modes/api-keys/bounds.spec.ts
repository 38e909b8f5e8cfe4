import { beforeAll, describe, expect, it } from '@jest/globals';
import { basic, postForm } from '../../support/form.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { exchange } from '../../support/modes/machine.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const NOT_GRANTED = { status: 403, problem: 'resource-not-granted' };
const ISSUER = 'http://auth.example.com';
const REPORTS = 'https://reports.example.com';

describe('allowedCidrs of a key', () => {
  const direct = useServer();
  // The test itself is the proxy here, and may say whom it speaks for.
  const proxied = useServer({
    env: { TRUSTED_PROXIES: 'loopback', ISSUER, AUDIENCES: `${ISSUER} ${REPORTS}` },
  });
  let ada: Person;
  beforeAll(async () => {
    ada = await proxied.server.person();
  });

  const keyFor = (allowedCidrs: string[]) =>
    apiKeyOf(ada, ['probes:read', 'tokens:introspect'], { allowedCidrs });
  const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
  const statusFrom = async (key: KeyClient, address: string) =>
    (await key.get('/v1/probes', from(address))).status;

  it.each([
    [
      ['192.0.2.0/24'],
      ['192.0.2.1', '192.0.2.255', '::ffff:192.0.2.7'],
      ['192.0.3.1', '198.51.100.1', '::1'],
    ],
    [['192.0.2.7'], ['192.0.2.7'], ['192.0.2.8']],
    [
      ['2001:db8::/32'],
      ['2001:db8::1', '2001:0DB8:ffff::'],
      ['2001:db9::1', '192.0.2.1', '::ffff:192.0.2.1'],
    ],
    [['::ffff:192.0.2.0/120'], ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.3.1']],
    [['0.0.0.0/0'], ['192.0.2.1', '203.0.113.9'], ['2001:db8::1']],
    [
      ['198.51.100.0/24', '2001:db8::1/128'],
      ['198.51.100.9', '2001:db8::1'],
      ['2001:db8::2', '192.0.2.1'],
    ],
  ])('%j lets in %j and nobody else', async (cidrs, allowed, refused) => {
    const key = await keyFor(cidrs);
    for (const address of allowed) expect([address, await statusFrom(key, address)]).toEqual([address, 200]);
    for (const address of refused) expect([address, await statusFrom(key, address)]).toEqual([address, 401]);
  });

  it('tells a stranger no more than that the credential is not valid', async () => {
    const key = await keyFor(['192.0.2.0/24']);
    const answer = await key.get('/v1/probes', from('198.51.100.1'));
    const unknown = await key.with({ 'X-API-Key': 'nk_test_x' }).get('/v1/probes', from('198.51.100.1'));
    expect(answer).toMatchObject(INVALID);
    const { instance } = answer.body;
    expect([answer.body, answer.challenges]).toEqual([{ ...unknown.body, instance }, unknown.challenges]);
  });

  it('binds the tokens that are exchanged for the key, and the exchange', async () => {
    const key = await keyFor(['192.0.2.0/24']);
    const exchange = (address: string, fields = {}) =>
      postForm(
        proxied.server.anonymous.with({ 'X-Forwarded-For': address }),
        '/oauth/token',
        { grant_type: 'client_credentials', ...fields },
        basic(key.id, key.key),
      );
    expect(await exchange('198.51.100.1')).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const { status, body } = await exchange('192.0.2.1');
    expect(status).toBe(200);
    const token = proxied.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });
    expect((await token.get('/v1/probes', from('192.0.2.200'))).status).toBe(200);
    expect(await token.get('/v1/probes', from('198.51.100.1'))).toMatchObject(INVALID);
    // Who introspects the token is elsewhere, as services are: it is the one that presents it who is bound.
    const service = await apiKeyOf(ada, ['tokens:introspect']);
    const told = await postForm(service, '/oauth/introspect', { token: body.access_token });
    expect(told.body.active).toBe(true);
    const elsewhere = await exchange('192.0.2.1', { resource: REPORTS });
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  it('believes the proxies that are trusted, and of what they say only the part that is theirs', async () => {
    const key = await keyFor(['192.0.2.0/24']);
    expect(await statusFrom(key, '192.0.2.1, 198.51.100.1')).toBe(401);
    expect(await statusFrom(key, '198.51.100.1, 192.0.2.1')).toBe(200);
    expect(await statusFrom(key, 'no address')).toBe(401);
  });

  it('does not believe anybody else: a forged header changes nothing', async () => {
    const grace = await direct.server.person();
    const remote = await apiKeyOf(grace, ['probes:read'], { allowedCidrs: ['192.0.2.0/24'] });
    const local = await apiKeyOf(grace, ['probes:read'], { allowedCidrs: ['127.0.0.0/8', '::1'] });
    for (const headers of [
      { 'X-Forwarded-For': '192.0.2.1' },
      { Forwarded: 'for=192.0.2.1' },
      { 'X-Real-IP': '192.0.2.1' },
      { 'X-Forwarded-For': '192.0.2.1, 192.0.2.1', Via: '1.1 proxy' },
    ]) {
      expect(await remote.get('/v1/probes', { headers })).toMatchObject(INVALID);
      expect((await local.get('/v1/probes', { headers })).status).toBe(200);
    }
  });

  it('are shown in their canonical form', async () => {
    const session = await sessionOf(ada);
    const made = await session.post('/v1/api-keys', {
      name: 'x',
      scopes: ['probes:read'],
      allowedCidrs: ['192.0.2.7', '2001:0DB8:0::/32', '::ffff:198.51.100.0/120', '0.0.0.0/0'],
    });
    expect(made.body.allowedCidrs).toEqual(['192.0.2.7/32', '2001:db8::/32', '198.51.100.0/24', '0.0.0.0/0']);
    expect((await session.get(`/v1/api-keys/${made.body.id}`)).body.allowedCidrs).toEqual(
      made.body.allowedCidrs,
    );
  });

  it.each([
    ['no list', '192.0.2.0/24', '/allowedCidrs'],
    ['nothing', [], '/allowedCidrs'],
    ['a name', ['example.com'], '/allowedCidrs/0'],
    ['bits behind the length', ['192.0.2.0/24', '192.0.2.1/24'], '/allowedCidrs/1'],
    ['too long a length', ['192.0.2.0/33'], '/allowedCidrs/0'],
    ['a length of IPv6 that is too long', ['2001:db8::/129'], '/allowedCidrs/0'],
    ['a length that is no number', ['192.0.2.0/x'], '/allowedCidrs/0'],
    ['no length behind the slash', ['192.0.2.0/'], '/allowedCidrs/0'],
    ['two lengths', ['192.0.2.0/24/24'], '/allowedCidrs/0'],
    ['a zero before', ['192.0.02.0/24'], '/allowedCidrs/0'],
    ['a short form', ['10/8'], '/allowedCidrs/0'],
    ['a zone', ['fe80::1%eth0/128'], '/allowedCidrs/0'],
    ['the same twice', ['192.0.2.0/24', '::ffff:192.0.2.0/120'], '/allowedCidrs'],
    ['too many', Array.from({ length: 51 }, (_, i) => `192.0.2.${i}`), '/allowedCidrs'],
  ])('refuse %s', async (_what, allowedCidrs, pointer) => {
    const session = await sessionOf(ada);
    const answer = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'], allowedCidrs });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });
});

describe('resources of a key', () => {
  const context = useServer();
  let ada: Person;
  let session: SessionClient;
  let [mine, other]: string[] = [];
  beforeAll(async () => {
    ada = await context.server.person();
    session = await sessionOf(ada);
    [mine, other] = await Promise.all(
      [1, 2].map(async () => (await session.post('/v1/probes', { note: 'Tea' })).body.id),
    );
  });
  const keyFor = (resources: string[], scopes = ['probes:read', 'probes:write']) =>
    apiKeyOf(ada, scopes, { resources });

  it('are all that it may be used for, and so for the tokens exchanged for it', async () => {
    const key = await keyFor([`probes/${mine}`]);
    for (const client of [key, await exchange(key)]) {
      expect((await client.get(`/v1/probes/${mine}`)).status).toBe(200);
      expect((await client.get(`/v1/probes/${mine!.toUpperCase()}`)).status).toBe(200);
      expect(await client.get(`/v1/probes/${other}`)).toMatchObject(NOT_GRANTED);
      expect(await client.delete(`/v1/probes/${other}`)).toMatchObject(NOT_GRANTED);
      expect(await client.get('/v1/probes')).toMatchObject(NOT_GRANTED);
      expect(await client.post('/v1/probes', { note: 'Tea' })).toMatchObject(NOT_GRANTED);
    }
    expect((await session.get(`/v1/probes/${other}`)).status).toBe(200);
  });

  it('do not tell whether there is something else', async () => {
    const key = await keyFor([`probes/${mine}`]);
    const without = ({ body }: { body: any }) => ({ ...body, instance: undefined });
    const unknown = await key.get('/v1/probes/01890000-0000-7000-8000-000000000000');
    expect(without(unknown)).toEqual(without(await key.get(`/v1/probes/${other}`)));
  });

  it('give nothing that the scopes or the owner do not', async () => {
    const reader = await keyFor([`probes/${mine}`], ['probes:read']);
    expect(await reader.delete(`/v1/probes/${mine}`)).toMatchObject({
      status: 403,
      problem: 'insufficient-scope',
    });
    const theirs = await apiKeyOf(await context.server.person(), ['probes:read'], {
      resources: [`probes/${mine}`],
    });
    expect((await theirs.get(`/v1/probes/${mine}`)).status).toBe(404);
  });

  it('leave a key what is about itself', async () => {
    const key = await keyFor([`probes/${mine}`]);
    expect((await key.get('/v1/probes/principal')).body.credentialId).toBe(key.id);
    const reader = await keyFor([`probes/${mine}`], ['profile:read', 'tokens:introspect']);
    expect(await reader.get('/v1/users/me')).toMatchObject(NOT_GRANTED);
    const asked = await postForm(reader, '/oauth/introspect', { token: 'x' });
    expect(asked).toMatchObject({
      status: 403,
      body: { error: 'insufficient_scope', error_description: expect.stringContaining('named resources') },
    });
  });

  it('can only be narrowed, and that ends the tokens from before', async () => {
    const key = await keyFor([`probes/${mine}`, `probes/${other}`]);
    const token = await exchange(key);
    const patch = (body: object) => session.patch(`/v1/api-keys/${key.id}`, body);
    expect((await token.get(`/v1/probes/${other}`)).status).toBe(200);
    expect((await patch({ resources: [`probes/${mine!.toUpperCase()}`] })).body.resources).toEqual([
      `probes/${mine}`,
    ]);
    expect(await key.get(`/v1/probes/${other}`)).toMatchObject(NOT_GRANTED);
    expect(await token.get(`/v1/probes/${mine}`)).toMatchObject(INVALID);
    const wider = await patch({ resources: [`probes/${mine}`, `probes/${other}`] });
    expect([wider.status, wider.body.errors?.[0].pointer]).toEqual([400, '/resources']);
    const anything = await apiKeyOf(ada, ['probes:read']);
    const unknown = await session.patch(`/v1/api-keys/${anything.id}`, { resources: ['users/x'] });
    expect([unknown.status, unknown.body.errors?.[0].pointer]).toEqual([400, '/resources/0']);
    const narrowed = await session.patch(`/v1/api-keys/${anything.id}`, { resources: [`probes/${mine}`] });
    expect(narrowed.status).toBe(200);
    expect(await anything.get('/v1/probes')).toMatchObject(NOT_GRANTED);
  });

  it('are networks likewise: only within those that were allowed', async () => {
    const key = await apiKeyOf(ada, ['probes:read'], {
      allowedCidrs: ['127.0.0.0/8', '::1', '192.0.2.0/24'],
    });
    const token = await exchange(key);
    const patch = (allowedCidrs: string[]) => session.patch(`/v1/api-keys/${key.id}`, { allowedCidrs });
    for (const wider of [['192.0.0.0/16'], ['127.0.0.1', '198.51.100.1'], ['::/0'], ['0.0.0.0/0']]) {
      const { status, body } = await patch(wider);
      expect([wider, status, body.errors?.[0].pointer]).toEqual([wider, 400, '/allowedCidrs']);
    }
    expect((await key.get('/v1/probes')).status).toBe(200);
    expect((await token.get('/v1/probes')).status).toBe(200);
    expect((await patch(['127.0.0.0/8', '::1', '192.0.2.128/25'])).status).toBe(200);
    expect((await key.get('/v1/probes')).status).toBe(200);
    expect(await token.get('/v1/probes')).toMatchObject(INVALID);
    expect((await patch(['192.0.2.129/32'])).status).toBe(200);
    expect(await key.get('/v1/probes')).toMatchObject(INVALID);
  });

  it.each([
    ['no list', 'probes/x', '/resources'],
    ['nothing', [], '/resources'],
    ['a kind alone', ['probes'], '/resources/0'],
    ['no id', ['probes/'], '/resources/0'],
    ['a path', ['probes/a/b'], '/resources/0'],
    ['anything at all', ['probes/*'], '/resources/0'],
    ['what no route is about', ['probes/a', 'users/a'], '/resources/1'],
    ['the same twice', ['probes/a', 'probes/a'], '/resources'],
    ['too many', Array.from({ length: 51 }, (_, i) => `probes/${i}`), '/resources'],
  ])('refuse %s', async (_what, resources, pointer) => {
    const answer = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'], resources });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });
});
