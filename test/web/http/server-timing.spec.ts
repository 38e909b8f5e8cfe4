import { describe, expect, it } from '@jest/globals';
import { anyone } from '../../support/modes/any.js';
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room
import { useServer } from '../../support/server.js';

const TIMING = /^total;dur=\d+\.\d, queries;desc="(\d+)"$/;
const queriesIn = ({ headers }: { headers: Headers }): number =>
  Number(TIMING.exec(headers.get('server-timing')!)?.[1] ?? NaN);

describe('Server-Timing', () => {
  const context = useServer({ env: { CREDENTIAL_CACHE_TTL: '0' } });

  it('has the time of a request and the number of its statements', async () => {
    const client = await anyone(context.server);
    expect(queriesIn(await client.post('/v1/probes', { note: 'one' }))).toBeGreaterThan(0);
  });

  // room: sessions
  it('counts the lookup of the credential', async () => {
    const client = await sessionOf(await context.server.person());
    expect(queriesIn(await client.get('/v1/probes/principal'))).toBe(1);
  });
  // /room

  it('is not on public routes, where it would show whether an address has an account', async () => {
    for (const path of ['/health/live', '/problems/not-found', '/v1/nowhere'])
      expect((await context.server.anonymous.get(path)).headers.get('server-timing')).toBeNull();
  });

  it('is in refusals too', async () => {
    const refused = await context.server.anonymous.get('/v1/probes/principal');
    expect([refused.status, queriesIn(refused)]).toEqual([401, 0]);
  });
});

describe('an answer in production', () => {
  const context = useServer({ env: { NODE_ENV: 'production', ISSUER: 'https://auth.example.com' } });

  it('does not show it', async () => {
    const answer = await context.server.anonymous.get('/v1/probes/principal');
    expect([answer.status, answer.headers.get('server-timing')]).toEqual([401, null]);
  });
});
