import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import { User } from '../../accounts/users/user.entity.js';
import type { Signal } from './assessment.js';

/** What was unusual about a sign-in or about its use. It is deleted with the record of the sign-in. */
@Entity('anomalies')
@Index('anomalies_sign_in_id_occasion_key', ['signInId', 'occasion'], { unique: true })
@Index('anomalies_user_id_idx', ['userId'])
@Check('anomalies_occasion_known', `occasion IN ('sign-in', 'use')`)
export class Anomaly {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'anomalies_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'anomalies_user_id_fkey' })
  user: Relation<User>;

  @Column('uuid', { name: 'sign_in_id' })
  signInId: string;

  @ManyToOne(() => SignIn, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sign_in_id', foreignKeyConstraintName: 'anomalies_sign_in_id_fkey' })
  signIn: Relation<SignIn>;

  @Column('text')
  occasion: 'sign-in' | 'use';

  @Column('text', { array: true })
  signals: Signal[];

  @Column('integer')
  score: number;

  @Column('timestamptz', { name: 'detected_at' })
  detectedAt: Date;

  @Column('text', { nullable: true })
  ip: string | null;

  /** Such as "Firefox on Linux". */
  @Column('text', { nullable: true })
  device: string | null;
}

/** A one-time link that ends the sign-in. A mail that is sent again has a further link. */
@Entity('anomaly_links')
@Index('anomaly_links_anomaly_id_idx', ['anomalyId'])
export class AnomalyLink {
  /** SHA-256 of the token, 32 bytes. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'anomaly_links_pkey' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'anomaly_id' })
  anomalyId: string;

  @ManyToOne(() => Anomaly, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'anomaly_id', foreignKeyConstraintName: 'anomaly_links_anomaly_id_fkey' })
  anomaly: Relation<Anomaly>;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

/** Refused sign-ins of a person since the last success. */
@Entity('sign_in_failures')
@Index('sign_in_failures_last_at_idx', ['lastAt'])
@Check('sign_in_failures_positive', `failures > 0`)
export class SignInFailures {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'sign_in_failures_pkey' })
  userId: string;

  @OneToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sign_in_failures_user_id_fkey' })
  user: Relation<User>;

  @Column('integer')
  failures: number;

  @Column('timestamptz', { name: 'last_at' })
  lastAt: Date;
}

/** The last code that was mailed to a person, to verify a sign-in. */
@Entity('sign_in_codes')
@Index('sign_in_codes_expires_at_idx', ['expiresAt'])
export class SignInCode {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'sign_in_codes_pkey' })
  userId: string;

  @OneToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sign_in_codes_user_id_fkey' })
  user: Relation<User>;

  /** Sealed with ENCRYPTION_SECRETS for this user: a hash of eight digits could be reversed. */
  @Column('bytea', { name: 'code_sealed' })
  codeSealed: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
