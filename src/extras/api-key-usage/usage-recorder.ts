import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { ApiKeyAdmission } from '../../modes/api-keys/api-key.admission.js';
import { Clock } from '../../platform/clock/clock.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { PeriodicWrite, UNWRITTEN } from '../../platform/lookup/periodic-write.js';
import { type UsageBatch, UsageBatches } from './usage-batches.js';
import { UsageCounts } from './usage-counts.js';

const INTERVAL_MS = 2_000;

/**
 * Counts the answered requests of keys and writes the counts every two seconds. A batch does not change until it is
 * written, so that a retry cannot count twice. A crash loses the counts since the last batch.
 */
@Injectable()
export class UsageRecorder implements OnModuleInit, OnApplicationShutdown {
  readonly #writer = uuidv7();
  #sequence = 0;
  #counts = new UsageCounts();
  #unwritten: UsageBatch | undefined;
  readonly #periodic: PeriodicWrite;

  constructor(
    private readonly keys: ApiKeyAdmission,
    private readonly batches: UsageBatches,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
    instruments: Instruments,
  ) {
    this.#periodic = new PeriodicWrite(
      INTERVAL_MS,
      () => this.#writeAll(),
      (err) => logger.warn({ err }, 'could not write the usage of API keys, will try again'),
    );
    instruments.add(UNWRITTEN, () => this.#counts.size, { queue: 'api-key-usage' });
  }

  onModuleInit(): void {
    this.keys.whenAnswered(({ keyId, status }) =>
      this.#counts.add(keyId, this.clock.now().getTime(), status),
    );
  }

  /** Writes all counts now. Never rejects. */
  flush(): Promise<void> {
    return this.#periodic.flush();
  }

  /** Runs after the last answer, and before the hook in which TypeORM closes the pool. */
  onApplicationShutdown(): Promise<void> {
    return this.#periodic.stop();
  }

  async #writeAll(): Promise<void> {
    // A batch that failed before, then what was counted until now. What is counted meanwhile waits for the next interval.
    if (this.#unwritten) await this.#write(this.#unwritten);
    const batch = this.#nextBatch();
    if (batch) await this.#write(batch);
  }

  async #write(batch: UsageBatch): Promise<void> {
    this.#unwritten = batch;
    await this.batches.write(batch);
    this.#unwritten = undefined;
  }

  #nextBatch(): UsageBatch | undefined {
    if (this.#counts.isEmpty) return undefined;
    const rows = [...this.#counts.rows()];
    this.#counts = new UsageCounts();
    return { writer: this.#writer, sequence: ++this.#sequence, writtenAt: this.clock.now(), rows };
  }
}
