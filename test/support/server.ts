import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll } from '@jest/globals';
import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { APP_OPTIONS, configureApp, createAdapter } from '../../src/app.js';
import { AppModule } from '../../src/app.module.js';
import { Clock, DatabaseClock } from '../../src/platform/clock/clock.js';
import { type Config, readConfig } from '../../src/platform/config/config.js';
import { PasswordHasher } from '../../src/platform/crypto/password-hasher.js';
import { createLogger, LOGGER, NestLogger } from '../../src/platform/logging/logger.js';
import { MailQueue } from '../../src/platform/mail/mail-queue.js';
import { normalisePassword } from '../../src/accounts/users/password-policy.js';
import { UsersService } from '../../src/accounts/users/users.service.js';
import { Client } from './client.js';
import { createDatabase, type TestDatabase } from './databases.js';
import { MovingClock, MovingDatabaseClock } from './moving-clock.js';
import { Person } from './person.js';
import { SecretKeeper } from './secret-keeper.js';

/** argon2id all the same, at a fiftieth of the cost: half the time of all the tests was spent on it. */
const CHEAP = { memoryCost: 512, timeCost: 1, parallelism: 1 };

/** For production, which starts with a mail server only. */
const OUTBOX = 'smtp://outbox.test';

export const PASSWORD = 'correct horse battery staple';

export interface ServerOptions {
  /** Environment variables. */
  env?: Record<string, string>;
  /** Modules besides the application's: a test's own controllers. */
  modules?: (Type | DynamicModule)[];
  /** Providers in place of the application's, each by its class. */
  overrides?: object[];
  /** What a project does to its application before it listens. */
  configure?: (app: NestFastifyApplication) => void;
  /** Another database than one of its own, which the caller drops. */
  database?: TestDatabase;
}

/** The application on a port of its own, with a database of its own and a clock that can be moved. */
export class TestServer {
  readonly clock = new MovingClock();
  readonly secrets = new SecretKeeper();
  readonly log: string[] = [];
  #people = 0;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly config: Config,
    readonly url: string,
    private readonly ownDatabase: TestDatabase | undefined,
    state: Pick<TestServer, 'clock' | 'log'>,
  ) {
    this.clock = state.clock;
    this.log = state.log;
  }

  static async start({
    env = {},
    modules = [],
    overrides = [],
    configure,
    database,
  }: ServerOptions = {}): Promise<TestServer> {
    const own = database ? undefined : await createDatabase();
    const directory = await mkdtemp(join(tmpdir(), 'auth-modes-data-'));
    try {
      const read = readConfig({
        NODE_ENV: 'test',
        DATABASE_URL: (database ?? own)!.url,
        ENCRYPTION_SECRETS: 'a-secret-for-tests-of-32-characters-and-more',
        DATA_DIRECTORY: directory,
        ISSUER: 'http://auth.example.com',
        LOG_LEVEL: 'debug',
        ...(env['NODE_ENV'] === 'production' && { SMTP_URL: OUTBOX }),
        ...env,
      });
      const config = { ...read, SMTP_URL: read.SMTP_URL === OUTBOX ? undefined : read.SMTP_URL };
      const clock = new MovingClock();
      const log: string[] = [];
      const sink = new Writable({ write: (chunk, _encoding, done) => (log.push(String(chunk)), done()) });
      const logger = createLogger(config, sink);
      const builder = Test.createTestingModule({ imports: [AppModule.with(config, modules)] })
        .overrideProvider(Clock)
        .useValue(clock)
        .overrideProvider(DatabaseClock)
        .useValue(new MovingDatabaseClock(clock))
        .overrideProvider(PasswordHasher)
        .useValue(new PasswordHasher(CHEAP))
        .overrideProvider(LOGGER)
        .useValue(logger);
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
      return new TestServer(app, config, await app.getUrl(), own, { clock, log });
    } catch (error) {
      await own?.drop();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Stops, and fails if any secret of the test stands in the log or in a table. */
  async stop(): Promise<void> {
    const leaked = [
      ...this.secrets.foundIn(this.log.join('')).map((secret) => `the log: ${secret}`),
      ...(await this.secrets.foundInTables(this.dataSource).catch(() => [])),
    ];
    await this.app.close();
    await this.ownDatabase?.drop();
    await rm(this.config.DATA_DIRECTORY, { recursive: true, force: true });
    if (leaked.length > 0) throw new Error(`secrets leaked into ${leaked.join(', ')}`);
  }

  get dataSource(): DataSource {
    return this.app.get(DataSource);
  }

  /** Calls without a credential. */
  get anonymous(): Client {
    return new Client(this.url, this.secrets);
  }

  /** A person who has confirmed the address and knows the password. */
  async person({
    email = `person-${++this.#people}@example.com`,
    password = PASSWORD,
  } = {}): Promise<Person> {
    this.secrets.keep(password);
    const passwordHash = await this.app.get(PasswordHasher).hash(normalisePassword(password));
    const fields = { email, name: null, passwordHash, emailVerifiedAt: this.clock.now() };
    await this.app.get(UsersService).insert(fields);
    return this.#known(email, password);
  }

  /** A person with the role `admin`. */
  async administrator(email = `admin-${++this.#people}@example.com`): Promise<Person> {
    await this.app.get(UsersService).insertAdministrator(email, PASSWORD);
    return this.#known(email, PASSWORD);
  }

  /** The mails in the outbox, oldest first, each as the text of its file; those in the queue among them. */
  async mails(): Promise<string[]> {
    await this.app.get(MailQueue, { strict: false }).deliver();
    const outbox = join(this.config.DATA_DIRECTORY, 'outbox');
    const files = await readdir(outbox).catch(() => []);
    return Promise.all(
      files.toSorted((a, b) => a.localeCompare(b)).map((file) => readFile(join(outbox, file), 'utf8')),
    );
  }

  /** The token in the link of the last mail to an address. */
  async mailedToken(email: string): Promise<string> {
    const mail = (await this.mails()).findLast((text) => text.includes(`To: ${email}`));
    const token = /#([A-Za-z0-9_-]+)/.exec(mail ?? '')?.[1];
    if (!token) throw new Error(`no mail with a link to ${email}`);
    this.secrets.keep(token);
    return token;
  }

  /** The entries of the log, parsed. */
  entries(): Record<string, unknown>[] {
    return this.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async #known(email: string, password: string): Promise<Person> {
    const [user] = await this.dataSource.query('SELECT id FROM users WHERE email = $1', [email]);
    return new Person(this.url, this.secrets, user.id, email, password);
  }
}

/** A server for the tests of a file. */
export function useServer(options?: ServerOptions): { readonly server: TestServer } {
  const holder = {} as { server: TestServer };
  beforeAll(async () => {
    holder.server = await TestServer.start(options);
  });
  afterAll(() => holder.server?.stop());
  return holder;
}
