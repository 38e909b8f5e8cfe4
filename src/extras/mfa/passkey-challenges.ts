import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { generateAuthenticationOptions, generateRegistrationOptions } from '@simplewebauthn/server';
import { DataSource } from 'typeorm';
import type { User } from '../../accounts/users/user.entity.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { sha256 } from '../../platform/crypto/secret.js';
import { affected } from '../../platform/housekeeping/affected.js';
import { Passkey, PasskeyChallenge } from './passkey.entity.js';

const LIFETIME_MS = 5 * 60_000;

/** The user handle: the id of the user, and nothing personal (WebAuthn 14.6.1). */
export const handleOf = (userId: string) => Buffer.from(userId.replaceAll('-', ''), 'hex');

/** Creates the options for authenticators, and stores their challenges. */
@Injectable()
export class PasskeyChallenges {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The domain of all passkeys. */
  get rpId(): string {
    return new URL(this.config.ISSUER).hostname;
  }

  /** The origins on which a browser can use them. */
  get origins(): string[] {
    return [this.config.ISSUER, ...this.config.CORS_ORIGINS];
  }

  async forRegistration({ id, email, name }: User) {
    const passkeys = await this.dataSource.manager.findBy(Passkey, { userId: id });
    const options = await generateRegistrationOptions({
      rpID: this.rpId,
      rpName: this.rpId,
      userID: new Uint8Array(handleOf(id)),
      userName: email,
      userDisplayName: name ?? email,
      timeout: LIFETIME_MS,
      excludeCredentials: passkeys.map(describe),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    return this.#stored(options, id);
  }

  /** For any passkey, or for the passkeys of one user. */
  async forSignIn(userId?: string) {
    const passkeys = userId === undefined ? [] : await this.dataSource.manager.findBy(Passkey, { userId });
    const options = await generateAuthenticationOptions({
      rpID: this.rpId,
      timeout: LIFETIME_MS,
      userVerification: 'required',
      allowCredentials: passkeys.map(describe),
    });
    return this.#stored(options, null);
  }

  /** Uses a challenge up. Returns false if it is unknown, used, expired, or for another user or purpose. */
  async use(challenge: string, userId: string | null): Promise<boolean> {
    const used = await affected(
      this.dataSource.manager,
      `DELETE FROM passkey_challenges
       WHERE challenge_hash = $1 AND user_id IS NOT DISTINCT FROM $2 AND expires_at > $3`,
      [sha256(challenge), userId, this.clock.now()],
    );
    return used === 1;
  }

  async #stored<Options extends { challenge: string }>(options: Options, userId: string | null) {
    await this.dataSource.manager.insert(PasskeyChallenge, {
      challengeHash: sha256(options.challenge),
      userId,
      expiresAt: this.clock.in(LIFETIME_MS),
    });
    return options;
  }
}

const describe = ({ credentialId, transports }: Passkey) => ({
  id: credentialId,
  transports: transports as never[],
});
