import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Subject } from '../accounts/subjects/subject.entity.js';

@Entity('invoices')
@Index('invoices_owner_id_idx', ['ownerId', 'id'])
@Check('invoices_cents_positive', 'cents > 0')
export class Invoice {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'invoices_pkey' })
  id: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId: string;

  @ManyToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'invoices_owner_id_fkey' })
  owner: Relation<Subject>;

  @Column('text')
  customer: string;

  @Column('integer')
  cents: number;

  @Column('text')
  currency: string;

  /** A PDF. A query reads it only if it asks for it. */
  @Column('bytea', { nullable: true, select: false })
  document: Buffer | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'paid_at', nullable: true })
  paidAt: Date | null;
}
