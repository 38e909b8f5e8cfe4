import type { AuthenticationLevel } from '../../auth/principal.js';
import type { UserStatus } from '../users/user.entity.js';
import type { CarrierName } from './sign-in.entity.js';
import { rememberRevocations } from '../../platform/revocations/revocation.entity.js';

declare module '../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    'sign-in': true;
    renewal: true;
  }
}

rememberRevocations('sign-in', 'renewal');

/** The fields of a sign-in that a request is checked by, with the current roles and status of its user. */
export interface LiveSignIn {
  id: string;
  userId: string;
  carrier: CarrierName;
  amr: string[];
  authTime: Date;
  secondFactorAt: Date | null;
  idleExpiresAt: Date;
  expiresAt: Date;
  endReason: string | null;
  roles: string[];
  status: UserStatus;
}

/** The columns of a LiveSignIn: `s` is sign_ins, `u` is users. */
export const LIVE_SIGN_IN_COLUMNS = `s.id, s.user_id AS "userId", s.carrier, s.amr, s.auth_time AS "authTime",
  s.second_factor_at AS "secondFactorAt", s.idle_expires_at AS "idleExpiresAt", s.expires_at AS "expiresAt", s.end_reason AS "endReason", u.roles, u.status`;

/** Returns why a sign-in has ended or expired, for the log. Returns undefined if it is alive. */
export function whyOver(signIn: LiveSignIn, now: Date): string | undefined {
  if (signIn.endReason !== null) return `sign-in ended: ${signIn.endReason}`;
  if (signIn.expiresAt <= now) return 'sign-in expired';
  if (signIn.idleExpiresAt <= now) return 'sign-in idle for too long';
  return signIn.status === 'active' ? undefined : 'user disabled';
}

/** What a principal says about how its person signed in. */
export const authenticationOf = ({
  amr,
  authTime,
  secondFactorAt,
}: Pick<LiveSignIn, 'amr' | 'authTime' | 'secondFactorAt'>) => ({
  amr,
  authTime,
  acr: acrOf(secondFactorAt),
  secondFactorTime: secondFactorAt ?? undefined,
});

export const acrOf = (secondFactorAt: Date | null): AuthenticationLevel => (secondFactorAt ? 'aal2' : 'aal1');

/** A cached sign-in becomes invalid when the sign-in itself or its user changes. */
export const subjectsOfSignIn = (signIn: LiveSignIn): readonly string[] => [signIn.id, signIn.userId];
