import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

@Entity('orders')
@Index('orders_user_id_idx', ['userId', 'id'])
@Check('orders_quantity_positive', 'quantity > 0')
export class Order {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'orders_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'orders_user_id_fkey' })
  user: Relation<User>;

  @Column('text')
  item: string;

  @Column('integer')
  quantity: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
