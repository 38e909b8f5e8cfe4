import { Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Subject } from '../accounts/subjects/subject.entity.js';

@Entity('tenant_members')
export class TenantMember {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'tenant_members_pkey' })
  tenant: string;

  @PrimaryColumn('uuid', { name: 'subject_id', primaryKeyConstraintName: 'tenant_members_pkey' })
  subjectId: string;

  @ManyToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'subject_id', foreignKeyConstraintName: 'tenant_members_subject_id_fkey' })
  subject: Relation<Subject>;
}
