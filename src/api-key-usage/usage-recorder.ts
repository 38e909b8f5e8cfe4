import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { ApiKeyRequests } from '../api-keys/api-key.requests.js';
import { Clock } from '../clock/clock.js';
import { LOGGER } from '../logging/logger.js';
import { type UsageBatch, UsageBatches } from './usage-batches.js';
import { UsageCounts } from './usage-counts.js';

const INTERVAL_MS = 2_000;

/**
 * Counts the requests of keys when they end, and writes the counts every two seconds. A batch stays as it is until it is
 * known to be written, so that it can be sent again: what an answer that was lost has counted is not counted twice. What
 * a crash loses is what was counted since the last batch.
 */
@Injectable()
export class UsageRecorder implements OnModuleInit, OnApplicationShutdown {
  readonly #writer = uuidv7();
  #sequence = 0;
  #counts = new UsageCounts();
  #unwritten: UsageBatch | undefined;
  #queue = Promise.resolve();
  #failing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly requests: ApiKeyRequests,
    private readonly batches: UsageBatches,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.requests.whenAnswered(({ keyId, status }) =>
      this.#counts.add(keyId, this.clock.now().getTime(), status),
    );
    this.#timer = setInterval(() => void this.flush(), INTERVAL_MS).unref();
  }

  /** After the last answer, and before the last hook, in which TypeORM closes the pool. */
  onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    return this.flush();
  }

  /** Writes what is counted so far. One batch after the other. Never rejects. */
  flush(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#writeAll());
    return this.#queue;
  }

  async #writeAll(): Promise<void> {
    try {
      while ((this.#unwritten ??= this.#nextBatch())) {
        await this.batches.write(this.#unwritten);
        this.#unwritten = undefined;
      }
      this.#failing = false;
    } catch (err) {
      // Once for a row of failures, not at each.
      if (!this.#failing) this.logger.warn({ err }, 'the usage of API keys waits to be written');
      this.#failing = true;
    }
  }

  #nextBatch(): UsageBatch | undefined {
    if (this.#counts.isEmpty) return undefined;
    const rows = [...this.#counts.rows()];
    this.#counts = new UsageCounts();
    return { writer: this.#writer, sequence: ++this.#sequence, writtenAt: this.clock.now(), rows };
  }
}
