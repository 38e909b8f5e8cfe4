import { beforeAll, describe, expect, it } from '@jest/globals';
import { Authenticator, type Deviations } from '../../support/authenticator.js';
// room: jwt
import { claimsOf } from '../../support/modes/jwt.js';
// /room
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { enrolPasskey, mfaRequired, sessionFrom, statusesOf } from '../../support/second-factors.js';
import { PASSWORD, useServer } from '../../support/server.js';

const APP = 'https://app.example.com';
const INVALID = { status: 401, problem: 'invalid-credential', cookieNames: [] };
const REFUSED = { status: 400, problem: 'invalid-passkey', cookieNames: [] };

describe('a passkey', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off', CORS_ORIGINS: APP } });
  const issuer = () => context.server.config.ISSUER;

  interface Owner {
    person: Person;
    authenticator: Authenticator;
    session: SessionClient;
  }
  async function owner(authenticator = new Authenticator(issuer())): Promise<Owner> {
    const person = await context.server.person();
    return { person, ...(await enrolPasskey(context.server, await sessionOf(person), authenticator)) };
  }
  const options = async () => (await context.server.anonymous.post('/v1/passkey-options')).body;
  const reasonOfLast = async (event: string) =>
    (await context.server.entries()).findLast((entry) => entry['event'] === event)?.['reason'];

  describe('its registration', () => {
    let session: SessionClient;
    beforeAll(async () => {
      session = await sessionOf(await context.server.person());
    });

    it('asks for a discoverable credential, user verification and no attestation', async () => {
      const { status, body } = await session.post('/v1/mfa/passkeys/options');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        rp: { id: new URL(issuer()).hostname },
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
        excludeCredentials: [],
      });
      expect(Buffer.from(body.user.id, 'base64url')).toHaveLength(16);
    });

    it('answers with the passkey, recovery codes and new secrets', async () => {
      const before = await sessionOf(await context.server.person());
      const { answer, session: after, authenticator } = await enrolPasskey(context.server, before);
      expect(answer.body).toMatchObject({
        passkey: {
          credentialId: authenticator.credentialId,
          name: 'Laptop',
          synced: true,
          backedUp: true,
          lastUsedAt: null,
        },
        recoveryCodes: expect.any(Array),
        csrfToken: expect.any(String),
      });
      expect((await before.get('/v1/whoami')).status).toBe(401);
      expect((await after.get('/v1/whoami')).body.amr).toEqual(['pwd', 'swk', 'user', 'mfa']);
      expect((await after.post('/v1/mfa/passkeys/options')).body.excludeCredentials).toMatchObject([
        { id: authenticator.credentialId },
      ]);
    });

    it.each<[string, Deviations, string]>([
      [
        'without user verification',
        { withoutVerification: true },
        'passkey: User verification was required, but user could not be verified',
      ],
      [
        'without user presence',
        { withoutPresence: true },
        'passkey: User presence was required, but user was not present',
      ],
      [
        'of a foreign origin',
        { origin: 'https://evil.example' },
        'passkey: Unexpected registration response origin',
      ],
      ['of another relying party', { rpId: 'evil.example' }, 'passkey: Unexpected RP ID hash'],
      [
        'with another challenge',
        { challenge: 'AAAA' },
        'passkey: Custom challenge verifier returned false for registration response challenge',
      ],
      ['of another type', { type: 'webauthn.get' }, 'passkey: Unexpected registration response type'],
      [
        'in a frame of another site',
        { crossOrigin: true },
        'passkey: Custom challenge verifier returned false for registration response challenge',
      ],
      ...['android-key', 'android-safetynet', 'apple', 'fido-u2f', 'tpm', 'x'].map(
        (format): [string, Deviations, string] => [
          `with an attestation in the format ${format}`,
          { format },
          'passkey: attestation format not accepted',
        ],
      ),
    ])('[V1.3.6] is refused %s', async (_what, deviations, reason) => {
      const { body } = await session.post('/v1/mfa/passkeys/options');
      const passkey = new Authenticator(issuer()).create(body, deviations);
      expect(await session.post('/v1/mfa/passkeys', { passkey })).toMatchObject(REFUSED);
      expect(await reasonOfLast('passkey.refused')).toBe(reason);
    });

    it('accepts a self attestation', async () => {
      const own = await sessionOf(await context.server.person());
      const { body } = await own.post('/v1/mfa/passkeys/options');
      const passkey = new Authenticator(issuer()).create(body, { format: 'packed' });
      expect((await own.post('/v1/mfa/passkeys', { passkey })).status).toBe(201);
    });

    it('refuses an id that is not the signed one', async () => {
      const { body } = await session.post('/v1/mfa/passkeys/options');
      const passkey = { ...new Authenticator(issuer()).create(body), id: 'AAAA', rawId: 'AAAA' };
      expect(await session.post('/v1/mfa/passkeys', { passkey })).toMatchObject(REFUSED);
      expect(await reasonOfLast('passkey.refused')).toBe('passkey: another id is signed');
    });

    it('uses its challenge up: a second registration with it is refused', async () => {
      const { body } = await session.post('/v1/mfa/passkeys/options');
      const answer = await session.post('/v1/mfa/passkeys', {
        passkey: new Authenticator(issuer()).create(body),
      });
      session = sessionFrom(session, answer);
      const another = new Authenticator(issuer()).create(body);
      expect(await session.post('/v1/mfa/passkeys', { passkey: another })).toMatchObject(REFUSED);
    });

    it('refuses the challenge of another user, and one for signing in', async () => {
      const other = await sessionOf(await context.server.person());
      for (const challenge of [
        (await other.post('/v1/mfa/passkeys/options')).body.challenge,
        (await options()).challenge,
      ]) {
        const { body } = await session.post('/v1/mfa/passkeys/options');
        const passkey = new Authenticator(issuer()).create(body, { challenge });
        expect(await session.post('/v1/mfa/passkeys', { passkey })).toMatchObject(REFUSED);
      }
    });

    it('refuses options that are older than five minutes', async () => {
      const { body } = await session.post('/v1/mfa/passkeys/options');
      await context.server.clock.advance('5m');
      const passkey = new Authenticator(issuer()).create(body);
      expect(await session.post('/v1/mfa/passkeys', { passkey })).toMatchObject(REFUSED);
      await context.server.clock.reset();
    });

    it('refuses a credential that is registered, also to another user', async () => {
      const { authenticator } = await owner();
      const { body } = await session.post('/v1/mfa/passkeys/options');
      expect(await session.post('/v1/mfa/passkeys', { passkey: authenticator.create(body) })).toMatchObject(
        REFUSED,
      );
    });

    it.each<[string, unknown]>([
      ['no object', 'x'],
      ['other types', { id: 1 }],
      ['bytes that are no CBOR', { attestationObject: 'AAAA' }],
      ['client data that is no JSON', { clientDataJSON: 'AAAA' }],
      ['client data that is null', { clientDataJSON: Buffer.from('null').toString('base64url') }],
      ['nothing signed', { attestationObject: '' }],
      ['a cut attestation', { attestationObject: 'o2NmbXRkbm9uZQ' }],
      ['a transport with NUL', { transports: ['usb\0'] }],
    ])('refuses %s with 400', async (_what, junk) => {
      const { body } = await session.post('/v1/mfa/passkeys/options');
      const good = new Authenticator(issuer()).create(body);
      const passkey =
        typeof junk === 'object' && junk && !('id' in junk)
          ? { ...good, response: { ...good.response, ...junk } }
          : junk;
      expect((await session.post('/v1/mfa/passkeys', { passkey })).status).toBe(400);
    });

    it('is possible 20 times', async () => {
      const { session: own, person } = await owner();
      await context.server.query(
        `INSERT INTO passkeys SELECT gen_random_uuid(), user_id, 'x' || n, public_key, 0, '{}', 'x', true, true, now()
         FROM passkeys, generate_series(1, 19) n WHERE user_id = $1`,
        [person.id],
      );
      const { body } = await own.post('/v1/mfa/passkeys/options');
      const passkey = new Authenticator(issuer()).create(body);
      expect(await own.post('/v1/mfa/passkeys', { passkey })).toMatchObject({
        status: 409,
        problem: 'too-many-passkeys',
      });
    });
  });

  describe('as the first factor', () => {
    let ada: Owner;
    beforeAll(async () => {
      ada = await owner();
    });
    const signIn = async (deviations: Deviations = {}, path = '/v1/sessions', further = {}) =>
      context.server.anonymous.post(path, {
        passkey: ada.authenticator.get(await options(), deviations),
        ...further,
      });

    it('gets options that name no credential', async () => {
      const { status, body } = await context.server.anonymous.post('/v1/passkey-options');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        rpId: new URL(issuer()).hostname,
        userVerification: 'required',
        allowCredentials: [],
      });
    });

    it('signs in by cookie without a password, with two factors', async () => {
      const answer = await signIn();
      expect(answer.status).toBe(201);
      expect(answer.body.user.id).toBe(ada.person.id);
      const session = sessionFrom(context.server.anonymous, answer);
      expect((await session.get('/v1/whoami')).body.amr).toEqual(['swk', 'user', 'mfa']);
      expect((await session.get('/v1/mfa')).status).toBe(200);
    });

    // room: jwt
    it('signs in by token, with the parameters of the route', async () => {
      const { status, body } = await signIn({}, '/v1/tokens', { scope: 'profile:read' });
      expect(status).toBe(201);
      expect(body.scope).toBe('profile:read');
      expect(claimsOf(body.access_token)).toMatchObject({ amr: ['swk', 'user', 'mfa'], acr: 'aal2' });
    });
    // /room

    it('signs in from an origin that CORS_ORIGINS names', async () => {
      expect((await signIn({ origin: APP })).status).toBe(201);
    });

    it('is called a hardware key if it cannot leave its device', async () => {
      const { authenticator } = await owner(new Authenticator(issuer(), 0, false));
      const passkey = authenticator.get(await options());
      const session = sessionFrom(
        context.server.anonymous,
        await context.server.anonymous.post('/v1/sessions', { passkey }),
      );
      expect((await session.get('/v1/whoami')).body.amr).toEqual(['hwk', 'user', 'mfa']);
    });

    it.each<[string, Deviations, string]>([
      [
        'without user verification',
        { withoutVerification: true },
        'passkey: User verification required, but user could not be verified',
      ],
      ['without user presence', { withoutPresence: true }, 'passkey: User not present during authentication'],
      [
        'of a foreign origin',
        { origin: 'https://evil.example' },
        'passkey: Unexpected authentication response origin',
      ],
      ['of another relying party', { rpId: 'evil.example' }, 'passkey: Unexpected RP ID hash'],
      [
        'with a challenge that is not ours',
        { challenge: 'AAAA' },
        'passkey: Custom challenge verifier returned false for registration response challenge',
      ],
      ['of another type', { type: 'webauthn.create' }, 'passkey: Unexpected authentication response type'],
      [
        'in a frame of another site',
        { crossOrigin: true },
        'passkey: Custom challenge verifier returned false for registration response challenge',
      ],
      [
        'with an unknown token binding',
        { tokenBinding: { status: 'text of the client' } },
        'passkey: Unexpected tokenBinding',
      ],
      ['signed by another key', { forged: true }, 'wrong signature of a passkey'],
      [
        'for another user handle',
        { userHandle: Buffer.alloc(16).toString('base64url') },
        'user handle of another user',
      ],
      ['for no user handle', { userHandle: null }, 'user handle of another user'],
      ['with another backup eligibility', { synced: false }, 'backup eligibility of a passkey changed'],
    ])('is refused %s', async (_what, deviations, reason) => {
      expect(await signIn(deviations)).toMatchObject(INVALID);
      expect(await reasonOfLast('sign-in.refused')).toBe(reason);
    });

    it('[V6.7.2] is refused with a challenge that was used, or for registering', async () => {
      const one = await options();
      const send = (challenge: { challenge: string }) =>
        context.server.anonymous.post('/v1/sessions', {
          passkey: ada.authenticator.get({ ...one, ...challenge }),
        });
      expect((await send(one)).status).toBe(201);
      expect(await send(one)).toMatchObject(INVALID);
      ada.session = sessionFrom(context.server.anonymous, await signIn());
      const registration = (await ada.session.post('/v1/mfa/passkeys/options')).body;
      expect(await send({ challenge: registration.challenge })).toMatchObject(INVALID);
    });

    it('lets one of two parallel requests with the same challenge through', async () => {
      const passkey = ada.authenticator.get(await options());
      const send = () => context.server.anonymous.post('/v1/sessions', { passkey });
      const answers = await Promise.all([send(), send()]);
      expect(statusesOf(answers)).toEqual([201, 401]);
    });

    it('is refused with options that are older than five minutes', async () => {
      const passkey = ada.authenticator.get(await options());
      await context.server.clock.advance('5m');
      expect(await context.server.anonymous.post('/v1/sessions', { passkey })).toMatchObject(INVALID);
      await context.server.clock.reset();
    });

    it('is refused if it is unknown, or its user is disabled', async () => {
      const passkey = new Authenticator(issuer()).get(await options());
      expect(await context.server.anonymous.post('/v1/sessions', { passkey })).toMatchObject(INVALID);
      const { authenticator, person } = await owner();
      await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [person.id]);
      expect(
        await context.server.anonymous.post('/v1/sessions', { passkey: authenticator.get(await options()) }),
      ).toMatchObject(INVALID);
    });

    it.each<[string, object]>([
      ['client data that is no JSON', { clientDataJSON: 'AAAA' }],
      ['authenticator data that is too short', { authenticatorData: 'AAAA' }],
      ['an empty signature', { signature: '' }],
      ['a signature that is no DER', { signature: 'AAAA' }],
    ])('is refused with %s', async (_what, junk) => {
      const good = ada.authenticator.get(await options());
      const passkey = { ...good, response: { ...good.response, ...junk } };
      expect(await context.server.anonymous.post('/v1/sessions', { passkey })).toMatchObject(INVALID);
    });

    it('keeps what a client sends out of the log', async () => {
      await signIn({ origin: 'https://made-up.example' });
      expect((await context.server.log()).join('')).not.toContain('made-up.example');
    });
  });

  it('answers 503 to a sign-in and to a registration if the database cannot check the challenge', async () => {
    const { session, authenticator } = await owner();
    const assertion = authenticator.get(await options());
    const { body } = await session.post('/v1/mfa/passkeys/options');
    const registration = new Authenticator(issuer()).create(body);
    await context.server.query(
      `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN RAISE EXCEPTION 'shutdown' USING ERRCODE = '57P01'; END $$;
       CREATE TRIGGER failing BEFORE DELETE ON passkey_challenges FOR EACH ROW EXECUTE FUNCTION fail()`,
    );
    const unavailable = { status: 503, problem: 'database-unavailable' };
    try {
      expect(await context.server.anonymous.post('/v1/sessions', { passkey: assertion })).toMatchObject(
        unavailable,
      );
      expect(await session.post('/v1/mfa/passkeys', { passkey: registration })).toMatchObject(unavailable);
    } finally {
      await context.server.query('DROP TRIGGER failing ON passkey_challenges; DROP FUNCTION fail');
    }
  });

  describe('the counter of an authenticator', () => {
    it('is kept, and a number that was used before is refused: the key was copied', async () => {
      const ada = await owner(new Authenticator(issuer(), 5));
      const signIn = async (counter?: number) =>
        context.server.anonymous.post('/v1/sessions', {
          passkey: ada.authenticator.get(await options(), counter === undefined ? {} : { counter }),
        });
      expect((await signIn(6)).status).toBe(201);
      expect(await signIn(6)).toMatchObject(INVALID);
      expect(await signIn(3)).toMatchObject(INVALID);
      expect(await signIn(0)).toMatchObject(INVALID);
      expect((await signIn(7)).status).toBe(201);
      const [{ counter }] = await context.server.query('SELECT counter FROM passkeys WHERE user_id = $1', [
        ada.person.id,
      ]);
      expect(counter).toBe('7');
    });

    it('lets one of two copies that sign at the same moment through', async () => {
      const ada = await owner(new Authenticator(issuer(), 5));
      for (let counter = 6; counter < 11; counter += 1) {
        const passkeys = [
          ada.authenticator.get(await options(), { counter }),
          ada.authenticator.get(await options(), { counter }),
        ];
        const answers = await Promise.all(
          passkeys.map((passkey) => context.server.anonymous.post('/v1/sessions', { passkey })),
        );
        expect(statusesOf(answers)).toEqual([201, 401]);
      }
    });
  });

  describe('as the second factor', () => {
    let ada: Owner;
    let bob: Owner;
    beforeAll(async () => {
      [ada, bob] = [await owner(), await owner()];
    });

    it('comes with options that name the passkeys of the user', async () => {
      const { methods, passkeyOptions } = await mfaRequired(ada.person);
      expect(methods).toEqual(['recoveryCode', 'passkey']);
      expect(passkeyOptions).toMatchObject({
        userVerification: 'required',
        allowCredentials: [{ id: ada.authenticator.credentialId, type: 'public-key' }],
      });
    });

    it('signs in after the password', async () => {
      const { mfaToken, passkeyOptions } = await mfaRequired(ada.person);
      const passkey = ada.authenticator.get(passkeyOptions, { userHandle: null });
      const answer = await context.server.anonymous.post('/v1/sessions', { mfaToken, passkey });
      expect(answer.status).toBe(201);
      const session = sessionFrom(context.server.anonymous, answer);
      expect((await session.get('/v1/whoami')).body.amr).toEqual(['pwd', 'swk', 'user', 'mfa']);
    });

    it('is refused if it is another user’s', async () => {
      const { mfaToken, passkeyOptions } = await mfaRequired(ada.person);
      const passkey = bob.authenticator.get(passkeyOptions);
      expect(await context.server.anonymous.post('/v1/sessions', { mfaToken, passkey })).toMatchObject(
        INVALID,
      );
    });

    it('offers no code of an app that is not enrolled', async () => {
      const { mfaToken } = await mfaRequired(ada.person);
      expect(await context.server.anonymous.post('/v1/sessions', { mfaToken, totp: '123456' })).toMatchObject(
        INVALID,
      );
      expect(await reasonOfLast('sign-in.refused')).toBe('method not offered');
    });
  });

  describe('in a reauthentication', () => {
    const PATH = '/v1/sessions/current/reauthentication';

    it('renews both times with the public options', async () => {
      const ada = await owner();
      await context.server.clock.advance('11m');
      expect((await ada.session.get('/v1/mfa')).status).toBe(401);
      const answer = await ada.session.post(PATH, { passkey: ada.authenticator.get(await options()) });
      expect(answer.status).toBe(200);
      expect((await sessionFrom(ada.session, answer).get('/v1/mfa')).status).toBe(200);
      await context.server.clock.reset();
    });

    it('is refused if it is another user’s', async () => {
      const [ada, bob] = [await owner(), await owner()];
      const answer = await ada.session.post(PATH, { passkey: bob.authenticator.get(await options()) });
      expect(answer).toMatchObject(INVALID);
      expect(await reasonOfLast('reauthentication.refused')).toBe('passkey of another user');
    });
  });

  describe('its removal', () => {
    it('ends it, rotates the secrets, and tells the browser what is left', async () => {
      const { session, authenticator, person } = await owner();
      const more = await enrolPasskey(context.server, session);
      const { passkeys } = (await more.session.get('/v1/mfa')).body;
      const answer = await more.session.delete(`/v1/mfa/passkeys/${passkeys[0].id}`);
      expect(answer.status).toBe(200);
      expect(answer.body.signal).toEqual({
        rpId: new URL(issuer()).hostname,
        userId: Buffer.from(person.id.replaceAll('-', ''), 'hex').toString('base64url'),
        allAcceptedCredentialIds: [more.authenticator.credentialId],
      });
      expect((await more.session.get('/v1/whoami')).status).toBe(401);
      expect(
        await context.server.anonymous.post('/v1/sessions', { passkey: authenticator.get(await options()) }),
      ).toMatchObject(INVALID);
    });

    it('is 404 for a passkey of another user', async () => {
      const [ada, bob] = [await owner(), await owner()];
      const { passkeys } = (await bob.session.get('/v1/mfa')).body;
      expect(await ada.session.delete(`/v1/mfa/passkeys/${passkeys[0].id}`)).toMatchObject({
        status: 404,
        problem: 'not-found',
      });
      expect((await bob.session.get('/v1/mfa')).body.passkeys).toHaveLength(1);
    });

    it('leaves the password alone enough, if no factor is left', async () => {
      const { session, person } = await owner();
      const { passkeys } = (await session.get('/v1/mfa')).body;
      await session.delete(`/v1/mfa/passkeys/${passkeys[0].id}`);
      await sessionOf(person);
    });
  });

  it('goes with an account that another person takes over', async () => {
    const { person, authenticator } = await owner();
    await context.server.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [person.id]);
    await person.anonymous.post('/v1/email-verifications', { email: person.email });
    const token = await context.server.mailedToken(person.email);
    await person.anonymous.put('/v1/email-verifications', { token, newPassword: `another ${PASSWORD}` });
    const passkey = authenticator.get(await options());
    expect(await context.server.anonymous.post('/v1/sessions', { passkey })).toMatchObject(INVALID);
  });

  it('lets housekeeping delete challenges that have expired', async () => {
    await options();
    await context.server.clock.advance('5m');
    await context.server.runHousekeeping();
    expect(await context.server.query('SELECT 1 FROM passkey_challenges')).toEqual([]);
    await context.server.clock.reset();
  });
});
