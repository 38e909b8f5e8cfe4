/** What every user may do. */
export const USER_SCOPES = [
  'profile:read',
  'profile:write',
  'account:security',
  'sessions:read',
  'sessions:write',
  'api-keys:read',
  'api-keys:write',
  'orders:read',
  'orders:write',
  'events:write',
  'reports:read',
  'tokens:introspect',
] as const;

/** Only for users with the role `admin`. A session has them all, a token those that it asked for by name, a key none. */
export const ADMIN_SCOPES = [
  'admin:users',
  'admin:audit',
  'admin:signing-keys',
  'admin:service-accounts',
] as const;

export type UserScope = (typeof USER_SCOPES)[number];
export type Scope = UserScope | (typeof ADMIN_SCOPES)[number];

const KNOWN: ReadonlySet<string> = new Set([...USER_SCOPES, ...ADMIN_SCOPES]);

export function isScope(text: string): text is Scope {
  return KNOWN.has(text);
}
