import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { z } from 'zod';

export const Summary = z
  .object({
    orders: z.int().describe('The number of orders'),
    items: z.int().describe('The sum of their quantities'),
    lastOrderAt: z.iso.datetime().nullable().describe('Null if there is no order'),
  })
  .meta({ id: 'ReportSummary', description: 'A summary of orders' });
export type Summary = z.infer<typeof Summary>;

@Injectable()
export class ReportsService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async summary(userId: string): Promise<Summary> {
    const [row]: [{ orders: number; items: number; last: Date | null }] = await this.dataSource.query(
      `SELECT count(*)::int AS orders, coalesce(sum(quantity), 0)::float8 AS items, max(created_at) AS last
       FROM orders WHERE owner_id = $1`,
      [userId],
    );
    return { orders: row.orders, items: row.items, lastOrderAt: row.last?.toISOString() ?? null };
  }
}
