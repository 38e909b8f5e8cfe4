import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
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
    /** Keys with the scope `tokens:introspect` see all access tokens for this audience. */
    readonly audience?: string;
  }
}

const SCOPE = 'tokens:introspect';

/** Token introspection (RFC 7662) and revocation (RFC 7009). The form of a token shows its kind, so hints are ignored. */
@Injectable()
export class IntrospectionService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clients: OAuthClients,
    private readonly kinds: TokenKinds,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The answer is the same for a revoked, expired, used, unknown or foreign token (RFC 7662 section 2.2). @throws OAuthError */
  async introspect(request: OAuthRequest): Promise<object> {
    const { key } = await this.clients.authenticate(request.client, { keyHeaders: true });
    if (!key) throw new InvalidClientError('public client', ['Basic', 'ApiKey']);
    const lacks = key.scopes.includes(SCOPE)
      ? key.resources && 'A key that is limited to resources cannot introspect tokens.'
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
   * Any client can revoke a person's token. Only its own key can revoke a machine's token. An unknown token needs no
   * revocation (RFC 7009 section 2.2).
   * @throws OAuthError
   */
  async revoke(request: OAuthRequest): Promise<void> {
    const anonymous = request.client.by === 'nothing';
    // A rate limit must not prevent a revocation.
    const client = anonymous
      ? undefined
      : await this.clients.authenticate(request.client, { limited: false });
    const token = await this.kinds.findToRevoke(request.require('token'));
    if (!token) return;
    const { subject, credentialId, keyId } = token;
    if (keyId !== undefined && !client) throw new InvalidClientError('a machine’s token', ['Basic']);
    if (keyId !== undefined && keyId !== client!.id)
      throw new OAuthError('invalid_grant', 'The token was issued to another client.');
    const ofPerson = keyId === undefined || client!.key?.ownerKind === 'user';
    const owner = { [ofPerson ? 'userId' : 'serviceAccountId']: subject };
    await this.dataSource.transaction(async (manager) => {
      await token.revoke(manager);
      await this.log.record(manager, 'token.revoked', { ...owner, credentialId, client: client?.id });
    });
  }
}

/** A key sees the tokens of its owner. If the owner has an audience, the key sees the access tokens for it instead. */
function maySee({ ownerId, owner }: FoundKey, token: ActiveToken): boolean {
  if (owner?.audience === undefined) return token.subject === ownerId;
  return token.members['token_type'] === 'Bearer' && token.members['aud'] === owner.audience;
}
