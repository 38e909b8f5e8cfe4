import { describe, expect, it } from '@jest/globals';
import { signIn, signInIdOf, signIns } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';

const PATH = '/v1/users/me/export';

/** They hold nothing but the hashes of secrets, the state of mails that wait, and links that expire in hours. */
const NOT_EXPORTED = [
  'anomaly_links',
  'email_change_links',
  'email_verifications',
  'mfa_challenges',
  'passkey_challenges',
  'password_resets',
  'recovery_codes',
  'sessions',
  'sign_in_codes',
];

describe('the export of a person', () => {
  const context = useServer();

  it('has the account and its sign-ins, as a file that nothing stores', async () => {
    const { server } = context;
    const [ada, bob] = [await server.person(), await server.person()];
    const session = await signIn(ada);
    await signIn(ada);
    await signIn(bob);
    const { status, body, headers } = await session.get(PATH);
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toBe('attachment; filename="export.json"');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      account: { id: ada.id, email: ada.email, emailVerified: true },
      signIns: [
        { id: await signInIdOf(session), carrier: signIns[0]!.carrier, endedAt: null },
        { endReason: null },
      ],
    });
    expect(body.signIns).toHaveLength(2);
    expect(Date.parse(body.exportedAt)).not.toBeNaN();
    expect(JSON.stringify(body)).not.toMatch(/hash|argon2/i);
    expect(server.secrets.foundIn(JSON.stringify(body))).toEqual([]);
  });

  it('is limited to ten per person and hour', async () => {
    const [ada, bob] = [await context.server.person(), await context.server.person()];
    // All sign-ins of a person count together.
    const sessions = [await signIn(ada), await signIn(ada)];
    for (let i = 0; i < 10; i += 1) expect((await sessions[i % 2]!.get(PATH)).status).toBe(200);
    expect(await sessions[0]!.get(PATH)).toMatchObject({ status: 429, problem: 'rate-limited' });
    expect((await (await signIn(bob)).get(PATH)).status).toBe(200);
  });

  it('has a list for each table with rows of a person', async () => {
    const { server } = context;
    const tables: { name: string }[] = await server.query(`
      WITH RECURSIVE owned AS (
        SELECT 'subjects'::regclass::oid AS id
        UNION SELECT c.conrelid FROM pg_constraint c JOIN owned o ON c.confrelid = o.id WHERE c.contype = 'f')
      SELECT id::regclass::text AS name FROM owned WHERE id <> 'subjects'::regclass ORDER BY name`);
    const { body } = await (await signIn(await server.person())).get(PATH);
    const lists = new Set(
      Object.keys(body).map((name) => name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)),
    );
    const missing = tables
      .map(({ name }) => name)
      .filter((name) => !lists.has(name) && !NOT_EXPORTED.includes(name))
      // Its origins and their partitions are part of `auditEvents`.
      .filter((name) => !(name.startsWith('audit_') && lists.has('audit_events')));
    // `account` is the row of the user; nobody is behind a service account; probes are a table of the tests.
    expect(missing).toEqual(
      ['probes', 'service_accounts', 'users'].filter((name) => tables.some((table) => table.name === name)),
    );
  });

  it('refuses an old sign-in', async () => {
    const { server } = context;
    const session = await signIn(await server.person());
    await server.clock.advance('11m');
    expect(await session.get(PATH)).toMatchObject({
      status: 401,
      problem: 'insufficient-user-authentication',
    });
    await server.clock.reset();
  });
});
