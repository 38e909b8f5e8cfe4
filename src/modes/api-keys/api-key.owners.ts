import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { SubjectKind } from '../../accounts/subjects/subject.entity.js';
import { InsufficientScopeError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import type { Principal } from '../../auth/principal.js';
import type { Scope } from '../../auth/scopes.js';
import { type EventFacts, SecurityLog } from '../../platform/logging/security-log.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';

/** The owner of a key, as the lookup of the key reads it. A room can add fields by declaration merging. */
export interface KeyOwner {
  /** A key works only while its owner is `active`. */
  readonly status: string;
}

/** The owner of the keys that are changed, and the person who changes them. Rooms with routes for keys create it. */
export interface KeyHolder {
  readonly ownerId: string;
  /** Undefined for a command. */
  readonly by?: Principal;
  /** For the log: the owner, and the acting person if it is another one. */
  readonly facts: EventFacts;
  /**
   * Locks the owner, so that limits hold in a race, and the acting person. The transaction that changes keys must call
   * it first.
   * @throws InvalidCredentialError if the sign-in of the acting person has ended
   * @throws InsufficientScopeError if the acting person has lost the right
   * @throws NotFoundError if the owner does not exist
   */
  hold(manager: EntityManager): Promise<void>;
}

/** A kind of subject that can have keys. */
export interface KeyOwnerKind {
  readonly kind: SubjectKind;
  /** The table must have the columns `id` and `status`. */
  readonly table: string;
  /** The columns for the further fields of KeyOwner. */
  readonly columns?: readonly string[];
  /** The command line option for the owner. */
  readonly option: { readonly name: string; readonly example: string; readonly meaning: string };
  /** Finds the owner that the option names. Returns undefined if there is no active one. */
  find(manager: EntityManager, named: string): Promise<KeyHolder | undefined>;
}

const kinds = new Map<SubjectKind, KeyOwnerKind>();

/** Defines a kind of owner. Keys of a kind that no room defines are refused. */
export function defineKeyOwner(owner: KeyOwnerKind): KeyOwnerKind {
  kinds.set(owner.kind, owner);
  return owner;
}

/** All kinds, sorted by their options, because the loading order of rooms is not stable. */
export const keyOwners = (): readonly KeyOwnerKind[] =>
  [...kinds.values()].toSorted((a, b) => (a.option.name < b.option.name ? -1 : 1));

/** The SQL expression for the KeyOwner of `api_keys k`. */
export function ownerInSql(): string {
  const found = keyOwners().map(({ table, columns = [] }) => {
    const fields = ['status', ...columns].map((column) => `'${column}', o.${column}`);
    return `(SELECT json_build_object(${fields.join(', ')}) FROM ${table} o WHERE o.id = k.owner_id)`;
  });
  return `coalesce(${['NULL::json', ...found].join(', ')})`;
}

/** The owner of a key, for the log. */
export const ownerFacts = (kind: SubjectKind, id: string): EventFacts =>
  kind === 'user' ? { userId: id } : { serviceAccountId: id };

/** New keys per owner and hour, created or rotated. An owner with the most keys can still rotate all of them twice. */
const NEW_KEYS = { requests: 300, windowSeconds: 3_600 };

/** The limits for creating and rotating keys. They do not apply to commands. */
@Injectable()
export class NewKeys {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly log: SecurityLog,
    private readonly limiter: RateLimiter,
  ) {}

  /** Counts a new key of an owner. @throws RateLimitedError */
  async count({ ownerId, by }: KeyHolder): Promise<void> {
    if (by) await this.limiter.consume('api-key-creation', ownerId, NEW_KEYS);
  }

  /** A key never gets a scope that the acting person lacks. @throws InsufficientScopeError */
  refuseWider({ by }: KeyHolder, scopes: readonly Scope[]): void {
    const missing = by?.missing(scopes) ?? [];
    if (!by || missing.length === 0) return;
    this.log.refused('api-key.creation-refused', { ...by.facts, reason: `missing ${missing.join(' ')}` });
    throw new InsufficientScopeError(missing, this.modes.challengeOf(by.mode));
  }
}
