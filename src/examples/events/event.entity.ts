import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Subject } from '../../accounts/subjects/subject.entity.js';

@Entity('events')
@Index('events_owner_id_idx', ['ownerId', 'id'])
export class Event {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'events_pkey' })
  id: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId: string;

  @ManyToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'events_owner_id_fkey' })
  owner: Relation<Subject>;

  /** The id of the key that sent the event. No foreign key, because events are kept when a key is deleted. */
  @Column('uuid', { name: 'api_key_id' })
  apiKeyId: string;

  @Column('text')
  type: string;

  @Column('jsonb', { nullable: true })
  data: object | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
