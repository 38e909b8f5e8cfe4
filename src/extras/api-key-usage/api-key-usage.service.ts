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
/** For so long counts are kept, and so much is shown at once. */
export const KEPT_DAYS = 90;

/** How much the keys of an owner were used. */
@Injectable()
export class ApiKeyUsageService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly recorder: UsageRecorder,
    private readonly clock: Clock,
  ) {}

  /**
   * Of revoked keys too: how a key was used before it was taken back is what is asked then.
   * @throws NotFoundError for a key of another owner
   * @throws ValidationError
   */
  async of(ownerId: string, id: string, query: UsageQuery): Promise<Usage> {
    const { from, to } = this.#range(query);
    if (!(await this.dataSource.manager.existsBy(ApiKey, { id, ownerId }))) throw new NotFoundError();
    // Who asks this node sees what it has counted; others write theirs within two seconds.
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
    // Of the hour before too: "90 days ago" is said by a clock that is not ours, and some time ago.
    if (to.getTime() - start.getTime() > KEPT_DAYS * DAY_MS + HOUR_MS)
      throw new ValidationError([{ pointer: '/from', detail: `must be within ${KEPT_DAYS} days before to` }]);
    return { from: start, to };
  }
}
