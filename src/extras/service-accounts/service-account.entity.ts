import {
  Check,
  Column,
  Entity,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { Subject } from '../../accounts/subjects/subject.entity.js';

export type ServiceAccountStatus = 'active' | 'disabled';

/** A service that has keys of its own. Nobody signs in as one, and it outlives whoever made it. */
@Entity('service_accounts')
@Check('service_accounts_status_known', `status IN ('active', 'disabled')`)
export class ServiceAccount {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'service_accounts_pkey' })
  id: string;

  @OneToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'id', foreignKeyConstraintName: 'service_accounts_id_fkey' })
  subject: Relation<Subject>;

  @Column('text')
  name: string;

  /** Its keys may introspect the tokens that are for this one of AUDIENCES. */
  @Column('text')
  audience: string;

  /** While it is disabled, its keys and their tokens are refused. */
  @Column('text', { default: 'active' })
  status: ServiceAccountStatus;

  /** The administrator. Null where that person is gone, and for an account that a command made. */
  @Column('uuid', { name: 'created_by', nullable: true })
  createdBy: string | null;

  @ManyToOne(() => Subject, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'created_by', foreignKeyConstraintName: 'service_accounts_created_by_fkey' })
  creator: Relation<Subject>;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
