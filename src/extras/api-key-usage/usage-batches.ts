import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { UsageCount } from './usage-counts.js';

export interface UsageBatch {
  /** The process that counted. */
  readonly writer: string;
  /** Rises with each batch of the process. */
  readonly sequence: number;
  readonly writtenAt: Date;
  readonly rows: readonly UsageCount[];
}

// In the order of the primary key, so that two nodes cannot deadlock. Counts of deleted keys are dropped.
const WRITE = `
  WITH writer AS (
    INSERT INTO usage_writers AS w (id, sequence, written_at) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, written_at = excluded.written_at
      WHERE w.sequence < excluded.sequence
    RETURNING id)
  INSERT INTO api_key_usage AS u (api_key_id, hour, status_class, requests, refusals)
  SELECT k.id, c.hour, c.status_class, c.requests, c.refusals
  FROM unnest($4::uuid[], $5::timestamptz[], $6::smallint[], $7::bigint[], $8::bigint[])
      AS c (id, hour, status_class, requests, refusals)
    JOIN api_keys k ON k.id = c.id CROSS JOIN writer
  ORDER BY k.id, c.hour, c.status_class
  ON CONFLICT (api_key_id, hour, status_class) DO UPDATE
    SET requests = u.requests + excluded.requests, refusals = u.refusals + excluded.refusals`;

@Injectable()
export class UsageBatches {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Adds a batch to the stored counts. A repeated call with the same batch changes nothing. */
  async write({ writer, sequence, writtenAt, rows }: UsageBatch): Promise<void> {
    await this.dataSource.query(WRITE, [
      writer,
      sequence,
      writtenAt,
      rows.map(({ apiKeyId }) => apiKeyId),
      rows.map(({ hour }) => hour),
      rows.map(({ statusClass }) => statusClass),
      rows.map(({ requests }) => requests),
      rows.map(({ refusals }) => refusals),
    ]);
  }
}
