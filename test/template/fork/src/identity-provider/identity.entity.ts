import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../accounts/users/user.entity.js';

/** A user as the identity provider knows them. Never by email address: the provider can give an address to another person. */
@Entity('identities')
@Index('identities_subject_key', ['subject'], { unique: true })
export class Identity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'identities_pkey' })
  id: string;

  /** The claim `sub` of the provider's tokens. */
  @Column('text')
  subject: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'identities_user_id_fkey' })
  user: Relation<User>;
}
