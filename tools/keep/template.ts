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
  'extras/foreign-passwords',
  'extras/mfa',
  'extras/metrics',
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
const MEASURED = [
  'sessions',
  'jwt',
  'opaque-tokens',
  'api-keys',
  'oauth',
  'whoami',
  'reports',
  'embedded-postgres',
];

const CLIENTS = 'examples/clients';

/** The clients of people that are about one carrier of a sign-in. */
const clients = (room: string, files: readonly string[]): Record<string, string[]> =>
  Object.fromEntries(files.map((file) => [`${CLIENTS}/${file}`, [room]]));

/** What the picture of the playground shows. */
const PICTURED = ['playground', 'sessions', 'jwt', 'opaque-tokens', 'own-api-keys', 'oauth'];

/** Folders and files outside `src` that are about rooms. They go with the first of them. */
export const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'examples/api-client': ['api-keys', 'orders'],
  'examples/resource-server': ['jwt', 'oauth', 'examples'],
  // The playground runs one of them, so they stay without the examples.
  [CLIENTS]: ['users'],
  'docs/clients.md': ['users'],
  ...clients('tokens', [
    'curl/token.sh',
    'go/run_token.go',
    'go/token_client.go',
    'python/token_client.py',
    'typescript/run.ts',
    'typescript/server-rendering.ts',
    'typescript/tabs.ts',
    'typescript/token-client.ts',
    'typescript/token-pair.ts',
  ]),
  ...clients('sessions', [
    'curl/session.sh',
    'go/run_session.go',
    'go/session_client.go',
    'python/session_client.py',
    'typescript/session-client.ts',
  ]),
  'test/simulation': SIMULATED,
  'tools/simulate': SIMULATED,
  'tools/asvs': SHOWN,
  'docs/asvs.md': SHOWN,
  'tools/screenshots': PICTURED,
  'docs/playground.png': PICTURED,
  'tools/bench': MEASURED,
  'docs/moving-in.md': ['foreign-passwords'],
  'docs/alerts.yml': ['metrics'],
  'docs/benchmarks.md': MEASURED,
  'docs/benchmarks.svg': MEASURED,
  'docs/modes/session-backed-jwt.md': ['jwt'],
  'docs/server-rendered.md': ['sessions', 'orders', 'template'],
  'test/template/server-rendered.fixture.ts': ['sessions', 'orders'],
  'test/template/server-rendered.long.spec.ts': ['sessions', 'orders'],
  'test/template/server-rendered.spec.ts': ['sessions', 'orders'],
  'docs/speed.md': MEASURED,
  'docs/scaling.md': MEASURED,
};

export const nameOf = (room: string): string => room.split('/')[1]!;
