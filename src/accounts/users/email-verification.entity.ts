import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Registration } from './registration.entity.js';
import { User } from './user.entity.js';

/**
 * A one-time link that proves that a person can read the mail of an address. It confirms the account, a later
 * registration, or a new password that is sent with the token.
 */
@Entity('email_verifications')
@Index('email_verifications_user_id_idx', ['userId'])
@Index('email_verifications_registration_id_idx', ['registrationId'])
@Index('email_verifications_expires_at_idx', ['expiresAt'])
@Check('email_verifications_one_password', 'NOT sets_password OR registration_id IS NULL')
export class EmailVerification {
  /** SHA-256 of the token, 32 bytes. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'email_verifications_pkey' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'email_verifications_user_id_fkey' })
  user: Relation<User>;

  /** Null for the registration that made the account. */
  @Column('uuid', { name: 'registration_id', nullable: true })
  registrationId: string | null;

  @ManyToOne(() => Registration, { onDelete: 'CASCADE' })
  @JoinColumn({
    name: 'registration_id',
    foreignKeyConstraintName: 'email_verifications_registration_id_fkey',
  })
  registration: Relation<Registration> | null;

  /** The request for this link proved no password, so the owner of the address must set a new one. */
  @Column('boolean', { name: 'sets_password', default: false })
  setsPassword: boolean;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  /** A used link is kept until it expires, so that a second click gets the answer `already-confirmed`. */
  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;
}
