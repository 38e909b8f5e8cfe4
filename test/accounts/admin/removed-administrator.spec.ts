import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { meet } from '../../support/barrier.js';
import { signIns } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';
import { type Removal, REMOVALS, Stage, type Write, WRITES } from './removed-administrator.js';

const REFUSED = { status: 401, problem: 'invalid-credential' };
const ROLES = WRITES['PUT /v1/admin/users/:id/roles']!;
/** One write of each room that has its own way to lock. */
const SOME: readonly Write[] = [
  ROLES,
  // room: service-account-admin
  WRITES['POST /v1/admin/service-accounts']!,
  // /room
  // room: own-api-keys
  WRITES['POST /v1/api-keys']!,
  // /room
];

describe('a privileged write by an administrator who is removed meanwhile', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.build(context.server);
  });
  beforeEach(() => stage.enter());

  async function expectRefused(removal: Removal, write: Write): Promise<void> {
    const before = await stage.state();
    expect(await stage.race(removal, write)).toMatchObject(REFUSED);
    expect(await stage.state()).toEqual(before);
  }

  it.each(Object.entries(WRITES))('is refused on %s, and nothing is written', (_route, write) =>
    expectRefused(REMOVALS.demoted, write),
  );

  it.each(Object.entries<Removal>(REMOVALS))(
    'is refused if the administrator is %s',
    async (_removal, removal) => {
      for (const write of SOME) {
        await expectRefused(removal, write);
        await stage.enter();
      }
    },
  );

  it.each(['demoted', 'disabled', 'signed out'] as const)(
    'never gives the role back to an administrator who is %s',
    async (removal) => {
      const answer = await stage.race(REMOVALS[removal], ({ acting }) => stage.setRoles(acting, ['admin']));
      expect(answer).toMatchObject(REFUSED);
      const [user] = await context.server.query('SELECT roles, status FROM users WHERE id = $1', [
        stage.eve.id,
      ]);
      expect(user).toEqual({
        roles: removal === 'demoted' ? [] : ['admin'],
        status: removal === 'disabled' ? 'disabled' : 'active',
      });
    },
  );

  it.each(signIns)('is refused by $mode with the challenge of its scheme', async (kind) => {
    await stage.enter(kind);
    const fault = kind.scheme === 'Bearer' ? ', error="invalid_token"' : '';
    expect(await stage.race(REMOVALS.demoted, ROLES)).toMatchObject({
      ...REFUSED,
      challenges: `${kind.scheme} realm="api"${fault}`,
    });
  });

  it.each<[string, string, () => string]>([
    ['the user is disabled', `UPDATE users SET status = 'disabled' WHERE id = $1`, () => stage.eve.id],
    ['the user is deleted', 'DELETE FROM users WHERE id = $1', () => stage.eve.id],
    [
      'the sign-in has expired',
      `UPDATE sign_ins SET expires_at = now() - interval '1s' WHERE id = $1`,
      () => stage.signInId,
    ],
    [
      'the sign-in was idle for too long',
      `UPDATE sign_ins SET idle_expires_at = now() - interval '1s' WHERE id = $1`,
      () => stage.signInId,
    ],
  ])('is refused if %s in the database', async (_what, lock, id) => {
    for (const write of SOME) {
      const [answer] = await meet(context.server, { lock, parameters: [id()] }, [() => write(stage)]);
      expect(answer).toMatchObject(REFUSED);
      await stage.enter();
    }
  });

  it('is refused for the missing scope if only the role is gone', async () => {
    const { scheme } = signIns[0]!;
    const [answer] = await meet(
      context.server,
      { lock: `UPDATE users SET roles = '{}' WHERE id = $1`, parameters: [stage.eve.id] },
      [() => ROLES(stage)],
    );
    expect(answer).toMatchObject({
      status: 403,
      problem: 'insufficient-scope',
      challenges: `${scheme} realm="api", error="insufficient_scope", scope="admin:users"`,
      body: { missingScopes: ['admin:users'] },
    });
  });

  it('is in the log with the precise reason', async () => {
    const { credentialId } = (await stage.acting.get('/v1/probes/principal')).body;
    await stage.race(REMOVALS['signed out'], ROLES);
    expect(
      (await context.server.entries()).findLast(({ event }) => event === 'request.refused'),
    ).toMatchObject({
      problem: 'invalid-credential',
      reason: 'sign-in ended or renewed meanwhile',
      userId: stage.eve.id,
      credentialId,
    });
  });
});
