import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock, DatabaseClock } from '../clock/clock.js';
import { LOGGER } from '../logging/logger.js';
import { outsideRequests } from '../logging/request-context.js';

/** "hous" in ASCII: the first key of the advisory locks. The second is the hash of the task's name. */
export const LOCK = 0x686f7573;
const INTERVAL_MS = 5 * 60_000;
export const BATCH_SIZE = 1_000;

export interface HousekeepingTask {
  readonly name: string;
  /** The shortest time between two runs. By default, the task runs in every round. */
  readonly everyMs?: number;
  /**
   * Processes at most `limit` rows and returns their number. It is called again while it returns `limit`.
   * @param now the time of the database
   * @param manager its transaction holds the lock of the task
   */
  run(now: Date, limit: number, manager: EntityManager): Promise<number>;
}

/**
 * Deletes expired rows in the background, in small batches, on one node at a time. Expired rows are refused in any case,
 * so that no check depends on when this runs.
 */
@Injectable()
export class HousekeepingService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #tasks = new Map<string, HousekeepingTask>();
  readonly #ranAt = new Map<string, number>();
  readonly #failing = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<Record<string, number>> | undefined;
  #stopped = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly databaseClock: DatabaseClock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws if the name is already registered */
  register(task: HousekeepingTask): void {
    if (this.#tasks.has(task.name)) throw new Error(`the task "${task.name}" is registered twice`);
    this.#tasks.set(task.name, task);
  }

  onApplicationBootstrap(): void {
    this.#schedule();
  }

  /** Waits for the current batch, while the database is still open. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Runs all due tasks. Returns the number of rows of each on this node. Never rejects. */
  run(): Promise<Record<string, number>> {
    this.#running ??= this.#runAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Runs a task now, unless another node is running it. Never rejects. */
  async runNow(name: string): Promise<void> {
    const task = this.#tasks.get(name);
    if (task && !this.#stopped) await outsideRequests(() => this.#runToTheEnd(task));
  }

  /** With a random delay, because nodes can start together. */
  #schedule(): void {
    if (this.#stopped) return;
    const delay = INTERVAL_MS * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.run().then(() => this.#schedule()), delay).unref();
  }

  async #runAll(): Promise<Record<string, number>> {
    const done: Record<string, number> = {};
    for (const task of this.#tasks.values())
      if (this.#isDue(task)) done[task.name] = await this.#runToTheEnd(task);
    this.logger.debug({ done }, 'housekeeping');
    return done;
  }

  #isDue({ name, everyMs = 0 }: HousekeepingTask): boolean {
    if (this.#stopped) return false;
    return this.clock.monotonic() - (this.#ranAt.get(name) ?? -Infinity) >= everyMs;
  }

  async #runToTheEnd(task: HousekeepingTask): Promise<number> {
    let done = 0;
    try {
      let count: number;
      do done += count = await this.#runBatch(task);
      while (count === BATCH_SIZE && !this.#stopped);
      this.#ranAt.set(task.name, this.clock.monotonic());
      this.#failing.delete(task.name);
    } catch (error) {
      // Only the first of consecutive failures is logged.
      if (!this.#failing.has(task.name))
        this.logger.error({ err: error, task: task.name }, 'housekeeping failed and will be retried');
      this.#failing.add(task.name);
    }
    return done;
  }

  /** The lock ends with the transaction, also behind a pooler and if this process dies. */
  #runBatch(task: HousekeepingTask): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const [{ mine }] = await manager.query('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS mine', [
        LOCK,
        task.name,
      ]);
      return mine ? task.run(await this.databaseClock.now(manager), BATCH_SIZE, manager) : 0;
    });
  }
}
