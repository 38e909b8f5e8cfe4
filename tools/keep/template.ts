/**
 * The rooms of the template that `keep` can remove. A room that is not named here is yours: it always stays.
 * A room of `NEEDED` stays if a room that stays needs it. A room of `FOLLOWING` stays if all that it needs stays.
 */
export const MODES = ['modes/sessions', 'modes/jwt', 'modes/opaque-tokens', 'modes/api-keys'] as const;

export const NEEDED = [
  'modes/tokens',
  'accounts/subjects',
  'accounts/users',
  'accounts/attempt-limits',
  'accounts/sign-ins',
] as const;

export const FOLLOWING = [
  'accounts/admin',
  'accounts/recovery',
  'accounts/leaving',
  'extras/oauth',
  'extras/api-key-routes',
  'extras/own-api-keys',
  'extras/service-accounts',
  'extras/service-account-admin',
  'extras/api-key-usage',
  'extras/api-key-alerts',
  'extras/anomalies',
  'extras/audit',
  'extras/mfa',
  'extras/playground',
  'examples/orders',
  'examples/events',
  'examples/reports',
  'examples/whoami',
] as const;

/** Parts that are no rooms. They stay unless `--without` names them. */
export const PARTS: Readonly<Record<string, readonly string[]>> = {
  'embedded-postgres': [
    'tools/dev-postgres',
    'test/tools',
    'test/support/embedded-cluster.ts',
    'test/support/embedded-postgres.child.mjs',
  ],
  template: ['test/template'],
};

/** What the simulation does. */
const SIMULATED = ['sessions', 'jwt', 'opaque-tokens', 'oauth', 'own-api-keys', 'mfa', 'admin'];

/** What the table of security requirements names. */
const SHOWN = [
  ...SIMULATED,
  'recovery',
  'leaving',
  'audit',
  'anomalies',
  'api-key-alerts',
  'service-account-admin',
  'template',
];

/** What the benchmark measures. */
const MEASURED = ['sessions', 'jwt', 'opaque-tokens', 'api-keys', 'oauth', 'whoami', 'embedded-postgres'];

/** What the picture of the playground shows. */
const PICTURED = ['playground', 'sessions', 'jwt', 'opaque-tokens', 'own-api-keys', 'oauth'];

/** Folders outside `src` that are about rooms. They go with the first of them. */
export const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'examples/api-client': ['api-keys', 'orders'],
  'examples/resource-server': ['jwt', 'oauth'],
  'test/simulation': SIMULATED,
  'tools/simulate': SIMULATED,
  'tools/asvs': SHOWN,
  'docs/asvs.md': SHOWN,
  'tools/screenshots': PICTURED,
  'docs/playground.png': PICTURED,
  'tools/bench': MEASURED,
  'docs/benchmarks.md': MEASURED,
  'docs/benchmarks.svg': MEASURED,
  'docs/speed.md': MEASURED,
  'docs/scaling.md': MEASURED,
};

export const nameOf = (room: string): string => room.split('/')[1]!;
