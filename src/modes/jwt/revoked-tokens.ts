import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { MergedLookup } from '../../platform/lookup/merged-lookup.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import type { AccessTokenClaims } from './access-token.js';
import { rememberRevocations } from '../../platform/revocations/revocation.entity.js';

declare module '../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    token: true;
  }
}

rememberRevocations('token');

type Named = Pick<AccessTokenClaims, 'jti' | 'sub'>;

/** JWTs that were revoked on their own, by `jti`. The text does not identify a JWT, because it has several valid forms. */
@Injectable()
export class RevokedTokens {
  readonly #lookup = new MergedLookup<true>((jtis) => this.#query(jtis));

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly feed: RevocationFeed,
    private readonly revocations: RevocationsService,
  ) {}

  /** Needs no query while the revocation feed is current for the account. */
  has({ jti, sub }: Named): boolean | Promise<boolean> {
    if (this.feed.revokedUntil('token', jti) === Infinity) return true;
    return this.feed.isCurrentFor(sub) ? false : this.#lookup.find(jti).then((found) => found === true);
  }

  add(manager: EntityManager, { jti, sub }: Named): Promise<void> {
    return this.revocations.announce(manager, [{ kind: 'token', subject: jti, account: sub }]);
  }

  async #query(jtis: string[]): Promise<Map<string, true>> {
    const rows: { subject: string }[] = await this.dataSource.query(
      `SELECT subject FROM revocations WHERE kind = 'token' AND subject = ANY($1)`,
      [jtis],
    );
    return new Map(rows.map(({ subject }) => [subject, true]));
  }
}
