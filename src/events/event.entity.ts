import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

@Entity('events')
@Index('events_user_id_idx', ['userId', 'id'])
export class Event {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'events_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'events_user_id_fkey' })
  user: Relation<User>;

  /** The key that sent it. It names a key, and outlives it. */
  @Column('uuid', { name: 'api_key_id' })
  apiKeyId: string;

  @Column('text')
  type: string;

  @Column('jsonb', { nullable: true })
  data: object | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
