import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type AuthenticationResponseJSON, verifyAuthenticationResponse } from '@simplewebauthn/server';
import { decodeClientDataJSON } from '@simplewebauthn/server/helpers';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { Proof } from '../../accounts/sign-ins/proofs.js';
import { Clock } from '../../platform/clock/clock.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { affected } from '../../platform/housekeeping/affected.js';
import { InvalidPasskeyError, TooManyPasskeysError } from './mfa.errors.js';
import type { PasskeyAssertion, PasskeyRegistration } from './mfa.schemas.js';
import { handleOf, PasskeyChallenges } from './passkey-challenges.js';
import { Passkey } from './passkey.entity.js';
import { reasonOf, verifyAttestation } from './webauthn.js';

export const MAX_PASSKEYS = 20;

/** A verified registration, before it is stored. */
export type NewPasskey = Omit<Passkey, 'user'>;

/** Verifies the answers of authenticators (WebAuthn 7.1 and 7.2). User verification is always required. */
@Injectable()
export class PasskeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly challenges: PasskeyChallenges,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /** @throws InvalidPasskeyError */
  async verifyRegistration(userId: string, { passkey, name }: PasskeyRegistration): Promise<NewPasskey> {
    const { registrationInfo } = await verifyAttestation(this.#expected(userId, passkey), passkey).catch(
      (error: unknown) => {
        throw this.#refuse(userId, reasonOf(error));
      },
    );
    if (!registrationInfo) throw this.#refuse(userId, 'wrong attestation');
    const { credential, credentialBackedUp, credentialDeviceType } = registrationInfo;
    // The schema limits the length of `id`. The signed id could be too long for the index.
    if (credential.id !== passkey.id) throw this.#refuse(userId, 'passkey: another id is signed');
    return {
      id: uuidv7(),
      userId,
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey),
      counter: `${credential.counter}`,
      transports: passkey.response.transports,
      name,
      synced: credentialDeviceType === 'multiDevice',
      backedUp: credentialBackedUp,
      createdAt: this.clock.now(),
      lastUsedAt: null,
    };
  }

  /**
   * Stores a passkey. The caller must hold the lock of the user's row. The unique index refuses a credential twice.
   * @throws TooManyPasskeysError
   * @throws InvalidPasskeyError
   */
  async insert(manager: EntityManager, passkey: NewPasskey): Promise<void> {
    if ((await manager.countBy(Passkey, { userId: passkey.userId })) >= MAX_PASSKEYS)
      throw new TooManyPasskeysError();
    const { raw } = await manager
      .createQueryBuilder()
      .insert()
      .into(Passkey)
      .values(passkey)
      .orIgnore()
      .returning('id')
      .execute();
    if ((raw as unknown[]).length === 0) throw this.#refuse(passkey.userId, 'already registered');
  }

  /**
   * Verifies an assertion. Without `userId`, the passkey says which user signs in.
   * @throws InvalidCredentialError
   */
  async prove(assertion: PasskeyAssertion, userId: string | undefined): Promise<Proof> {
    const passkey = await this.dataSource.manager.findOneBy(Passkey, { credentialId: assertion.id });
    if (!passkey) throw new InvalidCredentialError('unknown passkey');
    if (userId !== undefined && passkey.userId !== userId)
      throw new InvalidCredentialError('passkey of another user');
    const { userHandle } = assertion.response;
    // A first factor must name its user. An authenticator can omit the handle if the options name the credential.
    const isNamed = userHandle === handleOf(passkey.userId).toString('base64url');
    if (!isNamed && (userHandle || userId === undefined))
      throw new InvalidCredentialError('user handle of another user');
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...this.#expected(null, assertion),
      response: assertion as AuthenticationResponseJSON,
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(passkey.publicKey),
        counter: Number(passkey.counter),
      },
    }).catch((error: unknown) => {
      throw new InvalidCredentialError(reasonOf(error));
    });
    if (!verified) throw new InvalidCredentialError('wrong signature of a passkey');
    const { newCounter, credentialBackedUp, credentialDeviceType } = authenticationInfo;
    if ((credentialDeviceType === 'multiDevice') !== passkey.synced)
      throw new InvalidCredentialError('backup eligibility of a passkey changed');
    return {
      userId: passkey.userId,
      // The authenticator verified the user, so these are two factors.
      amr: [passkey.synced ? 'swk' : 'hwk', 'user', 'mfa'],
      secondFactor: true,
      method: 'passkey',
      unguessable: true,
      use: (manager) => this.#use(manager, passkey, newCounter, credentialBackedUp),
    };
  }

  /** Compares the counter again in one statement: of two parallel copies of a key, one is refused. */
  async #use(manager: EntityManager, { id }: Passkey, counter: number, backedUp: boolean) {
    const used = await affected(
      manager,
      `UPDATE passkeys SET counter = $2, backed_up = $3, last_used_at = $4
       WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))`,
      [id, counter, backedUp, this.clock.now()],
    );
    return used === 1 ? undefined : 'passkey removed meanwhile, or its counter did not rise';
  }

  #refuse(userId: string, reason: string): InvalidPasskeyError {
    this.log.refused('passkey.refused', { reason, userId });
    return new InvalidPasskeyError(reason);
  }

  #expected(userId: string | null, { response }: { response: { clientDataJSON: string } }) {
    const { rpId, origins } = this.challenges;
    return {
      expectedRPID: rpId,
      expectedOrigin: origins,
      requireUserVerification: true,
      expectedChallenge: (challenge: string) =>
        // A frame on another site must not use a passkey.
        !decodeClientDataJSON(response.clientDataJSON).crossOrigin && this.challenges.use(challenge, userId),
    };
  }
}
