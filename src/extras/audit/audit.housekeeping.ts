import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';
import { AuditSealer, SEAL_INTERVAL_MS } from './audit-sealer.js';

const DAY_MS = 86_400_000;
const MONTHS_AHEAD = 2;
const SEALING = 'audit-seals';
/** A transaction that takes long must not make all later events wait behind a change of partitions. */
const LOCK_TIMEOUT = `SET LOCAL lock_timeout = '2s'`;

/** Seals events, adds partitions, and drops those that are older than AUDIT_RETENTION. Each runs on one node at a time. */
@Injectable()
export class AuditHousekeeping implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly housekeeping: HousekeepingService,
    private readonly sealer: AuditSealer,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.housekeeping.register({
      name: SEALING,
      // After a full seal, it runs again at once.
      run: async (_now, limit, manager) => ((await this.sealer.sealNew(manager)) ? limit : 0),
    });
    this.housekeeping.register({
      name: 'audit-partitions',
      run: addPartitions,
    });
    this.housekeeping.register({
      name: 'audit-retention',
      everyMs: DAY_MS,
      run: (now, _limit, manager) =>
        this.#retire(manager, new Date(now.getTime() - this.config.AUDIT_RETENTION)),
    });
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.housekeeping.runNow(SEALING), SEAL_INTERVAL_MS).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Drops the partitions before the month of `until`, if all their events are sealed, and seals the fact. */
  async #retire(manager: EntityManager, until: Date): Promise<number> {
    await manager.query(LOCK_TIMEOUT);
    const month = new Date(Date.UTC(until.getUTCFullYear(), until.getUTCMonth()));
    const [{ bound, due, unsealed }]: [{ bound: string; due: boolean; unsealed: boolean }] =
      await manager.query(
        `SELECT bound, EXISTS (SELECT FROM audit_events WHERE id < bound) AS due,
           EXISTS (SELECT FROM audit_unsealed WHERE event_id < bound) AS unsealed
         FROM audit_bound($1) AS bound`,
        [month],
      );
    if (!due || unsealed) return 0;
    const [{ dropped }] = await this.sealer.sealRetirement(
      manager,
      bound,
      (): Promise<[{ dropped: number }]> =>
        manager.query('SELECT audit_drop_partitions($1) AS dropped', [bound]),
    );
    return dropped;
  }
}

/** Two months ahead, so that a server that was stopped for weeks has a partition at its start. */
async function addPartitions(now: Date, _limit: number, manager: EntityManager): Promise<number> {
  await manager.query(LOCK_TIMEOUT);
  await manager.query(
    `SELECT audit_add_partition($1::timestamptz + make_interval(months => n)) FROM generate_series(0, $2::int) AS n`,
    [now, MONTHS_AHEAD],
  );
  return 0;
}
