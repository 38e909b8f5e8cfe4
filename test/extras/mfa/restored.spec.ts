import { beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../support/commands.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PRODUCTION } from '../../support/production.js';
import { enrolTotp, mfaRequired, type TotpOwner } from '../../support/second-factors.js';
import { useServer } from '../../support/server.js';

const { ENCRYPTION_SECRETS } = PRODUCTION;

describe('npm run restored', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let person: Person;
  let ada: TotpOwner;
  beforeEach(async () => {
    await context.server.clock.reset();
    person = await context.server.person();
    ada = await enrolTotp(context.server, await sessionOf(person));
  });

  const restored = async (...args: string[]) => {
    const { DATABASE_URL } = context.server.config;
    expect(await runCommand('restored', args, { DATABASE_URL, ENCRYPTION_SECRETS })).toMatchObject({
      code: 0,
    });
  };
  const proceed = async (proof: object, { mfaToken } = { mfaToken: '' }) =>
    (
      await person.anonymous.post('/v1/sessions', {
        mfaToken: mfaToken || (await mfaRequired(person)).mfaToken,
        ...proof,
      })
    ).status;

  it('refuses the codes of this moment, which can have been used, and later accepts new ones', async () => {
    // As in a backup from an hour ago.
    await context.server.query('UPDATE totp_factors SET last_step = last_step - 120');
    await restored();
    const now = await context.server.clock.now();
    for (const steps of [-1, 0]) expect(await proceed({ totp: ada.app.codeAt(now, steps) })).toBe(401);
    await context.server.clock.advance('3m');
    expect(await proceed({ totp: ada.app.codeAt(await context.server.clock.now()) })).toBe(201);
  });

  it('ends a sign-in that waits for a second factor', async () => {
    const waiting = await mfaRequired(person);
    await restored('--keep', 'recovery-codes');
    expect(await proceed({ recoveryCode: ada.recoveryCodes[0]! }, waiting)).toBe(401);
  });

  it('ends recovery codes, unless they are kept', async () => {
    await restored('--keep', 'recovery-codes');
    expect(await proceed({ recoveryCode: ada.recoveryCodes[0]! })).toBe(201);
    await restored();
    expect(await proceed({ recoveryCode: ada.recoveryCodes[1]! })).toBe(401);
  });
});
