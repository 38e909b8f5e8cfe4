import { afterAll, beforeAll } from '@jest/globals';
import pg from 'pg';
import type { Route, RouteTable } from '../../src/auth/route-table.js';
import { type Config, ConfigError } from '../../src/platform/config/config.js';
import type { HousekeepingService } from '../../src/platform/housekeeping/housekeeping.service.js';
import { createDatabase } from './databases.js';
import type { ServerOptions } from './in-process.js';
import { People, type Remote } from './people.js';
import { SecretKeeper } from './secret-keeper.js';

export { PASSWORD } from './people.js';

/** Of the process that runs the servers: see environment.mjs. */
declare const nextServer: () => number;
declare const callServers: (server: number, method: string, ...options: unknown[]) => Promise<any>;

export interface RemoteOptions extends ServerOptions {
  /** A file with a test's own modules, such as `test/auth/paths.fixture.ts`. It exports a `Fixture` by the name after `#`. */
  fixture?: `${string}.fixture.ts#${string}`;
}

/** The application in a process of its own, with a database of its own and a clock that can be moved. */
export class TestServer extends People {
  readonly secrets = new SecretKeeper();
  /** The clock of the server. It runs, and moves by `await server.clock.advance('11m')`. */
  readonly clock = {
    advance: (duration: string): Promise<void> => this.#call('clock', 'advance', duration),
    set: (ahead: number): Promise<void> => this.#call('clock', 'set', ahead),
    reset: (): Promise<void> => this.#call('clock', 'reset'),
    now: (): Promise<Date> => this.#call('clock', 'now'),
  };
  readonly #database: pg.Pool;

  private constructor(
    readonly url: string,
    readonly config: Config,
    private readonly number: number,
    private readonly release: () => Promise<void>,
  ) {
    super();
    this.#database = new pg.Pool({ connectionString: config.DATABASE_URL!, max: 2, allowExitOnIdle: true });
    this.#database.on('error', () => undefined);
  }

  static async start({ database, ...options }: RemoteOptions = {}): Promise<TestServer> {
    const own = database ? undefined : await createDatabase();
    const number = nextServer();
    try {
      const { url } = (database ?? own)!;
      const started = await callServers(number, 'start', { ...options, database: { url } });
      return new TestServer(started.url, started.config, number, async () => own?.drop());
    } catch (error) {
      await own?.drop();
      throw asConfigError(error) ?? error;
    }
  }

  async query(statement: string, parameters?: unknown[]): Promise<any> {
    return (await this.#database.query(statement, parameters)).rows;
  }

  provider<T>(name: string): Remote<T> {
    return new Proxy({} as Remote<T>, {
      get:
        (_target, method) =>
        (...options: unknown[]) =>
          this.#call('provider', name, method, ...options),
    });
  }

  async routes(): Promise<Route[]> {
    return this.provider<RouteTable>('RouteTable').all() as Promise<Route[]>;
  }

  async runHousekeeping(): Promise<void> {
    await this.provider<HousekeepingService>('HousekeepingService').run();
  }

  /** The lines of the log. */
  log(): Promise<string[]> {
    return this.#call('log');
  }

  protected override lines(): Promise<string[]> {
    return this.log();
  }

  /** The entries of the log, parsed. */
  async entries(): Promise<Record<string, unknown>[]> {
    return (await this.log()).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  #call(method: string, ...options: unknown[]): Promise<any> {
    return callServers(this.number, method, ...options);
  }

  protected async close(): Promise<void> {
    await this.#database.end();
    await this.#call('stop');
    await this.release();
  }
}

/** Starts a server before the tests of a file, or of a `describe`, and stops it after them. */
export function useStarted<T extends { stop(): Promise<void> }>(
  start: () => Promise<T>,
): { readonly server: T } {
  const holder = {} as { server: T };
  beforeAll(async () => {
    holder.server = await start();
  });
  afterAll(() => holder.server?.stop());
  return holder;
}

/** A ConfigError as it was thrown in the other process: its class and its faults cross the channel as text. */
function asConfigError(error: unknown): ConfigError | undefined {
  // Not `instanceof Error`: it was made outside of the sandbox of the test.
  const [first = '', ...lines] = (error as Error).message.split('\n');
  return first.startsWith('ConfigError: ')
    ? new ConfigError(lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim()))
    : undefined;
}

/** A server for the tests of a file. */
export const useServer = (options?: RemoteOptions) => useStarted(() => TestServer.start(options));
