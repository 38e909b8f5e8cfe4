import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** What can be revoked. Each room adds its kinds by declaration merging; the table checks their form only. */
export interface RevocationKinds {
  /** What nodes remember of an account: a user, or a service account. */
  user: true;
}

export type RevocationKind = keyof RevocationKinds;

/** Those that a node looks for in memory. */
const remembered = new Set<string>(['user']);

/**
 * Declares kinds that a node looks for in memory: they are kept in the table, for nodes that start or missed something.
 * Other kinds are only announced, and make nodes read again what has a row of its own.
 */
export function rememberRevocations(...kinds: RevocationKind[]): void {
  for (const kind of kinds) remembered.add(kind);
}

export const isRemembered = (kind: string): boolean => remembered.has(kind);

export const rememberedKinds = (): string[] => [...remembered];

/** Written in the transaction that revokes, and kept for as long as something that was issued before can be alive. */
@Entity('revocations')
@Index('revocations_expires_at_idx', ['expiresAt'])
@Index('revocations_subject_idx', ['subject'])
@Index('revocations_account_idx', ['account'], { where: 'account IS NOT NULL AND NOT merged' })
@Check('revocations_kind_form', `kind ~ '^[a-z][a-z-]*$'`)
export class RevocationRow {
  // Never used as a position: numbers are given before the commit, so a smaller one may come to sight later.
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'revocations_pkey',
  })
  id: string;

  @Column('text')
  kind: RevocationKind;

  /** An id: of the sign-in, the account or the key; the `jti`; the `kid`. */
  @Column('text')
  subject: string;

  /** Of a renewal: what was issued for a proof of identity from before has ended. */
  @Column('timestamptz', { nullable: true })
  since: Date | null;

  /** The user or service account whose credential it is. Null where only administrators cause such a row. */
  @Column('text', { nullable: true })
  account: string | null;

  /** The account has so many that nodes hold one entry for all of it, and ask the database about it. */
  @Column('boolean', { default: false })
  merged: boolean;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
