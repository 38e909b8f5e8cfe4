import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** The kinds of revocations. Each room adds its own by declaration merging. */
export interface RevocationKinds {
  /** All credentials of an account: of a user or a service account. */
  user: true;
  /** All credentials: nodes read everything again. */
  everything: true;
}

export type RevocationKind = keyof RevocationKinds;

/** Kinds that nodes keep in memory. */
const remembered = new Set<string>(['user']);

/**
 * Declares kinds that nodes keep in memory. The table stores them, for nodes that start or reconnect. Other kinds are only
 * announced, and nodes then read the row of the credential again.
 */
export function rememberRevocations(...kinds: RevocationKind[]): void {
  for (const kind of kinds) remembered.add(kind);
}

export const isRemembered = (kind: string): boolean => remembered.has(kind);

export const rememberedKinds = (): string[] => [...remembered];

/** A revocation, written in the transaction that revokes. It is kept while a revoked token could still be valid. */
@Entity('revocations')
@Index('revocations_expires_at_idx', ['expiresAt'])
@Index('revocations_subject_idx', ['subject'])
@Index('revocations_account_idx', ['account'], { where: 'account IS NOT NULL AND NOT merged' })
@Check('revocations_kind_form', `kind ~ '^[a-z][a-z-]*$'`)
export class RevocationRow {
  // Not a position in the feed: ids are assigned before the commit, so a smaller id can appear later.
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'revocations_pkey',
  })
  id: string;

  @Column('text')
  kind: RevocationKind;

  /** The id of a sign-in, account or key, or a `jti` or `kid`. */
  @Column('text')
  subject: string;

  /** Only tokens that were issued for an earlier authentication are revoked. */
  @Column('timestamptz', { nullable: true })
  since: Date | null;

  /** The owner of the credential. Null if only administrators can cause such a row. */
  @Column('text', { nullable: true })
  account: string | null;

  /** The account has too many revocations: nodes keep one entry for all, and query the database for this account. */
  @Column('boolean', { default: false })
  merged: boolean;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
