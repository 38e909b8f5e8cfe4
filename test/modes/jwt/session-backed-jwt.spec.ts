import { beforeEach, describe, expect, it } from '@jest/globals';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const PLAIN = '/v1/probes/principal';
const LIVE = '/v1/probes/live';

describe('a session-backed JWT', () => {
  const context = useServer({ env: { CREDENTIAL_CACHE_TTL: '0' } });
  let ada: Person;
  let token: TokenClient;
  beforeEach(async () => {
    ada = await context.server.person();
    token = await jwtOf(ada);
  });

  /** A change by SQL, which announces no revocation. */
  const change = (sql: string) => context.server.query(sql, [ada.id]);

  it.each([
    ['the user is disabled', `UPDATE users SET status = 'disabled' WHERE id = $1`],
    ['the sign-in has ended', `UPDATE sign_ins SET ended_at = now(), end_reason = 'x' WHERE user_id = $1`],
    ['the sign-in has expired', `UPDATE sign_ins SET expires_at = now() WHERE user_id = $1`],
  ])('is refused by a live route, and still accepted by a plain one, if %s', async (_what, sql) => {
    expect((await token.get(LIVE)).status).toBe(200);
    await change(sql);
    expect(await token.get(LIVE)).toMatchObject({ status: 401, problem: 'invalid-credential' });
    expect((await token.get(PLAIN)).status).toBe(200);
  });
});
