import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SignInsService } from '../../../src/accounts/sign-ins/sign-ins.service.js';
import { Client } from '../../support/client.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { TestServer, useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };

describe('the lifetime of a session', () => {
  const context = useServer();
  let person: Person;
  beforeEach(async () => {
    await context.server.clock.reset();
    person = await context.server.person();
  });

  const row = async ({ signInId }: SessionClient) =>
    (await context.server.query('SELECT * FROM sign_ins WHERE id = $1', [signInId]))[0];
  /** Writes when sign-ins were last seen, as a server that stops does: the test does not wait for the batch. */
  const writeBatch = () => context.server.provider<SignInsService>('SignInsService').onApplicationShutdown();

  /** Uses the session, and writes the batch. */
  async function use(session: SessionClient): Promise<number> {
    const { status } = await session.get('/v1/probes/principal');
    await writeBatch();
    return status;
  }

  it('[V7.3.1] ends after SESSION_IDLE_TTL without a request', async () => {
    const { clock } = context.server;
    const session = await sessionOf(person);
    await clock.advance('1439m');
    expect((await session.get('/v1/sessions/current/csrf-token')).status).toBe(200);
    const unused = await sessionOf(person);
    await clock.advance('24h');
    expect(await unused.get('/v1/probes/principal')).toMatchObject(INVALID);
  });

  it('lasts while the session is used, up to SESSION_TTL', async () => {
    const { clock } = context.server;
    const session = await sessionOf(person);
    const { expiresAt } = (await session.get('/v1/sessions/current')).body;
    for (let day = 1; day <= 7; day += 1) {
      await clock.advance('23h');
      expect(await use(session)).toBe(200);
    }
    expect((await session.get('/v1/sessions/current')).body).toMatchObject({ expiresAt });
    expect((await row(session)).idle_expires_at).toEqual(new Date(expiresAt));
    await clock.advance('7h');
    expect(await use(session)).toBe(401);
  });

  it('[V7.3.2] ends after SESSION_TTL, whatever the idle expiry says', async () => {
    const session = await sessionOf(person);
    await context.server.query(
      `UPDATE sign_ins SET idle_expires_at = expires_at + interval '1 year' WHERE id = $1`,
      [session.signInId],
    );
    await context.server.clock.advance('7d');
    expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
  });

  it('does not begin again if a request from before the sign-out is written after it', async () => {
    const { clock } = context.server;
    const session = await sessionOf(person);
    await clock.advance('1h');
    await session.get('/v1/probes/principal');
    await session.delete('/v1/sessions/current');
    const ended = await row(session);
    const other = await sessionOf(person);
    await clock.advance('1h');
    // The batch holds both sessions.
    expect(await use(other)).toBe(200);
    expect((await row(other)).last_seen_at.getTime()).toBeGreaterThan(ended.last_seen_at.getTime());
    expect(await row(session)).toEqual(ended);
    expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
  });

  describe('on a server of its own', () => {
    let second: TestServer;
    let session: SessionClient;
    let before: { last_seen_at: Date };
    let elsewhere: Client;
    beforeEach(async () => {
      second = await TestServer.start({ database: { url: context.server.config.DATABASE_URL! } });
      session = await sessionOf(person);
      before = await row(session);
      elsewhere = new Client(second.url, second.secrets, session.headers);
      await second.clock.advance('1h');
    });
    const seenLater = async () => (await row(session)).last_seen_at.getTime() - before.last_seen_at.getTime();

    it('is written in batches, and not at each request', async () => {
      for (let i = 0; i < 3; i += 1) expect((await elsewhere.get('/v1/probes/principal')).status).toBe(200);
      expect(await row(session)).toEqual(before);
      await second.provider<SignInsService>('SignInsService').onApplicationShutdown();
      expect(await seenLater()).toBeGreaterThanOrEqual(3_600_000);
      await second.stop();
    });

    it('is written when the server stops', async () => {
      expect((await elsewhere.get('/v1/probes/principal')).status).toBe(200);
      expect(await row(session)).toEqual(before);
      await second.stop();
      expect(await seenLater()).toBeGreaterThanOrEqual(3_600_000);
    });
  });
});
