import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { SignIn } from '../sign-ins/sign-in.entity.js';
import { User } from '../users/user.entity.js';

/** A change of an account's address: requested, and confirmed once its link was used. */
@Entity('email_changes')
@Index('email_changes_user_id_idx', ['userId'])
@Index('email_changes_sign_in_id_idx', ['signInId'])
@Index('email_changes_requested_at_idx', ['requestedAt'])
@Check('email_changes_new_email_lower', 'new_email = lower(new_email)')
export class EmailChange {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'email_changes_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'email_changes_user_id_fkey' })
  user: Relation<User>;

  /** The sign-in that requested the change. If it ends, the change can no longer be confirmed. */
  @Column('uuid', { name: 'sign_in_id' })
  signInId: string;

  @ManyToOne(() => SignIn, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sign_in_id', foreignKeyConstraintName: 'email_changes_sign_in_id_fkey' })
  signIn: Relation<SignIn>;

  /** SHA-256 of the password hash at the request. After a new password, the change can no longer be confirmed. */
  @Column('bytea', { name: 'password_digest' })
  passwordDigest: Buffer;

  @Column('text', { name: 'old_email' })
  oldEmail: string;

  /** In lower case. */
  @Column('text', { name: 'new_email' })
  newEmail: string;

  @Column('timestamptz', { name: 'requested_at' })
  requestedAt: Date;

  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt: Date | null;
}

/** A one-time link to the new address, which confirms the change, or to the old one, which undoes it. */
@Entity('email_change_links')
@Index('email_change_links_email_change_id_idx', ['emailChangeId'])
@Check('email_change_links_purpose_known', `purpose IN ('confirm', 'undo')`)
export class EmailChangeLink {
  /** SHA-256 of the token, 32 bytes. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'email_change_links_pkey' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'email_change_id' })
  emailChangeId: string;

  @ManyToOne(() => EmailChange, { onDelete: 'CASCADE' })
  @JoinColumn({
    name: 'email_change_id',
    foreignKeyConstraintName: 'email_change_links_email_change_id_fkey',
  })
  change: Relation<EmailChange>;

  @Column('text')
  purpose: 'confirm' | 'undo';

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
