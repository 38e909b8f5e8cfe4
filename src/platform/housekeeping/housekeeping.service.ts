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

/** "hous" in ASCII: the advisory locks of the tasks, together with the hash of the name of each. */
export const LOCK = 0x686f7573;
const INTERVAL_MS = 5 * 60_000;
export const BATCH_SIZE = 1_000;

export interface HousekeepingTask {
  readonly name: string;
  /** It runs no more often than that; each time unless told. */
  readonly everyMs?: number;
  /**
   * One batch: deletes at most `limit` of what has ended at `now`, by the database's clock, with the `manager` of a
   * transaction that no other node has for this task, and says how much that was. It is called again while that is
   * `limit`.
   */
  run(now: Date, limit: number, manager: EntityManager): Promise<number>;
}

/**
 * Does away with what is over, in the background, in small batches, and by one node at a time: never in a request. What
 * is over is refused wherever it is used, so that nothing depends on when this runs.
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

  /** @throws if the name is taken */
  register(task: HousekeepingTask): void {
    if (this.#tasks.has(task.name)) throw new Error(`the task "${task.name}" is registered twice`);
    this.#tasks.set(task.name, task);
  }

  onApplicationBootstrap(): void {
    this.#schedule();
  }

  /** Waits for the batch that is under way, while the database is still open. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Runs every task that is due, to its end. Never rejects. Returns how much each did on this node. */
  run(): Promise<Record<string, number>> {
    this.#running ??= this.#runAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Runs one task now, unless a node is at it. What that leaves, the next round finds. Never rejects. */
  async runNow(name: string): Promise<void> {
    const task = this.#tasks.get(name);
    if (task && !this.#stopped) await this.#runToTheEnd(task);
  }

  /** Not at the same moment on all nodes, which may have started together. */
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
      // Once for a row of failures, not at each.
      if (!this.#failing.has(task.name))
        this.logger.error({ err: error, task: task.name }, 'housekeeping failed; it is tried again');
      this.#failing.add(task.name);
    }
    return done;
  }

  /** The lock ends with the transaction, also where connections are pooled and where this process dies. */
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
