import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { signIn } from '../../support/modes/any.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const NOT_GRANTED = { status: 403, problem: 'resource-not-granted' };

describe('the bounds of a key in a request', () => {
  const context = useServer();
  let ada: Person;
  let session: Client;
  let [mine, other]: string[] = [];
  beforeAll(async () => {
    ada = await context.server.person();
    session = await signIn(ada);
    [mine, other] = await Promise.all(
      [1, 2].map(async () => (await session.post('/v1/probes', { note: 'Tea' })).body.id),
    );
  });
  const keyFor = (resources: string[]) => apiKeyOf(ada, ['probes:read', 'probes:write'], { resources });

  it('shows networks in their canonical form', async () => {
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
  ])('refuses networks: %s', async (_what, allowedCidrs, pointer) => {
    const answer = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'], allowedCidrs });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });

  it('narrows resources, and never widens them', async () => {
    const key = await keyFor([`probes/${mine}`, `probes/${other}`]);
    // room: oauth
    const token = await exchange(key);
    // /room
    const patch = (body: object) => session.patch(`/v1/api-keys/${key.id}`, body);
    // room: oauth
    expect((await token.get(`/v1/probes/${other}`)).status).toBe(200);
    // /room
    expect((await patch({ resources: [`probes/${mine!.toUpperCase()}`] })).body.resources).toEqual([
      `probes/${mine}`,
    ]);
    expect(await key.get(`/v1/probes/${other}`)).toMatchObject(NOT_GRANTED);
    // room: oauth
    expect(await token.get(`/v1/probes/${mine}`)).toMatchObject(INVALID);
    // /room
    const wider = await patch({ resources: [`probes/${mine}`, `probes/${other}`] });
    expect([wider.status, wider.body.errors?.[0].pointer]).toEqual([400, '/resources']);
    const anything = await apiKeyOf(ada, ['probes:read']);
    const unknown = await session.patch(`/v1/api-keys/${anything.id}`, { resources: ['users/x'] });
    expect([unknown.status, unknown.body.errors?.[0].pointer]).toEqual([400, '/resources/0']);
    const narrowed = await session.patch(`/v1/api-keys/${anything.id}`, { resources: [`probes/${mine}`] });
    expect(narrowed.status).toBe(200);
    expect(await anything.get('/v1/probes')).toMatchObject(NOT_GRANTED);
  });

  it('narrows networks, and never widens them', async () => {
    const key = await apiKeyOf(ada, ['probes:read'], {
      allowedCidrs: ['127.0.0.0/8', '::1', '192.0.2.0/24'],
    });
    // room: oauth
    const token = await exchange(key);
    // /room
    const patch = (allowedCidrs: string[]) => session.patch(`/v1/api-keys/${key.id}`, { allowedCidrs });
    for (const wider of [['192.0.0.0/16'], ['127.0.0.1', '198.51.100.1'], ['::/0'], ['0.0.0.0/0']]) {
      const { status, body } = await patch(wider);
      expect([wider, status, body.errors?.[0].pointer]).toEqual([wider, 400, '/allowedCidrs']);
    }
    expect((await key.get('/v1/probes')).status).toBe(200);
    // room: oauth
    expect((await token.get('/v1/probes')).status).toBe(200);
    // /room
    expect((await patch(['127.0.0.0/8', '::1', '192.0.2.128/25'])).status).toBe(200);
    expect((await key.get('/v1/probes')).status).toBe(200);
    // room: oauth
    expect(await token.get('/v1/probes')).toMatchObject(INVALID);
    // /room
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
  ])('refuses resources: %s', async (_what, resources, pointer) => {
    const answer = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'], resources });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });
});
