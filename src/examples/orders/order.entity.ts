import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Subject } from '../../accounts/subjects/subject.entity.js';

@Entity('orders')
@Index('orders_owner_id_idx', ['ownerId', 'id'])
@Check('orders_quantity_positive', 'quantity > 0')
export class Order {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'orders_pkey' })
  id: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId: string;

  @ManyToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'orders_owner_id_fkey' })
  owner: Relation<Subject>;

  @Column('text')
  item: string;

  @Column('integer')
  quantity: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
