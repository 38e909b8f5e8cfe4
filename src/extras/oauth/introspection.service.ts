import { Inject, Injectable } from '@nestjs/common';
import type { FoundKey } from '../../modes/api-keys/api-key.verifier.js';
import { REALM } from '../../auth/auth.errors.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { type ActiveToken, TokenKinds } from '../../modes/tokens/token-kinds.js';
import { OAuthClients } from './oauth-clients.service.js';
import { InvalidClientError, OAuthError } from './oauth.errors.js';
import type { OAuthRequest } from './oauth-request.js';

declare module '../../modes/api-keys/api-key.owners.js' {
  interface KeyOwner {
    /** The one of AUDIENCES whose access tokens its keys with the scope `tokens:introspect` see. */
    readonly audience?: string;
  }
}

const SCOPE = 'tokens:introspect';

/** Tells about tokens (RFC 7662) and takes them back (RFC 7009). Of what kind one is, it says itself: hints are not needed. */
@Injectable()
export class IntrospectionService {
  constructor(
    private readonly clients: OAuthClients,
    private readonly kinds: TokenKinds,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Revoked, expired, used, unknown, somebody else's: one answer (RFC 7662 2.2). @throws OAuthError */
  async introspect(request: OAuthRequest): Promise<object> {
    const { key } = await this.clients.authenticate(request.client, { keyHeaders: true });
    if (!key) throw new InvalidClientError('public client', ['Basic', 'ApiKey']);
    const lacks = key.scopes.includes(SCOPE)
      ? key.resources && 'The key is for named resources, and a token is none of them.'
      : `The scope ${SCOPE} is missing.`;
    if (lacks)
      throw new OAuthError('insufficient_scope', lacks, {
        challenges: [`ApiKey ${REALM}, error="insufficient_scope", scope="${SCOPE}"`],
      });
    const token = await this.kinds.find(request.require('token'));
    if (!token || !maySee(key, token)) return { active: false };
    return { active: true, iss: this.config.ISSUER, sub: token.subject, ...token.members };
  }

  /**
   * A person's token is revoked by whoever holds it, a machine's by its key. What is no token is revoked already
   * (RFC 7009 2.2).
   * @throws OAuthError
   */
  async revoke(request: OAuthRequest): Promise<void> {
    const anonymous = request.client.by === 'nothing';
    // Revoking is never limited.
    const client = anonymous
      ? undefined
      : await this.clients.authenticate(request.client, { limited: false });
    const token = await this.kinds.findToRevoke(request.require('token'));
    if (!token) return;
    const { subject, credentialId, keyId } = token;
    if (keyId !== undefined && !client) throw new InvalidClientError('a machine’s token', ['Basic']);
    if (keyId !== undefined && keyId !== client!.id)
      throw new OAuthError('invalid_grant', 'The token was issued to another client.');
    await token.revoke();
    const ofPerson = keyId === undefined || client!.key?.ownerKind === 'user';
    this.log.happened('token.revoked', {
      [ofPerson ? 'userId' : 'serviceAccountId']: subject,
      credentialId,
      client: client?.id,
    });
  }
}

/** A key sees the tokens of its owner. That of an owner with an audience sees what is sent there: the access tokens for it. */
function maySee({ ownerId, owner }: FoundKey, token: ActiveToken): boolean {
  if (owner?.audience === undefined) return token.subject === ownerId;
  return token.members['token_type'] === 'Bearer' && token.members['aud'] === owner.audience;
}
