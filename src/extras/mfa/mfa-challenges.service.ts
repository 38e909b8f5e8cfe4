import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Attempt } from '../../accounts/sign-ins/proofs.js';
import type { CarrierName } from '../../accounts/sign-ins/sign-in.entity.js';
import type { User } from '../../accounts/users/user.entity.js';
import { Clock } from '../../platform/clock/clock.js';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { isRandomSecret, Secret, sha256 } from '../../platform/crypto/secret.js';
import { MfaChallenge } from './mfa.entity.js';

const LIFETIME_MS = 5 * 60_000;
export const MAX_ATTEMPTS = 5;

export type OpenChallenge = Pick<
  MfaChallenge,
  'tokenHash' | 'userId' | 'parameters' | 'passwordDigest' | 'methods'
>;

/** Sign-ins that wait for a second factor. An `mfaToken` names each of them. */
@Injectable()
export class MfaChallenges {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  async issue(user: User, { carrier, parameters }: Attempt, methods: string[]): Promise<Secret> {
    const token = Secret.random();
    await this.dataSource.manager.insert(MfaChallenge, {
      tokenHash: token.hash(),
      userId: user.id,
      carrier,
      parameters: parameters as object,
      passwordDigest: sha256(user.passwordHash),
      methods,
      expiresAt: this.clock.in(LIFETIME_MS),
    });
    return token;
  }

  /**
   * Counts an attempt before the check, in one statement that commits, so that parallel attempts count too. Returns
   * undefined for a token that is unknown, has expired, has no attempts left, or belongs to another route.
   */
  async attempt(token: unknown, carrier: CarrierName): Promise<OpenChallenge | undefined> {
    if (typeof token !== 'string' || !isRandomSecret(token)) return undefined;
    const [[challenge]]: [OpenChallenge[]] = await this.dataSource.query(
      `UPDATE mfa_challenges SET attempts = attempts + 1
       WHERE token_hash = $1 AND carrier = $2 AND attempts < $3 AND expires_at > $4
       RETURNING token_hash AS "tokenHash", user_id AS "userId", parameters,
         password_digest AS "passwordDigest", methods`,
      [sha256(token), carrier, MAX_ATTEMPTS, this.clock.now()],
    );
    return challenge;
  }

  /** Takes an attempt back that was not checked. */
  async giveBack({ tokenHash }: OpenChallenge): Promise<void> {
    await this.dataSource.query(
      'UPDATE mfa_challenges SET attempts = attempts - 1 WHERE token_hash = $1 AND attempts > 0',
      [tokenHash],
    );
  }

  /** Ends a challenge in the transaction of the sign-in. Returns why it is refused, or undefined. */
  async use(manager: EntityManager, challenge: OpenChallenge, user: User): Promise<string | undefined> {
    const { affected } = await manager.delete(MfaChallenge, { tokenHash: challenge.tokenHash });
    if (affected !== 1) return 'mfaToken used before';
    return sha256(user.passwordHash).equals(challenge.passwordDigest)
      ? undefined
      : 'password changed meanwhile';
  }
}

defineCredentialKind({
  name: 'mfaToken of an unfinished sign-in',
  recognises: isRandomSecret,
  examine: () => ({ faults: [] }),
});
