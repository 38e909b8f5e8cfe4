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

/** A sign-in as a request's check needs it, with what its user may do now. */
export interface LiveSignIn {
  id: string;
  userId: string;
  carrier: CarrierName;
  amr: string[];
  authTime: Date;
  idleExpiresAt: Date;
  expiresAt: Date;
  endReason: string | null;
  roles: string[];
  status: UserStatus;
}

/** The columns of a LiveSignIn; `s` is sign_ins, `u` is users. */
export const LIVE_SIGN_IN_COLUMNS = `s.id, s.user_id AS "userId", s.carrier, s.amr, s.auth_time AS "authTime",
  s.idle_expires_at AS "idleExpiresAt", s.expires_at AS "expiresAt", s.end_reason AS "endReason", u.roles, u.status`;

/** Why a sign-in is over at the time `now`, for the log; undefined while it is alive. */
export function whyOver(signIn: LiveSignIn, now: Date): string | undefined {
  if (signIn.endReason !== null) return `sign-in ended: ${signIn.endReason}`;
  if (signIn.expiresAt <= now) return 'sign-in expired';
  if (signIn.idleExpiresAt <= now) return 'sign-in idle for too long';
  return signIn.status === 'active' ? undefined : 'user disabled';
}

/** Whose revocation makes a remembered sign-in old: its own, or a change of its user. */
export const subjectsOfSignIn = (signIn: LiveSignIn): readonly string[] => [signIn.id, signIn.userId];
