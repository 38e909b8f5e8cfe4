import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/** A one-time token that proves that a person reads the mail of an address. One for each user: the last that was sent. */
@Entity('email_verifications')
@Index('email_verifications_user_id_key', ['userId'], { unique: true })
export class EmailVerification {
  /** SHA-256 of the token, 32 bytes. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'email_verifications_pkey' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'email_verifications_user_id_fkey' })
  user: Relation<User>;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
