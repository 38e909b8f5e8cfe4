import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * What is revoked: a sign-in, its secrets from before a renewal, what is remembered of a user, a service account or a
 * key, one token, one signing key.
 */
export const REVOCATION_KINDS = [
  'sign-in',
  'renewal',
  'user',
  'service-account',
  'api-key',
  'token',
  'signing-key',
] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** Written in the transaction that revokes, and kept for as long as something that was issued before can be alive. */
@Entity('revocations')
@Index('revocations_expires_at_idx', ['expiresAt'])
@Check(
  'revocations_kind_known',
  `kind IN ('sign-in', 'renewal', 'user', 'service-account', 'api-key', 'token', 'signing-key')`,
)
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

  /** An id: of the sign-in, the user or the key; the `jti`; the `kid`. */
  @Column('text')
  subject: string;

  /** Of a renewal: what was issued for a proof of identity from before is over. */
  @Column('timestamptz', { nullable: true })
  since: Date | null;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
