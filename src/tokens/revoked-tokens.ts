import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { MergedLookup } from '../lookup/merged-lookup.js';
import { RevocationFeed } from '../revocations/revocation-feed.js';
import { RevocationsService } from '../revocations/revocations.service.js';

/** The JWTs that were taken back one by one, by `jti`: never by their text, which can be spelled in several ways. */
@Injectable()
export class RevokedTokens {
  readonly #lookup = new MergedLookup<true>((jtis) => this.#query(jtis));

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly feed: RevocationFeed,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
  ) {}

  /** In memory while the feed is current; asked of the database otherwise. */
  async has(jti: string): Promise<boolean> {
    if (this.feed.revokedUntil('token', jti) === Infinity) return true;
    return this.feed.isCurrent ? false : (await this.#lookup.find(jti)) === true;
  }

  async add(jti: string): Promise<void> {
    await this.dataSource.transaction((manager) =>
      this.revocations.announce(manager, [{ kind: 'token', subject: jti }]),
    );
  }

  async #query(jtis: string[]): Promise<Map<string, true>> {
    const rows: { subject: string }[] = await this.dataSource.query(
      `SELECT subject FROM revocations WHERE kind = 'token' AND subject = ANY($1) AND expires_at > $2`,
      [jtis, this.clock.now()],
    );
    return new Map(rows.map(({ subject }) => [subject, true]));
  }
}
