import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

export type SubjectKind = 'user' | 'service-account';

/**
 * The owner of rows: a user or a service account with the same id. Delete the subject to delete a user with everything
 * that belongs to it.
 */
@Entity('subjects')
@Check('subjects_kind_known', `kind IN ('user', 'service-account')`)
export class Subject {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'subjects_pkey' })
  id: string;

  @Column('text')
  kind: SubjectKind;
}
