import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

/** The names of carriers. Each mode adds its own by declaration merging. The table checks only the form of a name. */
export interface Carriers {}

export type CarrierName = keyof Carriers;

/**
 * One sign-in of a person, from the password to the sign-out. Lists, the `sid` of tokens and revocations use its id,
 * which never changes. Only the secrets of its carrier rotate.
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

  /** How the person proved their identity, in the names of RFC 8176. */
  @Column('text', { array: true })
  amr: string[];

  /** When the person last proved their identity. */
  @Column('timestamptz', { name: 'auth_time' })
  authTime: Date;

  /** When the person last used a second factor, or a passkey. A refresh renews neither time. */
  @Column('timestamptz', { name: 'second_factor_at', nullable: true })
  secondFactorAt: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt: Date;

  /** The sign-in expires at this time unless it is used earlier. */
  @Column('timestamptz', { name: 'idle_expires_at' })
  idleExpiresAt: Date;

  /** The sign-in expires at this time, also if it is used. */
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
