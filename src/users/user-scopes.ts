import { ADMIN_SCOPES, type Scope, USER_SCOPES } from '../auth/scopes.js';
import type { Role } from './user.entity.js';

/** All that a user with these roles may do: what a session carries. */
export function scopesOfRoles(roles: readonly Role[]): readonly Scope[] {
  return roles.includes('admin') ? [...USER_SCOPES, ...ADMIN_SCOPES] : USER_SCOPES;
}
