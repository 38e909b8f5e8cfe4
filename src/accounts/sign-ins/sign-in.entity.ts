import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

/** What carries sign-ins between requests. Each mode adds its own by declaration merging; the table checks its form only. */
export interface Carriers {}

export type CarrierName = keyof Carriers;

/**
 * One sign-in of a person, from the password to the sign-out. Its id never changes: it is what lists show, what `sid`
 * in a token names and what a revocation ends. Only the secrets of its carrier rotate.
 */
@Entity('sign_ins')
@Index('sign_ins_user_id_idx', ['userId', 'id'])
@Index('sign_ins_expires_at_idx', ['expiresAt'])
@Index('sign_ins_ended_at_idx', ['endedAt'], { where: 'ended_at IS NOT NULL' })
@Check('sign_ins_carrier_form', `carrier ~ '^[a-z][a-z-]*$'`)
@Check('sign_ins_end_has_reason', `(ended_at IS NULL) = (end_reason IS NULL)`)
export class SignIn {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sign_ins_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sign_ins_user_id_fkey' })
  user: Relation<User>;

  @Column('text')
  carrier: CarrierName;

  /** RFC 8176 names of how the person proved who they are. */
  @Column('text', { array: true })
  amr: string[];

  /** When the person last did. */
  @Column('timestamptz', { name: 'auth_time' })
  authTime: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt: Date;

  /** Unused until then, it is over. */
  @Column('timestamptz', { name: 'idle_expires_at' })
  idleExpiresAt: Date;

  /** However much it is used, it is over then. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('text', { nullable: true })
  ip: string | null;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent: string | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt: Date | null;

  @Column('text', { name: 'end_reason', nullable: true })
  endReason: string | null;
}
