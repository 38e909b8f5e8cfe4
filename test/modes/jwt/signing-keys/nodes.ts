import { afterAll, beforeAll } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../../support/databases.js';
import { jwtOf, type TokenClient } from '../../../support/modes/jwt.js';
import type { Client } from '../../../support/client.js';
import { administer } from '../../../support/modes/any.js';
import type { Person } from '../../../support/person.js';
import { TestServer } from '../../../support/server.js';
import { until } from '../../../support/until.js';

export interface Key {
  kid: string;
  algorithm: string;
  status: string;
  createdAt: string;
  retiredAt: string | null;
}

export const PATH = '/v1/admin/signing-keys';

export const headerOf = (token: string): { kid: string; alg: string } =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
export const kidOf = ({ accessToken }: TokenClient): string => headerOf(accessToken).kid;

/** Asks again until it is so: a notification takes milliseconds, and a machine may be slow. */
export const eventually = <T>(ask: () => Promise<T>, expected: T): Promise<void> =>
  until(async () => (await ask()) === expected);

/** Nodes on one database, with a person and an administrator whom all of them know. */
export function useNodes(count: number, env: Record<string, string> = {}) {
  const nodes: TestServer[] = [];
  let database: TestDatabase;
  let ada: Person;
  let admin: Person;
  const start = async (more: Record<string, string> = {}) => {
    const node = await TestServer.start({ database, env: { ...env, ...more } });
    nodes.push(node);
    return node;
  };

  beforeAll(async () => {
    database = await createDatabase();
    for (let i = 0; i < count; i += 1) await start();
    ada = await nodes[0]!.person();
    admin = await nodes[0]!.administrator();
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await database.drop();
  });

  return {
    nodes,
    start,
    token: (node: TestServer): Promise<TokenClient> => jwtOf(ada.at(node)),
    admin: (node: TestServer): Promise<Client> => administer(admin.at(node)),
    advance: (duration: string) => Promise.all(nodes.map(({ clock }) => clock.advance(duration))),
    statusOn: async (node: TestServer, { accessToken }: TokenClient): Promise<number> =>
      (await node.anonymous.with({ Authorization: `Bearer ${accessToken}` }).get('/v1/probes/principal'))
        .status,
    published: async (node: TestServer): Promise<string[]> =>
      (await node.anonymous.get('/.well-known/jwks.json')).body.keys.map(({ kid }: Key) => kid),
    keys: async (): Promise<Key[]> => {
      const rows = await nodes[0]!.query('SELECT * FROM signing_keys ORDER BY created_at, status');
      return rows;
    },
  };
}

export const withStatus = (keys: Key[], status: string): string =>
  keys.find((key) => key.status === status)!.kid;
