import { ADMIN_SCOPES, type Scope, USER_SCOPES } from '../../auth/scopes.js';
import type { Role } from './user.entity.js';

/** The scopes that a user with these roles may have. A session has all of them. */
export function scopesOfRoles(roles: readonly Role[]): readonly Scope[] {
  return roles.includes('admin') ? [...USER_SCOPES, ...ADMIN_SCOPES] : USER_SCOPES;
}

/** Those of `scopes` that a user with these roles may have. */
export function heldScopes(scopes: Iterable<string>, roles: readonly Role[]): Scope[] {
  const held: ReadonlySet<string> = new Set(scopesOfRoles(roles));
  return [...scopes].filter((scope): scope is Scope => held.has(scope));
}
