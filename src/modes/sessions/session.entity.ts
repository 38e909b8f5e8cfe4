import { Column, Entity, Index, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';

/** The cookie that carries a sign-in. */
@Entity('sessions')
@Index('sessions_secret_hash_key', ['secretHash'], { unique: true })
export class Session {
  @PrimaryColumn('uuid', { name: 'sign_in_id', primaryKeyConstraintName: 'sessions_pkey' })
  signInId: string;

  @OneToOne(() => SignIn, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sign_in_id', foreignKeyConstraintName: 'sessions_sign_in_id_fkey' })
  signIn: Relation<SignIn>;

  /** SHA-256 of the secret in the cookie, 32 bytes. A reauthentication replaces it. */
  @Column('bytea', { name: 'secret_hash' })
  secretHash: Buffer;
}
