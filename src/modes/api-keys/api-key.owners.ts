import type { EntityManager } from 'typeorm';
import type { SubjectKind } from '../../accounts/subjects/subject.entity.js';
import type { Principal } from '../../auth/principal.js';
import type { EventFacts } from '../../platform/logging/security-log.js';

/** The owner of a key, as the look-up of the key reads it. A room that needs more adds it by declaration merging. */
export interface KeyOwner {
  /** A key works while this is `active`. */
  readonly status: string;
}

/** Whose keys are created or changed, and who does it. Each room that lets somebody do so makes one. */
export interface KeyHolder {
  readonly ownerId: string;
  /** Undefined for a command. */
  readonly by?: Principal;
  /** For the log: whose keys they are, and who acts if that is another. */
  readonly facts: EventFacts;
  /**
   * Locks the owner, so that what is counted next is still true when the key is there, and whoever acts. In the
   * transaction that changes the keys, before anything else.
   * @throws InvalidCredentialError if the sign-in of the person who acts has ended
   * @throws InsufficientScopeError if that person may not any more
   * @throws NotFoundError if there is no such owner
   */
  hold(manager: EntityManager): Promise<void>;
}

/** A kind of subject that has keys. */
export interface KeyOwnerKind {
  readonly kind: SubjectKind;
  /** Has the columns `id` and `status`. */
  readonly table: string;
  /** Of the table: what a KeyOwner has besides its status. */
  readonly columns?: readonly string[];
  /** How the command line names an owner. */
  readonly option: { readonly name: string; readonly example: string; readonly meaning: string };
  /** The owner that the option names, if it is active. */
  find(manager: EntityManager, named: string): Promise<KeyHolder | undefined>;
}

const kinds = new Map<SubjectKind, KeyOwnerKind>();

/** Lets subjects of a kind have keys. Keys of a kind that no room defines are refused. */
export function defineKeyOwner(owner: KeyOwnerKind): KeyOwnerKind {
  kinds.set(owner.kind, owner);
  return owner;
}

/** By their options: the order in which rooms are loaded changes with any import. */
export const keyOwners = (): readonly KeyOwnerKind[] =>
  [...kinds.values()].toSorted((a, b) => (a.option.name < b.option.name ? -1 : 1));

/** In SQL: the KeyOwner of `api_keys k`. */
export function ownerInSql(): string {
  const found = keyOwners().map(({ table, columns = [] }) => {
    const fields = ['status', ...columns].map((column) => `'${column}', o.${column}`);
    return `(SELECT json_build_object(${fields.join(', ')}) FROM ${table} o WHERE o.id = k.owner_id)`;
  });
  return `coalesce(${['NULL::json', ...found].join(', ')})`;
}

/** Whose key it is, for the log. */
export const ownerFacts = (kind: SubjectKind, id: string): EventFacts =>
  kind === 'user' ? { userId: id } : { serviceAccountId: id };
