import { PassportStrategy } from '@nestjs/passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { Principal } from '../../auth/principal.js';
import type { ApiKeyVerifier } from './api-key.verifier.js';

/** `X-API-Key: <key>`, or with a scheme before it, `Authorization: ApiKey <key>`. */
export class ApiKeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy) {
  constructor(
    private readonly verifier: ApiKeyVerifier,
    header: string,
    /** Stripped here: the package's prefix tells upper from lower case, which RFC 9110 11.1 does not. */
    private readonly scheme = /^/,
  ) {
    // Without the request: with it, one request without a key ends the process (passport-headerapikey 1.2.2).
    super({ header, prefix: '' }, false);
  }

  validate(header: string): Promise<Principal> {
    return this.verifier.verify(header.replace(this.scheme, ''));
  }

  /** Not the process-wide Passport: ModeRegistry puts the strategy into that of its application. */
  getPassportInstance() {
    return { use: () => undefined };
  }
}
