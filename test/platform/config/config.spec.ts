import { describe, expect, it } from '@jest/globals';
import { ConfigError, configWarnings, readConfig } from '../../../src/platform/config/config.js';
import { parseDuration } from '../../../src/platform/config/duration.js';
import { settingNames } from '../../../src/platform/config/settings.js';
import '../../../src/app.js';
import { PRODUCTION } from '../../support/production.js';

/** The settings of this project. Some are shared by rooms that can be removed. */
const SETTINGS = new Set([...settingNames(), 'production']);
const declared = <T>(all: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => SETTINGS.has(name)));

/** What is wrong with an environment; none if it is usable. */
function faults(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}
const variablesOf = (all: readonly string[]) => all.map((fault) => fault.split(/[.:]/, 1)[0]!).toSorted();

const SECRET = 'a-secret-for-tests-of-32-characters-and-more';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['14d', 1_209_600_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '10',
    '-1s',
    '1.5h',
    '10 s',
    '10S',
    '1h30m',
    's',
    '1w',
    ' 10s',
    '10s\n',
    '1e3s',
    '1234567890s',
  ])('does not read %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('readConfig', () => {
  it('has defaults in development', () => {
    const defaults = declared<unknown>({
      NODE_ENV: 'development',
      production: false,
      HOST: 'localhost',
      PORT: 3000,
      DATABASE_POOL_SIZE: 10,
      DATA_DIRECTORY: '.data',
      ISSUER: 'http://localhost:3000',
      AUDIENCES: [],
      JWT_ALGORITHM: 'ES256',
      ACCESS_TOKEN_TTL: 10 * 60_000,
      REFRESH_TOKEN_IDLE_TTL: 14 * 86_400_000,
      REFRESH_TOKEN_TTL: 30 * 86_400_000,
      REFRESH_REUSE_GRACE: 10_000,
      SESSION_IDLE_TTL: 86_400_000,
      SESSION_TTL: 7 * 86_400_000,
      REAUTHENTICATION_WINDOW: 10 * 60_000,
      SIGNING_KEY_ROTATION: 90 * 86_400_000,
      ENCRYPTION_SECRETS: [],
      API_KEY_ENVIRONMENT: 'test',
      CREDENTIAL_CACHE_TTL: 5_000,
      DOCS: true,
      DRAIN_TIME: 0,
      FEED_MAX_LAG: 1_000,
      TRUSTED_PROXIES: [],
      CORS_ORIGINS: [],
      MAIL_FROM: 'Auth modes <no-reply@example.com>',
      // room: mfa
      REQUIRE_SECOND_FACTOR: 'off',
      // /room
      REQUIRE_VERIFIED_EMAIL: false,
      RATE_LIMITS: true,
      LOG_LEVEL: 'info',
    });
    expect(readConfig({})).toMatchObject(defaults);
  });

  it('has other defaults in production', () => {
    const defaults = declared<unknown>({
      production: true,
      HOST: '0.0.0.0',
      API_KEY_ENVIRONMENT: 'live',
      REQUIRE_VERIFIED_EMAIL: true,
      DOCS: false,
      DRAIN_TIME: 5_000,
    });
    expect(readConfig(PRODUCTION)).toMatchObject(defaults);
    expect(readConfig({ ...PRODUCTION, DOCS: 'on', DRAIN_TIME: '30s' })).toMatchObject({
      DOCS: true,
      DRAIN_TIME: 30_000,
    });
  });

  it.each(['0x10', '1e3', '+80', '-1', ' 80', '80.0', '８０'])('[V1.4.2] refuses %j as a number', (PORT) => {
    expect(variablesOf(faults({ PORT, DATABASE_POOL_SIZE: PORT }))).toEqual(['DATABASE_POOL_SIZE', 'PORT']);
  });

  it.each(['postgresql://user:password@/db?host=/socket/dir', 'postgres:///db?host=/socket/dir'])(
    'accepts the directory of a socket instead of a host: %s',
    (url) => {
      expect(readConfig({ DATABASE_URL: url, DATABASE_LISTEN_URL: url }).DATABASE_URL).toBe(url);
    },
  );

  it('reads an empty variable as one that is not set', () => {
    expect(readConfig({ PORT: '', SMTP_URL: '', AUDIENCES: '' })).toEqual(readConfig({}));
  });

  it('reads lists with commas or spaces, and `loopback` as its networks', () => {
    const lists = declared({
      AUDIENCES: ['https://a.example.com', 'https://b.example.com'],
      TRUSTED_PROXIES: ['127.0.0.1/8', '::1/128', '10.0.0.0/8', '2001:db8::1'],
      ENCRYPTION_SECRETS: [SECRET, `${SECRET}2`],
    });
    const config = readConfig({
      AUDIENCES: 'https://a.example.com, https://b.example.com',
      TRUSTED_PROXIES: 'loopback 10.0.0.0/8,2001:db8::1',
      ENCRYPTION_SECRETS: `${SECRET},${SECRET}2`,
    });
    expect(config).toMatchObject(lists);
  });

  const BAD = declared({
    NODE_ENV: 'staging',
    PORT: '65536',
    METRICS_PORT: 'ninety',
    DATABASE_URL: 'mysql://user:hunter2-hunter2@db.example.com',
    DATABASE_LISTEN_URL: 'db.example.com',
    DATABASE_POOL_SIZE: '0',
    ISSUER: 'http://auth.example.com/',
    JWT_ALGORITHM: 'none',
    ACCESS_TOKEN_TTL: '16m',
    REFRESH_TOKEN_IDLE_TTL: '14',
    REFRESH_TOKEN_TTL: '0',
    REFRESH_REUSE_GRACE: 'soon',
    SESSION_IDLE_TTL: '0s',
    SESSION_TTL: 'week',
    REAUTHENTICATION_WINDOW: '10minutes',
    SIGNING_KEY_ROTATION: '0d',
    ENCRYPTION_SECRETS: 'too-short-a-secret',
    API_KEY_ENVIRONMENT: 'Live!',
    CREDENTIAL_CACHE_TTL: '-5s',
    FEED_MAX_LAG: '0ms',
    TRUSTED_PROXIES: 'proxy.internal',
    CORS_ORIGINS: 'https://app.example.com/path',
    SMTP_URL: 'https://mail.example.com',
    MAIL_FROM: 'x',
    REDIS_URL: 'localhost:6379',
    REQUIRE_VERIFIED_EMAIL: 'yes',
    RATE_LIMITS: 'true',
    // room: playground
    PLAYGROUND: '1',
    // /room
    DOCS: 'true',
    DRAIN_TIME: '5',
    LOG_LEVEL: 'loud',
  });

  it('names every bad variable at once', () => {
    expect([...new Set(variablesOf(faults(BAD)))]).toEqual(Object.keys(BAD).toSorted());
  });

  it.each(Object.entries(BAD))('refuses %s=%s without repeating the value', (name, value) => {
    expect(faults({ [name]: value })).toHaveLength(1);
    const [fault] = faults({ [name]: value });
    expect(fault).toMatch(new RegExp(String.raw`^${name}(\.0)?: `));
    // The value may stand in the list of what is allowed: only whole ones of some length are telling.
    if (value.length > 4) expect(fault).not.toContain(value);
  });

  it('ends the process with EX_CONFIG', () => {
    expect(() => readConfig({ PORT: 'x' })).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        exitCode: 78,
        message: expect.stringContaining('PORT'),
      }),
    );
  });

  it.each(['0.0.0.0/0', '::/0', '0.0.0.0/0.0.0.0', '10.0.0.0/33', '10.0.0/8', '300.0.0.1', '::1/129'])(
    'refuses the proxy %s',
    (proxy) => {
      expect(variablesOf(faults({ ...PRODUCTION, TRUSTED_PROXIES: proxy }))).toEqual(['TRUSTED_PROXIES']);
    },
  );

  // room: tokens
  it('accepts an access token of at most 15 minutes', () => {
    expect(faults({ ACCESS_TOKEN_TTL: '15m' })).toEqual([]);
    expect(faults({ ACCESS_TOKEN_TTL: '901s' })).toEqual(['ACCESS_TOKEN_TTL: must be at most 15m']);
  });
  // /room

  // room: sign-ins
  it.each<[string, NodeJS.ProcessEnv]>([
    // room: sessions
    ['SESSION_IDLE_TTL', { SESSION_IDLE_TTL: '8d' }],
    // /room
    // room: tokens
    ['REFRESH_TOKEN_IDLE_TTL', { REFRESH_TOKEN_TTL: '13d' }],
    ['ACCESS_TOKEN_TTL', { REFRESH_TOKEN_IDLE_TTL: '9m' }],
    ['ACCESS_TOKEN_TTL', { REFRESH_TOKEN_IDLE_TTL: '9m', REFRESH_TOKEN_TTL: '9m' }],
    ['REFRESH_REUSE_GRACE', { REFRESH_REUSE_GRACE: '15d' }],
    // /room
  ])('[V2.2.3] refuses lifetimes that contradict each other, and names %s (%j)', (name, environment) => {
    expect(variablesOf(faults(environment))).toEqual([name]);
  });

  it('accepts equal lifetimes', () => {
    const equal = { REFRESH_TOKEN_IDLE_TTL: '10m', REFRESH_TOKEN_TTL: '10m', REFRESH_REUSE_GRACE: '10m' };
    expect(faults({ ...equal, SESSION_IDLE_TTL: '1d', SESSION_TTL: '1d' })).toEqual([]);
  });

  it('accepts sessions over 7 days and refresh tokens over 30 days with a warning', () => {
    expect(configWarnings(readConfig({}))).toEqual([]);
    const long = declared({ SESSION_TTL: '169h', REFRESH_TOKEN_TTL: '721h' });
    const warned = configWarnings(readConfig(long)).map((warning) => warning.split(' ', 1)[0]);
    expect(warned).toEqual(Object.keys(long));
  });
  // /room

  it.each([
    '*',
    'null',
    'https://*',
    'https://*.example.com',
    'https://app.example.com/',
    'https://app.example.com/app',
    'https://app.example.com?x',
    'https://app.example.com#x',
    'https://app.example.com:443',
    'https://user@app.example.com',
    'https://App.example.com',
    'app.example.com',
    'ftp://app.example.com',
    'https://app.example.com;https://other.example.com',
  ])('refuses %s as an origin, in CORS_ORIGINS and as ISSUER', (text) => {
    expect(faults({ CORS_ORIGINS: `https://other.example.com ${text}` })).toEqual([
      expect.stringMatching(/^CORS_ORIGINS\.1: must be an origin/),
    ]);
    expect(faults({ ISSUER: text })).toEqual([expect.stringMatching(/^ISSUER: must be an origin/)]);
  });

  it.each(['https://app.example.com', 'http://localhost:5173', 'http://127.0.0.1:8080', 'http://[::1]:3000'])(
    'accepts %s as an origin',
    (text) => {
      expect(faults({ CORS_ORIGINS: text, ISSUER: text })).toEqual([]);
    },
  );

  // room: jwt
  it('refuses a secret that repeats a few characters, and counts them in each', () => {
    expect(faults({ ENCRYPTION_SECRETS: 'changeme'.repeat(4) })).toEqual([
      'ENCRYPTION_SECRETS.0: must have at least 8 different characters',
    ]);
    expect(variablesOf(faults({ ENCRYPTION_SECRETS: `${SECRET},${'0123456'.repeat(5)}` }))).toEqual([
      'ENCRYPTION_SECRETS',
    ]);
    expect(faults({ ENCRYPTION_SECRETS: '01234567'.repeat(4) })).toEqual([]);
  });

  // /room

  // room: users
  it('refuses an SMTP_URL without a host', () => {
    expect(variablesOf(faults({ SMTP_URL: 'smtp://' }))).toEqual(['SMTP_URL']);
  });
  // /room

  /** Without a safe default. */
  const { NODE_ENV: _, ...required } = declared(PRODUCTION);
  const REQUIRED = Object.keys(required);

  it('[V13.2.3] names every setting that production requires', () => {
    expect(variablesOf(faults({ NODE_ENV: 'production' }))).toEqual(REQUIRED.toSorted());
  });

  it('names missing and bad settings together', () => {
    expect(variablesOf(faults({ NODE_ENV: 'production', PORT: 'x', SESSION_IDLE_TTL: '8d' }))).toEqual(
      [...REQUIRED, 'PORT'].toSorted(),
    );
  });

  it('[V15.2.3] refuses in production an issuer or an origin with http, and to run without rate limits', () => {
    expect(variablesOf(faults({ ...PRODUCTION, ISSUER: 'http://auth.example.com' }))).toEqual(['ISSUER']);
    const CORS_ORIGINS = 'https://app.example.com,http://localhost:5173';
    expect(variablesOf(faults({ ...PRODUCTION, CORS_ORIGINS }))).toEqual(['CORS_ORIGINS']);
    expect(faults({ ...PRODUCTION, CORS_ORIGINS: 'https://app.example.com' })).toEqual([]);
    expect(variablesOf(faults({ ...PRODUCTION, RATE_LIMITS: 'off' }))).toEqual(['RATE_LIMITS']);
    expect(faults({ RATE_LIMITS: 'off' })).toEqual([]);
  });
});
