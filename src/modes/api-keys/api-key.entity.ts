import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import type { Scope } from '../../auth/scopes.js';
import { Subject } from '../../accounts/subjects/subject.entity.js';

/** An API key of a machine. The key is shown once, and only its hash is stored. */
@Entity('api_keys')
@Index('api_keys_key_hash_key', ['keyHash'], { unique: true })
@Index('api_keys_owner_id_idx', ['ownerId', 'id'])
@Index('api_keys_lineage_id_idx', ['lineageId'])
@Index('api_keys_revoked_at_idx', ['revokedAt'], { where: 'revoked_at IS NOT NULL' })
@Index('api_keys_expires_at_idx', ['expiresAt'], { where: 'revoked_at IS NULL AND expires_at IS NOT NULL' })
@Index('api_keys_rotated_to_key', ['rotatedTo'], { unique: true, where: 'rotated_to IS NOT NULL' })
@Check('api_keys_rate_limit_requests_positive', 'rate_limit_requests > 0')
@Check('api_keys_rate_limit_window_positive', 'rate_limit_window_seconds > 0')
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_keys_pkey' })
  id: string;

  /** A user or a service account. */
  @Column('uuid', { name: 'owner_id' })
  ownerId: string;

  @ManyToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'api_keys_owner_id_fkey' })
  owner: Relation<Subject>;

  @Column('text')
  name: string;

  /** The first characters of the key, by which its owner can recognise it. */
  @Column('text')
  prefix: string;

  @Column('text')
  last4: string;

  /** SHA-256 of the key, 32 bytes. */
  @Column('bytea', { name: 'key_hash' })
  keyHash: Buffer;

  @Column('text', { array: true })
  scopes: Scope[];

  /** Resources such as `orders/<id>`. Null: all that the scopes allow. */
  @Column('text', { array: true, nullable: true })
  resources: string[] | null;

  /** Null: all addresses are allowed. */
  @Column('cidr', { name: 'allowed_cidrs', array: true, nullable: true })
  allowedCidrs: string[] | null;

  @Column('integer', { name: 'rate_limit_requests', default: 600 })
  rateLimitRequests: number;

  @Column('integer', { name: 'rate_limit_window_seconds', default: 60 })
  rateLimitWindowSeconds: number;

  /** Each narrowing raises it. */
  @Column('integer', { default: 1 })
  revision: number;

  /** The id of the first key of the lineage. The keys of a lineage share one rate limit. */
  @Column('uuid', { name: 'lineage_id' })
  lineageId: string;

  @ManyToOne(() => ApiKey)
  @JoinColumn({ name: 'lineage_id', foreignKeyConstraintName: 'api_keys_lineage_id_fkey' })
  first: Relation<ApiKey>;

  /** The successor. A key has at most one successor and at most one predecessor. */
  @Column('uuid', { name: 'rotated_to', nullable: true })
  rotatedTo: string | null;

  // Not @OneToOne, because TypeORM would create a second unique index without our name.
  @ManyToOne(() => ApiKey, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'rotated_to', foreignKeyConstraintName: 'api_keys_rotated_to_fkey' })
  successor: Relation<ApiKey>;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  /** The network of the last client address (/24, or /48 for IPv6). */
  @Column('cidr', { name: 'last_network', nullable: true })
  lastNetwork: string | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
}
