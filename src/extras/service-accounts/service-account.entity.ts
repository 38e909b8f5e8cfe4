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

/** A service with its own keys. Nobody can sign in as a service account. It stays when its creator is deleted. */
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

  /** One of AUDIENCES. Keys with the scope `tokens:introspect` see the access tokens for it. */
  @Column('text')
  audience: string;

  /** The keys of a disabled account and their tokens are refused. */
  @Column('text', { default: 'active' })
  status: ServiceAccountStatus;

  /** The administrator. Null if that account was deleted, or if a command created this one. */
  @Column('uuid', { name: 'created_by', nullable: true })
  createdBy: string | null;

  @ManyToOne(() => Subject, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'created_by', foreignKeyConstraintName: 'service_accounts_created_by_fkey' })
  creator: Relation<Subject>;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
