import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { ImportedUser } from './user-rows.js';

/** Rows of one statement. */
const BATCH = 1000;

/** A taken address stays as it is, also if another import or a registration has just taken it. */
const INSERT = `
  WITH created AS (
    INSERT INTO users (id, email, name, password_hash, roles, status, email_verified_at, created_at, unused_since)
    SELECT i.id, i.email, i.name, i.hash, '{}', 'active', CASE WHEN i.verified THEN $6::timestamptz END, $6, NULL
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[]) AS i (id, email, name, hash, verified)
    ORDER BY i.email
    ON CONFLICT (email) DO NOTHING RETURNING id)
  INSERT INTO subjects (id, kind) SELECT id, 'user' FROM created RETURNING id`;

/** Creates the users of another application. */
@Injectable()
export class ImportedUsers {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /** Creates all users in one transaction, and returns their number. An address with an account is skipped. */
  async create(users: readonly ImportedUser[]): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      let created = 0;
      for (let start = 0; start < users.length; start += BATCH)
        created += await this.#insert(manager, users.slice(start, start + BATCH));
      if (created > 0) await this.log.record(manager, 'users.imported', { users: created });
      return created;
    });
  }

  async #insert(manager: EntityManager, users: readonly ImportedUser[]): Promise<number> {
    const rows: unknown[] = await manager.query(INSERT, [
      users.map(() => uuidv7()),
      users.map(({ email }) => email),
      users.map(({ name }) => name ?? null),
      users.map(({ passwordHash }) => passwordHash),
      users.map(({ emailVerified }) => emailVerified),
      this.clock.now(),
    ]);
    return rows.length;
  }
}
