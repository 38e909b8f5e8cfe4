import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { pageQuery, toPage } from '../../web/pagination/page.js';
import { AuditRecorder } from './audit-recorder.js';
import type { AuditQuery } from './audit.schemas.js';

const EXPORT_PAGE = 1_000;

const SHARED = `e.id, e.at, e.type, e.result, e.reason, e.requests, e.details, o.ip, o.user_agent AS "userAgent"`;

/** The address and credential of an administrator are not shown: they belong to who acted. */
const BY_OTHER = 'e.actor_id <> e.subject_id';
const OWN = {
  select: `${SHARED}, e.actor_id = e.subject_id AS "byMe", CASE WHEN ${BY_OTHER} THEN NULL ELSE e.mode END AS mode,
    CASE WHEN ${BY_OTHER} THEN NULL ELSE e.credential_id END AS "credentialId"`,
  joins: 'LEFT JOIN audit_origins o ON o.event_id = e.id AND o.subject_id = e.subject_id',
};
const ALL = {
  select: `${SHARED}, e.mode, e.credential_id AS "credentialId", e.subject_id AS "subjectId", s.account_id AS "accountId", e.actor_id AS "actorId",
    a.account_id AS "actorAccountId"`,
  joins: `LEFT JOIN audit_origins o ON o.event_id = e.id LEFT JOIN audit_subjects s ON s.id = e.subject_id
    LEFT JOIN audit_subjects a ON a.id = e.actor_id`,
};

type Row = { id: string };

/** Reads the events, newest first. A filter by time is a range of ids, so it skips whole partitions. */
@Injectable()
export class AuditEventsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly recorder: AuditRecorder,
  ) {}

  /** The events of one account. @throws NotFoundError if it was deleted meanwhile */
  async pageOf(accountId: string, query: AuditQuery) {
    return this.#page(query, await this.#subjectOf(accountId));
  }

  /** The events of all accounts. */
  pageOfAll(query: AuditQuery) {
    return this.#page(query);
  }

  async #page(query: AuditQuery, subjectId?: string) {
    // The page includes what this node has not written yet. Other nodes write within a second.
    await this.recorder.flush();
    const { limit, after } = pageQuery(query);
    return toPage(await this.#rows(query, limit + 1, after, subjectId), limit, (row) => row);
  }

  /** All events, one JSON line for each. Reads a page at a time, when the client has taken the one before. */
  async *lines(query: AuditQuery): AsyncGenerator<string> {
    await this.recorder.flush();
    let { after } = pageQuery(query);
    let rows: Row[];
    do {
      rows = await this.#rows(query, EXPORT_PAGE, after);
      if (rows.length > 0) yield `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
      after = rows.at(-1)?.id;
    } while (rows.length === EXPORT_PAGE);
  }

  /** A query of its own, so that PostgreSQL plans the page with its statistics of this subject. */
  async #subjectOf(accountId: string): Promise<string> {
    const [subject]: { id: string }[] = await this.dataSource.query(
      'SELECT id FROM audit_subjects WHERE account_id = $1',
      [accountId],
    );
    if (!subject) throw new NotFoundError();
    return subject.id;
  }

  #rows({ type, from, to }: AuditQuery, limit: number, after?: string, subjectId?: string): Promise<Row[]> {
    const parameters: unknown[] = [];
    const filters: [condition: string, value: string | undefined][] = [
      ['subject_id = ?', subjectId],
      ['id < ?', after],
      ['type = ?', type],
      ['id >= ?', from && firstIdAt(from)],
      ['id < ?', to && firstIdAt(to)],
    ];
    const conditions = filters
      .filter(([, value]) => value !== undefined)
      .map(([condition, value]) => condition.replace('?', `$${parameters.push(value)}`));
    const { select, joins } = subjectId === undefined ? ALL : OWN;
    // Joined after the limit, so that a page reads no other origins.
    return this.dataSource.query(
      `SELECT ${select} FROM (
         SELECT * FROM audit_events WHERE ${['true', ...conditions].join(' AND ')} ORDER BY id DESC LIMIT ${limit}) e
       ${joins} ORDER BY e.id DESC`,
      parameters,
    );
  }
}

/** The lowest UUIDv7 of a time. */
function firstIdAt(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
