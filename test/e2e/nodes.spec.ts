import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Build, buildProject } from '../support/build.js';
import { type Answer, Client } from '../support/client.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Node } from '../support/nodes.js';
import { Person, type SessionClient } from '../support/person.js';
import { SecretKeeper } from '../support/secret-keeper.js';
import { PASSWORD, TestServer } from '../support/server.js';

const FEED_MAX_LAG_MS = 1_000;
const secrets = new SecretKeeper();

/** What is shown to B and C, and how A takes it back. */
interface Case {
  credential: Client;
  /** A request that the credential may make as long as it is alive. */
  path: string;
  revoke(): Promise<Answer>;
}

describe('three nodes on one database', () => {
  let build: Build;
  let directory: string;
  let database: TestDatabase;
  let nodes: Node[];
  /** In this process: only to make people. */
  let server: TestServer;
  let admin: Person;
  const table: { case: string; ms: number }[] = [];

  beforeAll(async () => {
    build = buildProject();
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-nodes-'));
    database = await createDatabase();
    server = await TestServer.start({ database });
    admin = await server.administrator();
    const env = { DATABASE_URL: database.url, DATA_DIRECTORY: directory, LOG_LEVEL: 'silent' };
    nodes = await Promise.all([1, 2, 3].map(() => Node.start(build, env)));
  });

  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await server?.stop();
    await database?.drop();
    await rm(directory, { recursive: true, force: true });
    build.remove();
    const ms = table.map((row) => row.ms).toSorted((a, b) => a - b);
    console.info(
      [
        'Milliseconds from the answer of the revoking node to the first refusal on both others:',
        ...table.map((row) => `  ${row.ms.toFixed(1).padStart(7)}  ${row.case}`),
        `  ${ms[Math.floor(ms.length / 2)]?.toFixed(1).padStart(7)}  median`,
      ].join('\n'),
    );
  });

  const at = (node: number, credential: Client) => new Client(nodes[node]!.url, secrets, credential.headers);
  const person = async () => {
    const { id, email } = await server.person();
    return new Person(nodes[0]!.url, secrets, id, email, PASSWORD);
  };
  const asAdmin = async (): Promise<SessionClient> =>
    new Person(nodes[0]!.url, secrets, admin.id, admin.email, PASSWORD).session();

  it('are three processes', () => {
    expect(new Set([process.pid, ...nodes.map((node) => node.pid)]).size).toBe(4);
  });

  /** Both other nodes have the credential in memory, then A revokes, then both are asked until they refuse. */
  async function measure(name: string, { credential, path, revoke }: Case): Promise<void> {
    const others = [at(1, credential), at(2, credential)];
    for (const other of others)
      for (let i = 0; i < 2; i += 1) expect((await other.get(path)).status).toBe(200);
    const answer = await revoke();
    const answeredAt = performance.now();
    expect(answer.status).toBeLessThan(300);
    const refused = others.map(async (other) => {
      for (;;) {
        const askedAt = performance.now();
        const { status } = await other.get(path);
        if (status !== 200) return { status, ms: askedAt - answeredAt };
        // The promise: whoever is asked later than that refuses.
        expect(askedAt - answeredAt).toBeLessThan(FEED_MAX_LAG_MS);
      }
    });
    const results = await Promise.all(refused);
    for (const { status } of results) expect([401, 403]).toContain(status);
    table.push({ case: name, ms: Math.max(...results.map((result) => result.ms)) });
    // And for good.
    for (const other of others) expect((await other.get(path)).status).not.toBe(200);
  }

  const SIGNED_IN = ['session', 'jwt'] as const;
  const PATH = '/v1/orders';

  it.each(SIGNED_IN)('refuse a %s that signed out', async (mode) => {
    const credential = await (await person())[mode]();
    await measure(`${mode}: signed out`, {
      credential,
      path: PATH,
      revoke: () => credential.delete('/v1/sessions/current'),
    });
  });

  it.each(SIGNED_IN)('refuse a %s that was ended by its id', async (mode) => {
    const ada = await person();
    const credential = await ada[mode]();
    const { id } = (await credential.get('/v1/sessions/current')).body;
    const other = await ada.session();
    await measure(`${mode}: ended by id`, {
      credential,
      path: PATH,
      revoke: () => other.delete(`/v1/sessions/${id}`),
    });
  });

  it.each(SIGNED_IN)('refuse a %s after all others were ended', async (mode) => {
    const ada = await person();
    const credential = await ada[mode]();
    const other = await ada.session();
    await measure(`${mode}: all others ended`, {
      credential,
      path: PATH,
      revoke: () => other.delete('/v1/sessions'),
    });
  });

  it.each(SIGNED_IN)('refuse a %s after the password was changed elsewhere', async (mode) => {
    const ada = await person();
    const credential = await ada[mode]();
    const other = await ada.session();
    const body = { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` };
    await measure(`${mode}: password changed`, {
      credential,
      path: PATH,
      revoke: () => other.put('/v1/users/me/password', body),
    });
  });

  it.each(SIGNED_IN)('refuse the secrets of a %s from before a reauthentication', async (mode) => {
    const credential = await (await person())[mode]();
    await measure(`${mode}: renewed by reauthentication`, {
      credential,
      path: PATH,
      revoke: () => credential.post('/v1/sessions/current/reauthentication', { password: PASSWORD }),
    });
  });

  it.each([...SIGNED_IN, 'apiKey'] as const)('refuse the %s of a user who was disabled', async (mode) => {
    const ada = await person();
    const credential = mode === 'apiKey' ? await ada.apiKey(['orders:read']) : await ada[mode]();
    const session = await asAdmin();
    const revoke = () => session.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
    await measure(`${mode}: user disabled`, { credential, path: PATH, revoke });
  });

  it.each(SIGNED_IN)('refuse the %s of a user whose roles were changed', async (mode) => {
    const ada = await person();
    const credential = await ada[mode]();
    const session = await asAdmin();
    const revoke = () => session.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] });
    await measure(`${mode}: roles changed`, { credential, path: PATH, revoke });
  });

  it.each(SIGNED_IN)('refuse the %s of a user whom an administrator signed out', async (mode) => {
    const ada = await person();
    const credential = await ada[mode]();
    const session = await asAdmin();
    const revoke = () => session.post(`/v1/admin/users/${ada.id}/sign-out`);
    await measure(`${mode}: signed out by an administrator`, { credential, path: PATH, revoke });
  });

  it('refuse a key that was revoked', async () => {
    const ada = await person();
    const credential = await ada.apiKey(['orders:read']);
    const session = await ada.session();
    const revoke = () => session.delete(`/v1/api-keys/${credential.id}`);
    await measure('apiKey: revoked', { credential, path: PATH, revoke });
  });

  it('refuse what a key may no longer do', async () => {
    const ada = await person();
    const credential = await ada.apiKey(['orders:read', 'profile:read']);
    const session = await ada.session();
    const revoke = () => session.patch(`/v1/api-keys/${credential.id}`, { scopes: ['profile:read'] });
    await measure('apiKey: narrowed', { credential, path: PATH, revoke });
  });

  it('refresh one token on all of them at once: one family, one successor, nobody signed out', async () => {
    const token = await (await person()).jwt();
    const body = { refreshToken: token.refreshToken };
    const answers = await Promise.all(
      [0, 1, 2, 0, 1, 2].map((node) => at(node, new Client('', secrets)).post('/v1/tokens/refresh', body)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(new Set(answers.map((answer) => answer.body.refresh_token)).size).toBe(1);
    for (const node of [0, 1, 2])
      for (const { body } of answers)
        expect(
          (
            await at(node, new Client('', secrets, { Authorization: `Bearer ${body.access_token}` })).get(
              PATH,
            )
          ).status,
        ).toBe(200);
  });
});
