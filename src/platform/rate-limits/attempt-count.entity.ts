import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The attempts of a subject for a limit. Only `attempts` and `counted_at` change, and neither is indexed (HOT updates). */
@Entity('attempt_counts')
@Index('attempt_counts_expires_at_idx', ['expiresAt'])
@Check('attempt_counts_attempts_not_negative', 'attempts >= 0')
export class AttemptCount {
  /** SHA-256 of the limit and the subject, so that the table has no addresses, and a fixed size for each row. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'attempt_counts_pkey' })
  subject: Buffer;

  @Column('integer')
  attempts: number;

  /** The time of the last attempt that was counted. Refused attempts are not. */
  @Column('timestamptz', { name: 'counted_at' })
  countedAt: Date;

  /** The end of the window. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
