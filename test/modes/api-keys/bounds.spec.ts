import { beforeAll, describe, expect, it } from '@jest/globals';
// room: oauth
import { basic, postForm } from '../../support/form.js';
import { exchange } from '../../support/modes/machine.js';
// /room
import type { Client } from '../../support/client.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import type { Owner } from '../../support/person.js';
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
  let owner: Owner;
  beforeAll(async () => {
    owner = await proxied.server.serviceAccount();
  });

  const keyFor = (allowedCidrs: string[]) => apiKeyOf(owner, ['probes:read'], { allowedCidrs });
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

  it('answer like an unknown key elsewhere', async () => {
    const key = await keyFor(['192.0.2.0/24']);
    const answer = await key.get('/v1/probes', from('198.51.100.1'));
    const unknown = await key.with({ 'X-API-Key': 'nk_test_x' }).get('/v1/probes', from('198.51.100.1'));
    expect(answer).toMatchObject(INVALID);
    const { instance } = answer.body;
    expect([answer.body, answer.challenges]).toEqual([{ ...unknown.body, instance }, unknown.challenges]);
  });

  // room: oauth
  it('apply to the exchange of the key, and to its tokens', async () => {
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
    const service = await apiKeyOf(owner, ['tokens:introspect']);
    const told = await postForm(service, '/oauth/introspect', { token: body.access_token });
    expect(told.body.active).toBe(true);
    const elsewhere = await exchange('192.0.2.1', { resource: REPORTS });
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });
  // /room

  it('apply to the address that the trusted proxy adds', async () => {
    const key = await keyFor(['192.0.2.0/24']);
    expect(await statusFrom(key, '192.0.2.1, 198.51.100.1')).toBe(401);
    expect(await statusFrom(key, '198.51.100.1, 192.0.2.1')).toBe(200);
    expect(await statusFrom(key, 'no address')).toBe(401);
  });

  it('ignore the headers of a peer that is no proxy', async () => {
    const grace = await direct.server.serviceAccount();
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
});

describe('resources of a key', () => {
  const context = useServer();
  let owner: Owner;
  let wide: KeyClient;
  let [mine, other]: string[] = [];
  beforeAll(async () => {
    owner = await context.server.serviceAccount();
    wide = await apiKeyOf(owner, ['probes:read', 'probes:write']);
    [mine, other] = await Promise.all(
      [1, 2].map(async () => (await wide.post('/v1/probes', { note: 'Tea' })).body.id),
    );
  });
  const keyFor = (resources: string[], scopes = ['probes:read', 'probes:write']) =>
    apiKeyOf(owner, scopes, { resources });

  it('are all that the key, and the tokens exchanged for it, can be used for', async () => {
    const key = await keyFor([`probes/${mine}`]);
    const clients: Client[] = [key];
    // room: oauth
    clients.push(await exchange(key));
    // /room
    for (const client of clients) {
      expect((await client.get(`/v1/probes/${mine}`)).status).toBe(200);
      expect((await client.get(`/v1/probes/${mine!.toUpperCase()}`)).status).toBe(200);
      expect(await client.get(`/v1/probes/${other}`)).toMatchObject(NOT_GRANTED);
      expect(await client.delete(`/v1/probes/${other}`)).toMatchObject(NOT_GRANTED);
      expect(await client.get('/v1/probes')).toMatchObject(NOT_GRANTED);
      expect(await client.post('/v1/probes', { note: 'Tea' })).toMatchObject(NOT_GRANTED);
    }
    expect((await wide.get(`/v1/probes/${other}`)).status).toBe(200);
  });

  it('do not reveal whether another resource exists', async () => {
    const key = await keyFor([`probes/${mine}`]);
    const without = ({ body }: { body: any }) => ({ ...body, instance: undefined });
    const unknown = await key.get('/v1/probes/01890000-0000-7000-8000-000000000000');
    expect(without(unknown)).toEqual(without(await key.get(`/v1/probes/${other}`)));
  });

  it('never grant more than the scopes and the owner do', async () => {
    const reader = await keyFor([`probes/${mine}`], ['probes:read']);
    expect(await reader.delete(`/v1/probes/${mine}`)).toMatchObject({
      status: 403,
      problem: 'insufficient-scope',
    });
    const theirs = await apiKeyOf(await context.server.serviceAccount(), ['probes:read'], {
      resources: [`probes/${mine}`],
    });
    expect((await theirs.get(`/v1/probes/${mine}`)).status).toBe(404);
  });

  it('allow routes about the key itself', async () => {
    const key = await keyFor([`probes/${mine}`]);
    expect((await key.get('/v1/probes/principal')).body.credentialId).toBe(key.id);
  });

  // room: own-api-keys
  it('refuse the profile', async () => {
    const [ada, probe] = [await context.server.person(), `probes/${mine}`];
    const reader = await apiKeyOf(ada, ['profile:read'], { resources: [probe] });
    expect(await reader.get('/v1/users/me')).toMatchObject(NOT_GRANTED);
  });
  // /room

  // room: oauth
  it('refuse the introspection', async () => {
    const reader = await keyFor([`probes/${mine}`], ['tokens:introspect']);
    const asked = await postForm(reader, '/oauth/introspect', { token: 'x' });
    expect(asked).toMatchObject({
      status: 403,
      body: {
        error: 'insufficient_scope',
        error_description: expect.stringContaining('limited to resources'),
      },
    });
  });
  // /room
});
