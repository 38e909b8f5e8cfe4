import { z } from 'zod';
import { parseDuration } from './duration.js';

const duration = (preset: string) =>
  z
    .string()
    .default(preset)
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined) return ms;
      context.addIssue({ code: 'custom', message: 'is no duration such as 500ms, 10s, 15m, 12h or 14d' });
      return z.NEVER;
    });

/** A lifetime: a duration that is not zero. */
const lifetime = (preset: string) => duration(preset).refine((ms) => ms > 0, 'must be longer than 0');

const list = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter(Boolean));

const onOff = z.enum(['on', 'off']).transform((word) => word === 'on');
const port = (preset: number) => z.coerce.number().int().min(0).max(65_535).default(preset);
const urlWith = (...protocols: string[]) =>
  z.string().refine((text) => protocols.some((p) => text.startsWith(`${p}://`)) && URL.canParse(text), {
    message: `must be a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  });

const origin = z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
  message: 'holds something that is no origin such as https://app.example.com',
});

const variables = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).optional(),
  PORT: port(3000),
  METRICS_PORT: port(0).optional(),
  DATABASE_URL: urlWith('postgres', 'postgresql').optional(),
  DATABASE_LISTEN_URL: urlWith('postgres', 'postgresql').optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(500).default(10),
  DATA_DIRECTORY: z.string().min(1).default('.data'),
  ISSUER: urlWith('http', 'https')
    .refine((text) => !/[?#]/.test(text) && !text.endsWith('/'), 'must have no query, fragment or slash at the end')
    .optional(),
  AUDIENCES: list,
  JWT_ALGORITHM: z.enum(['EdDSA', 'ES256']).default('EdDSA'),
  ACCESS_TOKEN_TTL: lifetime('10m').refine((ms) => ms <= 15 * 60_000, 'must be at most 15m'),
  REFRESH_TOKEN_IDLE_TTL: lifetime('14d'),
  REFRESH_TOKEN_TTL: lifetime('30d'),
  REFRESH_REUSE_GRACE: duration('10s'),
  SESSION_IDLE_TTL: lifetime('1d'),
  SESSION_TTL: lifetime('7d'),
  REAUTHENTICATION_WINDOW: lifetime('10m'),
  KEY_ENCRYPTION_SECRETS: list.refine(
    (secrets) => secrets.every((s) => s.length >= 32),
    'must hold secrets of at least 32 characters each',
  ),
  KEY_ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/, 'must be 1 to 16 lower-case letters or digits')
    .optional(),
  CREDENTIAL_CACHE_TTL: duration('5s'),
  FEED_MAX_LAG: lifetime('1s'),
  TRUSTED_PROXIES: list,
  CORS_ORIGINS: list.pipe(z.array(origin)),
  SMTP_URL: urlWith('smtp', 'smtps').optional(),
  MAIL_FROM: z.string().min(3).default('Auth modes <no-reply@example.com>'),
  REDIS_URL: urlWith('redis', 'rediss').optional(),
  REQUIRE_VERIFIED_EMAIL: onOff.optional(),
  RATE_LIMITS: onOff.default(true),
  PLAYGROUND: onOff.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** Every environment variable that the server reads. */
export const VARIABLE_NAMES = Object.keys(variables.shape);

type Variables = z.infer<typeof variables>;
const LOOPBACK = ['127.0.0.1/8', '::1/128'];

/** What production must be told, since guessing it would be unsafe. */
function missingInProduction(env: Variables): string[] {
  if (env.NODE_ENV !== 'production') return [];
  const faults: string[] = [];
  if (!env.DATABASE_URL) faults.push('DATABASE_URL: is required in production');
  if (!env.ISSUER?.startsWith('https://')) faults.push('ISSUER: is required in production, and must be https');
  if (env.KEY_ENCRYPTION_SECRETS.length === 0) faults.push('KEY_ENCRYPTION_SECRETS: is required in production');
  if (!env.RATE_LIMITS) faults.push('RATE_LIMITS: off is refused in production');
  if (env.TRUSTED_PROXIES.some((p) => /\/0$/.test(p))) faults.push('TRUSTED_PROXIES: trusts everybody');
  return faults;
}

/** What the lifetimes must agree on. */
function contradictions(env: Variables): string[] {
  const faults: string[] = [];
  if (env.SESSION_IDLE_TTL > env.SESSION_TTL) faults.push('SESSION_IDLE_TTL: is longer than SESSION_TTL');
  if (env.REFRESH_TOKEN_IDLE_TTL > env.REFRESH_TOKEN_TTL)
    faults.push('REFRESH_TOKEN_IDLE_TTL: is longer than REFRESH_TOKEN_TTL');
  return faults;
}

/** The environment does not describe a server that may start. Names variables, never their values. */
export class ConfigError extends Error {
  /** sysexits.h EX_CONFIG */
  readonly exitCode = 78;
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((f) => `  ${f}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export type Config = ReturnType<typeof readConfig>;
export const CONFIG = Symbol('config');

/**
 * Validates the environment. All durations are in milliseconds.
 * @throws ConfigError naming every bad variable at once
 */
export function readConfig(environment: NodeJS.ProcessEnv) {
  // An empty variable is how compose files and CI systems spell "not set".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = variables.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message.replace(/, received .*/, '')}`));
  const env = parsed.data;
  const faults = [...missingInProduction(env), ...contradictions(env)];
  if (faults.length > 0) throw new ConfigError(faults);

  const production = env.NODE_ENV === 'production';
  const issuer = env.ISSUER ?? `http://localhost:${env.PORT}`;
  return {
    ...env,
    production,
    HOST: env.HOST ?? (production ? '0.0.0.0' : 'localhost'),
    ISSUER: issuer,
    AUDIENCES: (env.AUDIENCES.length > 0 ? env.AUDIENCES : [issuer]) as [string, ...string[]],
    KEY_ENVIRONMENT: env.KEY_ENVIRONMENT ?? (production ? 'live' : 'test'),
    REQUIRE_VERIFIED_EMAIL: env.REQUIRE_VERIFIED_EMAIL ?? production,
    TRUSTED_PROXIES: env.TRUSTED_PROXIES.flatMap((p) => (p === 'loopback' ? LOOPBACK : [p])),
  };
}
