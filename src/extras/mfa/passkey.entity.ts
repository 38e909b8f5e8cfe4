import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../../accounts/users/user.entity.js';

/** A WebAuthn credential of a user. */
@Entity('passkeys')
@Index('passkeys_credential_id_key', ['credentialId'], { unique: true })
@Index('passkeys_user_id_idx', ['userId'])
@Check('passkeys_backup_needs_sync', `synced OR NOT backed_up`)
export class Passkey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'passkeys_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'passkeys_user_id_fkey' })
  user: Relation<User>;

  /** The id that the authenticator chose, in base64url. */
  @Column('text', { name: 'credential_id' })
  credentialId: string;

  /** In COSE. */
  @Column('bytea', { name: 'public_key' })
  publicKey: Buffer;

  /** The number of signatures, if the authenticator counts them. A copy of the key would repeat numbers. */
  @Column('bigint')
  counter: string;

  /** The ways in which a browser reaches the authenticator. */
  @Column('text', { array: true })
  transports: string[];

  @Column('text')
  name: string;

  /** True if it can be on several devices (backup eligible). It never changes. */
  @Column('boolean')
  synced: boolean;

  @Column('boolean', { name: 'backed_up' })
  backedUp: boolean;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;
}

/** A challenge for an authenticator. It is deleted when it is used, so it works once. */
@Entity('passkey_challenges')
@Index('passkey_challenges_user_id_idx', ['userId'])
@Index('passkey_challenges_expires_at_idx', ['expiresAt'])
export class PasskeyChallenge {
  @PrimaryColumn('bytea', { name: 'challenge_hash', primaryKeyConstraintName: 'passkey_challenges_pkey' })
  challengeHash: Buffer;

  /** The user who registers a passkey. Null for a sign-in. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId: string | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'passkey_challenges_user_id_fkey' })
  user: Relation<User> | null;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
