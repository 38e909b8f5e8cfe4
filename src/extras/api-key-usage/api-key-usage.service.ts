import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ApiKey } from '../../modes/api-keys/api-key.entity.js';
import { Clock } from '../../platform/clock/clock.js';
import { ValidationError } from '../../web/http/validation.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import type { Usage, UsageQuery } from './api-key-usage.schemas.js';
import { hourOf } from './usage-counts.js';
import { UsageRecorder } from './usage-recorder.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_DAYS = 7;
/** How long counts are kept. One request can show all of it. */
export const KEPT_DAYS = 90;

/** Reads the usage of keys. */
@Injectable()
export class ApiKeyUsageService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly recorder: UsageRecorder,
    private readonly clock: Clock,
  ) {}

  /**
   * Includes revoked keys, so that an owner can check how a leaked key was used.
   * @throws NotFoundError for a key of another owner
   * @throws ValidationError
   */
  async of(ownerId: string, id: string, query: UsageQuery): Promise<Usage> {
    const { from, to } = this.#range(query);
    if (!(await this.dataSource.manager.existsBy(ApiKey, { id, ownerId }))) throw new NotFoundError();
    // The answer includes the counts of this node. Other nodes write theirs within two seconds.
    await this.recorder.flush();
    const rows: { hour: Date; requests: number; byStatus: Record<string, number> }[] =
      await this.dataSource.query(
        `SELECT hour, sum(requests)::float8 AS requests,
           json_object_agg(status_class || 'xx', requests ORDER BY status_class) AS "byStatus"
         FROM api_key_usage WHERE api_key_id = $1 AND hour >= $2 AND hour < $3 GROUP BY hour ORDER BY hour`,
        [id, new Date(hourOf(from.getTime())), to],
      );
    return { items: rows.map((row) => ({ ...row, hour: row.hour.toISOString() })) };
  }

  #range({ from, to = this.clock.now() }: UsageQuery): { from: Date; to: Date } {
    const start = from ?? new Date(to.getTime() - DEFAULT_DAYS * DAY_MS);
    if (start >= to) throw new ValidationError([{ pointer: '/from', detail: 'must be before to' }]);
    // One hour more than 90 days, for clock differences and the time that the request takes.
    if (to.getTime() - start.getTime() > KEPT_DAYS * DAY_MS + HOUR_MS)
      throw new ValidationError([{ pointer: '/from', detail: `must be within ${KEPT_DAYS} days before to` }]);
    return { from: start, to };
  }
}
