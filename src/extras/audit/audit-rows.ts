import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { requestContext } from '../../platform/logging/request-context.js';
import type { EventFacts, SecurityEvent } from '../../platform/logging/security-log.js';

export interface AuditRow {
  readonly id: string;
  readonly at: Date;
  readonly type: string;
  readonly result: SecurityEvent['result'];
  readonly reason: string | undefined;
  /** The account that the event is about: a user or a service account. */
  readonly account: string | undefined;
  /** The account that acted. */
  readonly actor: string | undefined;
  readonly mode: string | undefined;
  readonly credentialId: string | undefined;
  /** More than 1 in a row that counts refusals. */
  readonly requests: number;
  readonly details: EventFacts;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

const USER_AGENT_LENGTH = 512;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Facts that can identify a person. Rows are never deleted for a person, so these stay in the log only. */
const PERSONAL = new Set(['about', 'email', 'ip', 'userAgent']);

/** The actor is the principal of the request, if the event does not name another one. */
export function rowOf({ type, result, facts }: SecurityEvent, at: Date): AuditRow {
  const { userId, serviceAccountId, by, mode, credentialId, reason, ...others } = facts;
  const context = requestContext();
  const caller = (context?.facts ?? {}) as EventFacts;
  const actor = [by, caller.userId, caller['serviceAccountId']].find(isId);
  return {
    // Of the same time, so that the order of ids is the order of events.
    id: uuidv7({ msecs: at.getTime() }),
    at,
    type,
    result,
    reason,
    account: [userId, serviceAccountId, actor].find(isId),
    actor,
    mode: mode ?? caller.mode,
    credentialId: credentialId ?? caller.credentialId,
    requests: 1,
    details: Object.fromEntries(Object.entries(others).filter(([name]) => !PERSONAL.has(name))),
    ip: context?.ip,
    userAgent: context?.userAgent?.slice(0, USER_AGENT_LENGTH),
  };
}

/** A command or schedule acts without an account. */
const isId = (fact: EventFacts[string]): fact is string => typeof fact === 'string' && ID.test(fact);

// The origin belongs to who acted. A repeated call with the same rows changes nothing.
const INSERT = `
  WITH named AS (
    SELECT e.*, s.id AS subject_id, a.id AS actor_id
    FROM jsonb_to_recordset($1::jsonb) AS e (id uuid, at timestamptz, type text, result text, reason text, account uuid,
        actor uuid, mode text, "credentialId" text, requests integer, details jsonb, ip text, "userAgent" text)
      LEFT JOIN audit_subjects s ON s.account_id = e.account
      LEFT JOIN audit_subjects a ON a.account_id = e.actor),
  kept AS (
    INSERT INTO audit_events (id, at, type, result, reason, subject_id, actor_id, mode, credential_id, requests, details)
    SELECT id, at, type, result, reason, subject_id, actor_id, mode, "credentialId", requests, details FROM named
    ON CONFLICT (id) DO NOTHING)
  INSERT INTO audit_origins (event_id, subject_id, ip, user_agent)
  SELECT id, coalesce(actor_id, subject_id), ip, "userAgent" FROM named WHERE ip IS NOT NULL
  ON CONFLICT (event_id) DO NOTHING`;

export async function insertRows(manager: EntityManager, rows: readonly AuditRow[]): Promise<void> {
  await manager.query(INSERT, [JSON.stringify(rows, storable)]);
}

/** PostgreSQL refuses NUL and unpaired surrogates in text. */
const storable = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
