import { USER_SCOPES, type UserScope } from '../auth/scopes.js';

const KNOWN: ReadonlySet<string> = new Set(USER_SCOPES);

/** What a token can hold: all but `admin:*`, which stays with sessions. */
export function isTokenScope(scope: string): scope is UserScope {
  return KNOWN.has(scope);
}
