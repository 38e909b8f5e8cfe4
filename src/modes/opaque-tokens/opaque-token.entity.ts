import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';

/** An opaque access token. The row has the data that a JWT carries itself. */
@Entity('access_tokens')
@Index('access_tokens_id_key', ['id'], { unique: true })
@Index('access_tokens_sign_in_id_idx', ['signInId'])
@Index('access_tokens_expires_at_idx', ['expiresAt'])
export class OpaqueToken {
  /** SHA-256 of the token, 32 bytes. */
  @PrimaryColumn('bytea', { name: 'token_hash', primaryKeyConstraintName: 'access_tokens_pkey' })
  tokenHash: Buffer;

  /** The id that a revocation names, like the `jti` of a JWT. */
  @Column('uuid')
  id: string;

  @Column('uuid', { name: 'sign_in_id' })
  signInId: string;

  @ManyToOne(() => SignIn, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sign_in_id', foreignKeyConstraintName: 'access_tokens_sign_in_id_fkey' })
  signIn: Relation<SignIn>;

  @Column('text', { array: true })
  scopes: string[];

  @Column('text')
  audience: string;

  @Column('text', { name: 'client_id' })
  clientId: string;

  /** The `auth_time` of the sign-in when the token was issued. The token ends when the sign-in gets a later one. */
  @Column('timestamptz', { name: 'auth_time' })
  authTime: Date;

  @Column('timestamptz', { name: 'issued_at' })
  issuedAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
}
