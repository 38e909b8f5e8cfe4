import { performance } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { Barrier } from '../support/barrier.js';
import { Client } from '../support/client.js';
import { jwtOf } from '../support/modes/jwt.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { bearer, PATH, three } from './three-nodes.js';

const LOCK = 0x6c6f6f6b;
const [A, B] = [0, 1];

/** Puts a view before a table, in which a query waits for the lock after it has begun, as one that takes long does. */
async function slowDown(table: string): Promise<() => Promise<void>> {
  const dataSource = three.server;
  await dataSource.query(`
    BEGIN;
    ALTER TABLE ${table} RENAME TO ${table}_behind;
    CREATE VIEW ${table} AS
      SELECT * FROM ${table}_behind WHERE pg_advisory_xact_lock_shared(${LOCK})::text = '';
    COMMIT;
  `);
  return async () => {
    await dataSource.query(`
      BEGIN;
      DROP VIEW ${table};
      ALTER TABLE ${table}_behind RENAME TO ${table};
      COMMIT;
    `);
  };
}

const opaque = async ({ email, password }: Person): Promise<Client> => {
  const fields = { email, password, format: 'opaque' };
  return bearer((await three.server.anonymous.post('/v1/tokens', fields)).body.access_token);
};

describe('a look-up that began before a revocation and ends after it', () => {
  it.each([
    { mode: 'session', table: 'sessions', credentialOf: (ada: Person): Promise<Client> => sessionOf(ada) },
    { mode: 'opaque', table: 'access_tokens', credentialOf: opaque },
  ])('is not remembered ($mode)', async ({ table, credentialOf }) => {
    const ada = await three.server.person();
    const [credential, jwt, ended] = [await credentialOf(ada), await jwtOf(ada), await jwtOf(ada)];
    const { id } = (await three.at(A, credential).get('/v1/sessions/current')).body;
    const restore = await slowDown(table);
    const barrier = await Barrier.hold(three.database.url, 'SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const early = three.at(B, credential).get(PATH);
    await barrier.waiting(1);

    expect((await three.at(A, jwt).delete(`/v1/sessions/${id}`)).status).toBe(204);
    // What comes after it in the feed is known to B, and so is it.
    expect((await three.at(A, ended).delete('/v1/sessions/current')).status).toBe(204);
    await three.refusal(B, ended, performance.now());

    await barrier.release();
    // It asked before: what it found was true then, and is good for one answer.
    expect((await early).status).toBe(200);
    expect((await three.at(B, credential).get(PATH)).status).toBe(401);
    await restore();
  });
});
