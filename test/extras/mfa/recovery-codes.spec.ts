import { beforeEach, describe, expect, it } from '@jest/globals';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import {
  enrolPasskey,
  enrolTotp,
  mfaRequired,
  sessionFrom,
  statusesOf,
  type TotpOwner,
} from '../../support/second-factors.js';
import { useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential', cookieNames: [] };

describe('a recovery code', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let person: Person;
  let ada: TotpOwner;
  beforeEach(async () => {
    person = await context.server.person();
    ada = await enrolTotp(context.server, await sessionOf(person));
  });

  async function use(recoveryCode: string) {
    const { mfaToken } = await mfaRequired(person);
    return person.anonymous.post('/v1/sessions', { mfaToken, recoveryCode });
  }

  it('[V6.4.4] signs in in place of a code of the app', async () => {
    const answer = await use(ada.recoveryCodes[0]!);
    expect(answer.status).toBe(201);
    const { body } = await sessionFrom(person.anonymous, answer).get('/v1/whoami');
    expect(body.amr).toEqual(['pwd', 'otp', 'mfa']);
    expect((await ada.session.get('/v1/mfa')).body.recoveryCodes).toBe(9);
  });

  it('[V6.5.1] works once', async () => {
    expect((await use(ada.recoveryCodes[0]!)).status).toBe(201);
    expect(await use(ada.recoveryCodes[0]!)).toMatchObject(INVALID);
    expect((await use(ada.recoveryCodes[1]!)).status).toBe(201);
  });

  it('works once, also in parallel', async () => {
    const answers = await Promise.all([use(ada.recoveryCodes[2]!), use(ada.recoveryCodes[2]!)]);
    expect(statusesOf(answers)).toEqual([201, 401]);
  });

  it('is accepted in lower case, with spaces and without hyphens', async () => {
    const [one, two] = ada.recoveryCodes;
    expect((await use(one!.toLowerCase().replaceAll('-', ' '))).status).toBe(201);
    expect((await use(two!.replaceAll('-', ''))).status).toBe(201);
  });

  it('is refused for another user', async () => {
    const bob = await enrolTotp(context.server, await sessionOf(await context.server.person()));
    expect(await use(bob.recoveryCodes[0]!)).toMatchObject(INVALID);
  });

  it('is told to its owner by mail when it is used', async () => {
    await use(ada.recoveryCodes[0]!);
    const mail = (await context.server.mails()).findLast((text) => text.includes(`To: ${person.email}`));
    expect(mail).toContain('Subject: A recovery code was used');
    expect(mail).toContain('9 are left');
  });

  it('reauthenticates', async () => {
    const answer = await ada.session.post('/v1/sessions/current/reauthentication', {
      recoveryCode: ada.recoveryCodes[0],
    });
    expect(answer.status).toBe(200);
  });

  describe('POST /v1/mfa/recovery-codes', () => {
    it('answers with ten new codes, and the old ones are void', async () => {
      const { status, body } = await ada.session.post('/v1/mfa/recovery-codes');
      expect(status).toBe(201);
      expect(body.recoveryCodes).toHaveLength(10);
      expect(await use(ada.recoveryCodes[0]!)).toMatchObject(INVALID);
      expect((await use(body.recoveryCodes[0])).status).toBe(201);
      const mail = (await context.server.mails()).find(
        (text) => text.includes(`To: ${person.email}`) && text.includes('Your recovery codes were replaced'),
      );
      expect(mail).toBeDefined();
    });

    it('is refused without a factor', async () => {
      const session = await sessionOf(await context.server.person());
      expect(await session.post('/v1/mfa/recovery-codes')).toMatchObject({
        status: 409,
        problem: 'no-second-factor',
      });
    });
  });

  it('comes with the first factor of any kind, and not with a second one', async () => {
    const { answer } = await enrolPasskey(context.server, ada.session);
    expect(answer.body).not.toHaveProperty('recoveryCodes');
    const other = await sessionOf(await context.server.person());
    expect((await enrolPasskey(context.server, other)).answer.body.recoveryCodes).toHaveLength(10);
  });

  it('goes with the last factor, and stays while there is another', async () => {
    const { session } = await enrolPasskey(context.server, ada.session);
    const left = sessionFrom(session, await session.delete('/v1/mfa/totp'));
    const { passkeys, recoveryCodes } = (await left.get('/v1/mfa')).body;
    expect(recoveryCodes).toBe(10);
    const none = sessionFrom(left, await left.delete(`/v1/mfa/passkeys/${passkeys[0].id}`));
    expect((await none.get('/v1/mfa')).body).toEqual({ totp: false, passkeys: [], recoveryCodes: 0 });
  });
});
