import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { lifetime } from '../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';
import type { ProtectedPolicy } from './access-policy.js';
import { InsufficientUserAuthenticationError } from './auth.errors.js';
import type { Principal } from './principal.js';
import { needsRole } from './scopes.js';

const settings = defineSettings({ REAUTHENTICATION_WINDOW: lifetime('10m') });

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/** The room that stores second factors. Without such a room, no user has one. */
export interface SecondFactorSource {
  isEnrolled(userId: string): Promise<boolean>;
  /** `admins`: routes with a scope of a role require one. `everyone`: routes without `secondFactor` require one too. */
  readonly requiredOf: 'off' | 'admins' | 'everyone';
}

/** Checks the age of a sign-in and its second factor, as the route requires them (RFC 9470). */
@Injectable()
export class StepUp {
  #source: SecondFactorSource = { isEnrolled: async () => false, requiredOf: 'off' };

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  register(source: SecondFactorSource): void {
    this.#source = source;
  }

  /** Returns undefined if the principal passes, or a promise if only the database knows. @throws InsufficientUserAuthenticationError */
  check(policy: ProtectedPolicy, principal: Principal, scheme: string): Promise<void> | undefined {
    const maxAge = this.#maxAge(policy);
    const demand = this.#demand(policy, principal);
    const isOld = !this.#isRecent(principal.authTime, maxAge);
    const hasFactor = demand === 'never' || this.#hasFactor(policy, principal, maxAge);
    if (hasFactor && !isOld) return undefined;
    const refuse = (lacksFactor: boolean) => {
      throw new InsufficientUserAuthenticationError(scheme, maxAge, lacksFactor);
    };
    if (hasFactor || demand === 'always') return refuse(!hasFactor);
    return this.#source.isEnrolled(principal.userId).then((enrolled) => {
      if (enrolled || isOld) refuse(enrolled);
    });
  }

  #maxAge({ recentSignIn }: ProtectedPolicy): number | undefined {
    if (recentSignIn === false) return undefined;
    return recentSignIn === true ? this.config.REAUTHENTICATION_WINDOW : recentSignIn;
  }

  #demand(
    { secondFactor, scopes }: ProtectedPolicy,
    { kind }: Principal,
  ): 'always' | 'where-enrolled' | 'never' {
    if (secondFactor === true) return 'always';
    // A machine has no factors. The person who created its key had to use theirs.
    if (secondFactor === 'never' || kind !== 'person') return 'never';
    const { requiredOf } = this.#source;
    if (requiredOf !== 'off' && scopes.some(needsRole)) return 'always';
    // A person without a factor enrols one on routes with `where-enrolled`, so these stay open.
    if (requiredOf === 'everyone' && secondFactor === undefined) return 'always';
    return secondFactor ?? 'never';
  }

  /** A route with `recentSignIn` and `secondFactor` requires both within the same time. */
  #hasFactor({ secondFactor }: ProtectedPolicy, principal: Principal, maxAge: number | undefined): boolean {
    if (principal.acr !== 'aal2') return false;
    return secondFactor === undefined || this.#isRecent(principal.secondFactorTime, maxAge);
  }

  #isRecent(time: Date | undefined, maxAge: number | undefined): boolean {
    if (maxAge === undefined) return true;
    return time !== undefined && this.clock.now().getTime() - time.getTime() <= maxAge;
  }
}
