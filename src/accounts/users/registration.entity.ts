import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/**
 * A later registration of an unconfirmed address. The first registration creates the account. A later one does not
 * change the account until its own link is confirmed.
 */
@Entity('registrations')
@Index('registrations_user_id_idx', ['userId'])
@Index('registrations_created_at_idx', ['createdAt'])
export class Registration {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'registrations_pkey' })
  id: string;

  /** The account of the address. */
  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'registrations_user_id_fkey' })
  user: Relation<User>;

  @Column('text', { nullable: true })
  name: string | null;

  /** An encoded argon2id hash. */
  @Column('text', { name: 'password_hash' })
  passwordHash: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
