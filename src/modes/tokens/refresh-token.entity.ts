import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { TokenGrant } from './token-grant.entity.js';

/** One refresh token of a family. It can be used once. Its use creates its successor. */
@Entity('refresh_tokens')
@Index('refresh_tokens_token_hash_key', ['tokenHash'], { unique: true })
@Index('refresh_tokens_unused_key', ['signInId'], { unique: true, where: 'used_at IS NULL' })
@Index('refresh_tokens_sign_in_id_idx', ['signInId'])
@Index('refresh_tokens_sealed_idx', ['usedAt'], { where: 'successor_sealed IS NOT NULL' })
export class RefreshToken {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'refresh_tokens_pkey' })
  id: string;

  @Column('uuid', { name: 'sign_in_id' })
  signInId: string;

  @ManyToOne(() => TokenGrant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sign_in_id', foreignKeyConstraintName: 'refresh_tokens_sign_in_id_fkey' })
  grant: Relation<TokenGrant>;

  /** SHA-256 of the token, 32 bytes. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash: Buffer;

  @Column('uuid', { name: 'predecessor_id', nullable: true })
  predecessorId: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;

  /** The successor, sealed under a key derived from this token. Null after the successor was used. */
  @Column('bytea', { name: 'successor_sealed', nullable: true })
  successorSealed: Buffer | null;
}
