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
import { User } from '../../accounts/users/user.entity.js';
import type { CarrierName } from '../../accounts/sign-ins/sign-in.entity.js';

const RECOVERY_CODES_PKEY = 'recovery_codes_pkey';

/** The authenticator app of a user (RFC 6238). */
@Entity('totp_factors')
@Check('totp_factors_active_has_step', `(activated_at IS NULL) = (last_step IS NULL)`)
export class TotpFactor {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'totp_factors_pkey' })
  userId: string;

  @OneToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'totp_factors_user_id_fkey' })
  user: Relation<User>;

  /** In base32, sealed with ENCRYPTION_SECRETS for this user. */
  @Column('bytea', { name: 'secret_sealed' })
  secretSealed: Buffer;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** Null until a first code has proved that the app has the secret. */
  @Column('timestamptz', { name: 'activated_at', nullable: true })
  activatedAt: Date | null;

  /** The time step of the last code. Codes of this step and earlier ones are refused (RFC 6238 5.2). */
  @Column('bigint', { name: 'last_step', nullable: true })
  lastStep: string | null;
}

/** A code that replaces a lost factor. It is deleted when it is used. */
@Entity('recovery_codes')
export class RecoveryCode {
  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: RECOVERY_CODES_PKEY })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'recovery_codes_user_id_fkey' })
  user: Relation<User>;

  /** SHA-256: a code has 120 random bits (ASVS 6.5.2). */
  @PrimaryColumn('bytea', { name: 'code_hash', primaryKeyConstraintName: RECOVERY_CODES_PKEY })
  codeHash: Buffer;
}

/** A sign-in with a right password that needs a second factor. */
@Entity('mfa_challenges')
@Index('mfa_challenges_user_id_idx', ['userId'])
@Index('mfa_challenges_expires_at_idx', ['expiresAt'])
@Check('mfa_challenges_attempts_bounded', `attempts BETWEEN 0 AND 5`)
export class MfaChallenge {
  /** SHA-256 of the `mfaToken`. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'mfa_challenges_pkey' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'mfa_challenges_user_id_fkey' })
  user: Relation<User>;

  /** The carrier that the person asked for. The route of the other carrier refuses the token. */
  @Column('text')
  carrier: CarrierName;

  /** The parameters of the first request. They apply to the second one too. */
  @Column('jsonb')
  parameters: unknown;

  /** SHA-256 of the password hash that was checked. A new password ends the challenge. */
  @Column('bytea', { name: 'password_digest' })
  passwordDigest: Buffer;

  @Column('text', { array: true })
  methods: string[];

  @Column('integer', { default: 0 })
  attempts: number;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
