import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

/** A device or network from which a person has signed in. */
@Entity('known_sources')
@Index('known_sources_user_id_idx', ['userId'])
@Index('known_sources_expires_at_idx', ['expiresAt'])
@Check('known_sources_kind_known', `kind IN ('device', 'network')`)
export class KnownSource {
  /** SHA-256 of the device cookie, or of the client address (IPv4 address or IPv6 /64). */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'known_sources_pkey' })
  source: Buffer;

  @PrimaryColumn('uuid', { name: 'user_id', primaryKeyConstraintName: 'known_sources_pkey' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'known_sources_user_id_fkey' })
  user: Relation<User>;

  @Column('text')
  kind: 'device' | 'network';

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}
