import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type SecondFactorSource, StepUp } from '../../auth/step-up.js';
import { AccountTakeover } from '../../accounts/users/account-takeover.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import type { CachedLookup } from '../../platform/revocations/cached-lookup.js';
import { CredentialCaches } from '../../platform/revocations/credential-caches.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { SecondFactors } from './second-factors.js';

const settings = defineSettings({
  REQUIRE_SECOND_FACTOR: z.enum(['off', 'admins', 'everyone']).default('off'),
});

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

declare module '../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    /** A user enrolled or removed a factor. */
    'second-factor': true;
  }
}

interface Enrolment {
  readonly userId: string;
  readonly enrolled: boolean;
}

/** Tells the guard which users have a second factor, and which must have one. */
@Injectable()
export class RequiredFactors implements SecondFactorSource, OnModuleInit {
  readonly requiredOf: Config['REQUIRE_SECOND_FACTOR'];
  readonly #lookup: CachedLookup<Enrolment>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly stepUp: StepUp,
    private readonly takeover: AccountTakeover,
    private readonly factors: SecondFactors,
    private readonly revocations: RevocationsService,
    caches: CredentialCaches,
    @Inject(CONFIG) config: Config,
  ) {
    this.requiredOf = config.REQUIRE_SECOND_FACTOR;
    this.#lookup = caches.create(
      'second-factors',
      (userIds) => this.#query(userIds),
      ({ userId }) => [userId],
    );
  }

  onModuleInit(): void {
    this.stepUp.register(this);
    this.takeover.register(async (manager, userId) => {
      await this.factors.removeAll(manager, userId);
      await this.revocations.announce(manager, [{ kind: 'second-factor', subject: userId }]);
    });
  }

  async isEnrolled(userId: string): Promise<boolean> {
    return (await this.#lookup.find(userId))?.enrolled ?? false;
  }

  async #query(userIds: string[]): Promise<Map<string, Enrolment>> {
    const rows: Enrolment[] = await this.dataSource.query(
      `SELECT u.id AS "userId",
         EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND t.activated_at IS NOT NULL)
         OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id) AS enrolled
       FROM unnest($1::uuid[]) AS u (id)`,
      [userIds],
    );
    return new Map(rows.map((row) => [row.userId, row]));
  }
}
