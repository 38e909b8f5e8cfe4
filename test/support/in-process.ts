import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { APP_OPTIONS, configureApp, createAdapter } from '../../src/app.js';
import { AppModule } from '../../src/app.module.js';
import { Clock, DatabaseClock } from '../../src/platform/clock/clock.js';
import { type Config, readConfig } from '../../src/platform/config/config.js';
// room: users
import { PasswordHasher } from '../../src/platform/crypto/password-hasher.js';
// /room
import { createLogger, LOGGER, NestLogger } from '../../src/platform/logging/logger.js';
import { createDatabase, type TestDatabase } from './databases.js';
import { MovingClock, MovingDatabaseClock } from './moving-clock.js';
import { People, type Remote } from './people.js';
import { PRODUCTION } from './production.js';
import { ProbeModule } from './probe/probe.module.js';
import { SecretKeeper } from './secret-keeper.js';

// room: users
/** argon2id all the same, at a fiftieth of the cost: half the time of all the tests was spent on it. */
const CHEAP = { memoryCost: 512, timeCost: 1, parallelism: 1 };
// /room

/** For production, which starts with a mail server only. */
const OUTBOX = 'smtp://outbox.test';

export interface ServerOptions {
  /** Environment variables. */
  env?: Record<string, string>;
  /** Another database than one of its own, which the caller drops. */
  database?: Pick<TestDatabase, 'url'>;
}

/** What a test adds to the application. A server in another process gets it from a file `*.fixture.ts`. */
export interface Fixture {
  /** Modules besides the application's: a test's own controllers. */
  modules?: (Type | DynamicModule)[];
  /** Providers in place of the application's, each by its class. */
  overrides?: object[];
  /** What a project does to its application before it listens. */
  configure?: (app: NestFastifyApplication) => void;
}

export interface InProcessOptions extends ServerOptions, Fixture {}

/**
 * The application in the test's own process, with its providers in reach and a test's own modules. Most tests need
 * neither, and start faster with `useServer()`.
 */
export class InProcessServer extends People {
  readonly secrets = new SecretKeeper();

  private constructor(
    readonly app: NestFastifyApplication,
    readonly config: Config,
    readonly url: string,
    readonly clock: MovingClock,
    readonly log: string[],
    private readonly release: () => Promise<void>,
  ) {
    super();
  }

  static async start({
    env = {},
    modules = [],
    overrides = [],
    configure,
    database,
  }: InProcessOptions = {}): Promise<InProcessServer> {
    const own = database ? undefined : await createDatabase();
    const directory = await mkdtemp(join(tmpdir(), 'auth-modes-data-'));
    const release = async () => {
      await own?.drop();
      await rm(directory, { recursive: true, force: true });
    };
    try {
      const config = readConfig({
        NODE_ENV: 'test',
        ENCRYPTION_SECRETS: PRODUCTION['ENCRYPTION_SECRETS'],
        ISSUER: 'http://auth.example.com',
        ...(env['NODE_ENV'] === 'production' && { ...PRODUCTION, SMTP_URL: OUTBOX }),
        DATABASE_URL: (database ?? own)!.url,
        DATA_DIRECTORY: directory,
        LOG_LEVEL: 'debug',
        ...env,
      });
      // room: users
      // The mails of production go to the outbox.
      if (config.SMTP_URL === OUTBOX) Object.assign(config, { SMTP_URL: undefined });
      // /room
      const clock = new MovingClock();
      const log: string[] = [];
      const sink = new Writable({ write: (chunk, _encoding, done) => (log.push(String(chunk)), done()) });
      const logger = createLogger(config, sink);
      const builder = Test.createTestingModule({
        imports: [AppModule.with(config, [ProbeModule, ...modules])],
      })
        .overrideProvider(Clock)
        .useValue(clock)
        .overrideProvider(DatabaseClock)
        .useValue(new MovingDatabaseClock(clock))
        .overrideProvider(LOGGER)
        .useValue(logger);
      // room: users
      builder.overrideProvider(PasswordHasher).useValue(new PasswordHasher(CHEAP));
      // /room
      for (const value of overrides) builder.overrideProvider(value.constructor).useValue(value);
      const testing = await builder.compile();
      const app = testing.createNestApplication<NestFastifyApplication>(createAdapter(config), {
        ...APP_OPTIONS,
        logger: new NestLogger(logger),
      });
      await configureApp(app, config);
      configure?.(app);
      await app.listen(0, '127.0.0.1').catch(async (error: unknown) => {
        await app.close();
        throw error;
      });
      return new InProcessServer(app, config, await app.getUrl(), clock, log, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  protected override lines(): string[] {
    return this.log;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.release();
  }

  get dataSource(): DataSource {
    return this.app.get(DataSource);
  }

  query(statement: string, parameters?: unknown[]): Promise<any> {
    return this.dataSource.query(statement, parameters);
  }

  provider<T>(name: string): Remote<T> {
    for (const module of this.app.get(ModulesContainer).values())
      for (const { name: token, instance } of module.providers.values())
        if (token === name) return instance as Remote<T>;
    throw new Error(`no provider is called ${name}`);
  }

  /** The entries of the log, parsed. */
  entries(): Record<string, unknown>[] {
    return this.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}
