import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

/** A one-time link that sets a new password. */
@Entity('password_resets')
@Index('password_resets_user_id_idx', ['userId'])
@Index('password_resets_expires_at_idx', ['expiresAt'])
export class PasswordReset {
  /** SHA-256 of the token, 32 bytes. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'password_resets_pkey' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'password_resets_user_id_fkey' })
  user: Relation<User>;

  /** SHA-256 of the password hash when the link was written. A new password ends the link. */
  @Column('bytea', { name: 'password_digest' })
  passwordDigest: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
