import { Check, Column, Entity, Index, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Subject } from '../subjects/subject.entity.js';

export type UserStatus = 'active' | 'disabled';

/** A person who can sign in. */
@Entity('users')
@Index('users_email_key', ['email'], { unique: true })
@Index('users_unused_since_idx', ['unusedSince'], { where: 'unused_since IS NOT NULL' })
@Check('users_email_lower', `email = lower(email)`)
@Check('users_status_known', `status IN ('active', 'disabled')`)
export class User {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'users_pkey' })
  id: string;

  @OneToOne(() => Subject, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'id', foreignKeyConstraintName: 'users_id_fkey' })
  subject: Relation<Subject>;

  /** In lower case, so that each address has one account. */
  @Column('text')
  email: string;

  @Column('text', { nullable: true })
  name: string | null;

  /** An encoded argon2id hash, or another format that a room accepts. */
  @Column('text', { name: 'password_hash' })
  passwordHash: string;

  @Column('text', { array: true, default: () => `'{}'` })
  roles: string[];

  @Column('text', { default: 'active' })
  status: UserStatus;

  @Column('timestamptz', { name: 'email_verified_at', nullable: true })
  emailVerifiedAt: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** The time of registration. Null after the address was confirmed, a person signed in, or a key was created. */
  @Column('timestamptz', { name: 'unused_since', nullable: true })
  unusedSince: Date | null;
}
