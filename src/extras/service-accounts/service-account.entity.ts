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
import { Subject } from '../../accounts/users/subject.entity.js';
import { User } from '../../accounts/users/user.entity.js';

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

  /** Null where that person is gone. */
  @Column('uuid', { name: 'created_by', nullable: true })
  createdBy: string | null;

  @ManyToOne(() => User, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'created_by', foreignKeyConstraintName: 'service_accounts_created_by_fkey' })
  creator: Relation<User>;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
