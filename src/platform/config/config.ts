import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDuration } from './duration.js';
import { contradictions } from './lifetimes.js';
import { StartError } from './start-error.js';

const anyDuration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'is no duration such as 500ms, 10s, 15m, 12h or 14d' });
  return z.NEVER;
});

const duration = (preset: string) => anyDuration.prefault(preset);

const HOUR_MS = 3_600_000;

/** A lifetime: a duration that is not zero. */
const lifetime = (preset: string) => duration(preset).refine((ms) => ms > 0, 'must be longer than 0');

const list = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter(Boolean));

const onOff = z.enum(['on', 'off']).transform((word) => word === 'on');
/** In decimal digits: `Number()` also reads `0x10` and `1e3`. */
const integer = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.int().min(min).max(max));
const port = integer(0, 65_535);
const urlWith = (...protocols: string[]) =>
  z.string().refine((text) => protocols.some((p) => text.startsWith(`${p}://`)) && URL.canParse(text), {
    message: `must be a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  });

/** With no host where the query names the directory of a socket, as in `postgresql://user:password@/db?host=/run`. */
const postgresUrl = z
  .string()
  .refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text.replace('@/', '@socket/')), {
    message: 'must be a URL that begins with postgres:// or postgresql://',
  });

/** Exactly what a browser sends as Origin: a pattern, a path or a default port would never match one. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && /^https?:$/.test(protocol) && !hostname.includes('*');
}

const origin = z
  .string()
  .refine(
    isOrigin,
    'must be an origin such as https://app.example.com, without a path, pattern or default port',
  );

const MIN_SECRET_LENGTH = 32;
const MIN_DIFFERENT_CHARACTERS = 8;

/** Why a text cannot be a secret: too short, or a placeholder such as `xxxx…`. Undefined if it can. */
export function whyNoSecret(text: string): string | undefined {
  if (text.length < MIN_SECRET_LENGTH) return `must have at least ${MIN_SECRET_LENGTH} characters`;
  return new Set(text).size < MIN_DIFFERENT_CHARACTERS
    ? `must have at least ${MIN_DIFFERENT_CHARACTERS} different characters`
    : undefined;
}

