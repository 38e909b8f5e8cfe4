import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Subject } from '../../../src/accounts/subjects/subject.entity.js';

/** Something that belongs to somebody: what the tests of every room read, write and protect. */
@Entity('probes')
@Check('probes_note_not_empty', `note <> ''`)
@Index('probes_owner_id_idx', ['ownerId', 'id'])
export class Probe {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'probes_pkey' })
  id: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId: string;

  @ManyToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'probes_owner_id_fkey' })
  owner: Relation<Subject>;

  @Column('text')
  note: string;
}

/** No migration: the table exists in the databases of tests only. */
export const PROBES = `
  CREATE TABLE probes (
    id uuid CONSTRAINT probes_pkey PRIMARY KEY,
    owner_id uuid NOT NULL CONSTRAINT probes_owner_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
    note text NOT NULL CONSTRAINT probes_note_not_empty CHECK (note <> '')
  );
  CREATE INDEX probes_owner_id_idx ON probes (owner_id, id)`;
