import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

export type SubjectKind = 'user' | 'service-account';

/**
 * Whom rows belong to: a user or a service account, which has the same id. To delete a user, delete the subject: all
 * that belongs to it goes with it.
 */
@Entity('subjects')
@Check('subjects_kind_known', `kind IN ('user', 'service-account')`)
export class Subject {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'subjects_pkey' })
  id: string;

  @Column('text')
  kind: SubjectKind;
}
