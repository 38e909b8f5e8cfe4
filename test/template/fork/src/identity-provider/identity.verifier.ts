import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { Repository } from 'typeorm';
import { InvalidCredentialError } from '../auth/auth.errors.js';
import { Principal } from '../auth/principal.js';
import { machineScopes } from '../auth/scopes.js';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { Identity } from './identity.entity.js';

/** Verifies a token of the identity provider, and finds the user behind it. */
@Injectable()
export class IdentityVerifier {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(
    @InjectRepository(Identity) private readonly identities: Repository<Identity>,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    // Fetched once, and again for an unknown `kid`, at most every 30 seconds.
    this.#keys = createRemoteJWKSet(new URL('jwks.json', config.IDP_ISSUER));
  }

  /** @throws InvalidCredentialError */
  async verify(token: string): Promise<Principal> {
    const subject = await this.#subjectOf(token);
    // On each request, so that a removed identity and a disabled user are refused at once.
    const identity = await this.identities.findOneBy({ subject, user: { status: 'active' } });
    if (!identity) throw new InvalidCredentialError('unknown identity');
    return new Principal({
      mode: 'idp',
      kind: 'machine',
      subject: identity.userId,
      credentialId: identity.id,
      scopes: machineScopes(),
    });
  }

  async #subjectOf(token: string): Promise<string> {
    try {
      const { payload } = await jwtVerify<{ sub: string }>(token, this.#keys, {
        issuer: this.config.IDP_ISSUER,
        audience: this.config.ISSUER,
        // The server says what the algorithm is, never the token (RFC 8725 3.1).
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'exp'],
        currentDate: this.clock.now(),
      });
      return payload.sub;
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new InvalidCredentialError(error.message);
      throw error;
    }
  }
}