const secret = z.string().superRefine((text, context) => {
  const message = whyNoSecret(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** An address or a network, not of everybody; or the word that stands for this machine. */
function isProxy(text: string): boolean {
  if (text === 'loopback') return true;
  const [address, bits, ...rest] = text.split('/');
  const version = isIP(address!);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

const proxy = z
  .string()
  .refine(isProxy, 'holds something that is no address, no network such as 10.0.0.0/8 and not loopback');

const variables = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).optional(),
  PORT: port.default(3000),
  METRICS_PORT: port.optional(),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_LISTEN_URL: postgresUrl.optional(),
  DATABASE_POOL_SIZE: integer(1, 500).default(10),
  DATA_DIRECTORY: z.string().min(1).default('.data'),
  // No path: every URL of this server begins at the root.
  ISSUER: origin.optional(),
  AUDIENCES: list,
  JWT_ALGORITHM: z.enum(['ES256', 'EdDSA']).default('ES256'),
  ACCESS_TOKEN_TTL: lifetime('10m').refine((ms) => ms <= 15 * 60_000, 'must be at most 15m'),
  REFRESH_TOKEN_IDLE_TTL: lifetime('14d'),
  REFRESH_TOKEN_TTL: lifetime('30d'),
  REFRESH_REUSE_GRACE: duration('10s'),
  SESSION_IDLE_TTL: lifetime('1d'),
  SESSION_TTL: lifetime('7d'),
  REAUTHENTICATION_WINDOW: lifetime('10m'),
  // Longer than anybody keeps the JWKS, so that whoever verifies has the key that takes over.
  SIGNING_KEY_ROTATION: duration('90d').refine((ms) => ms >= HOUR_MS, 'must be 1h or longer'),
  ENCRYPTION_SECRETS: list.pipe(z.array(secret)),
  API_KEY_ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/, 'must be 1 to 16 lower-case letters or digits')
    .optional(),
  CREDENTIAL_CACHE_TTL: duration('5s'),
  FEED_MAX_LAG: lifetime('1s'),
  TRUSTED_PROXIES: list.pipe(z.array(proxy)),
  CORS_ORIGINS: list.pipe(z.array(origin)),
  SMTP_URL: urlWith('smtp', 'smtps')
    .refine((text) => !URL.canParse(text) || new URL(text).hostname !== '', 'must name a host')
    .optional(),
  MAIL_FROM: z.string().min(3).default('Auth modes <no-reply@example.com>'),
  REDIS_URL: urlWith('redis', 'rediss').optional(),
  REQUIRE_VERIFIED_EMAIL: onOff.optional(),
  RATE_LIMITS: onOff.default(true),
  PLAYGROUND: onOff.optional(),
  DOCS: onOff.optional(),
  DRAIN_TIME: anyDuration.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** Every environment variable that the server reads. */
export const VARIABLE_NAMES = Object.keys(variables.shape);

const LOOPBACK = ['127.0.0.1/8', '::1/128'];

/** What production must be told, since guessing it would be unsafe. Of what was given, so that it is told beside bad values. */
function missingInProduction(given: NodeJS.ProcessEnv): string[] {
  if (given['NODE_ENV'] !== 'production') return [];
  const faults = ['DATABASE_URL', 'ISSUER', 'ENCRYPTION_SECRETS', 'SMTP_URL']
    .filter((name) => !/[^\s,]/.test(given[name] ?? ''))
    .map((name) => `${name}: is required in production`);
  for (const name of ['ISSUER', 'CORS_ORIGINS'])
    if (/(^|[\s,])http:/i.test(given[name] ?? '')) faults.push(`${name}: must be https in production`);
  if (given['RATE_LIMITS'] === 'off') faults.push('RATE_LIMITS: off is refused in production');
  return faults;
}

/** The environment does not describe a server that may start. Names variables, never their values. */
export class ConfigError extends StartError {
  /** sysexits.h EX_CONFIG */
  override readonly exitCode = 78;
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
  const faults = missingInProduction(given);
  if (!parsed.success)
    faults.unshift(
      ...parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message.replace(/, received .*/, '')}`),
    );
  else faults.push(...contradictions(parsed.data));
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);

  const env = parsed.data;
  const production = env.NODE_ENV === 'production';
  const issuer = env.ISSUER ?? `http://localhost:${env.PORT}`;
  return {
    ...env,
    production,
    HOST: env.HOST ?? (production ? '0.0.0.0' : 'localhost'),
    ISSUER: issuer,
    AUDIENCES: (env.AUDIENCES.length > 0 ? env.AUDIENCES : [issuer]) as [string, ...string[]],
    API_KEY_ENVIRONMENT: env.API_KEY_ENVIRONMENT ?? (production ? 'live' : 'test'),
    REQUIRE_VERIFIED_EMAIL: env.REQUIRE_VERIFIED_EMAIL ?? production,
    DOCS: env.DOCS ?? !production,
    DRAIN_TIME: env.DRAIN_TIME ?? (production ? 5_000 : 0),
    TRUSTED_PROXIES: env.TRUSTED_PROXIES.flatMap((p) => (p === 'loopback' ? LOOPBACK : [p])),
  };
}

/** The configuration for PORT=0, once the port is known. An issuer that was not given names that port too. */
export function withPort<C extends Config>(config: C, port: number): C {
  const preset = `http://localhost:${config.PORT}`;
  const named = (url: string) => (url === preset ? `http://localhost:${port}` : url);
  return {
    ...config,
    PORT: port,
    ISSUER: named(config.ISSUER),
    AUDIENCES: config.AUDIENCES.map(named) as [string, ...string[]],
  };
}
