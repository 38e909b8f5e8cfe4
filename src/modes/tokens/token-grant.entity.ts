import { Check, Column, Entity, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import type { TokenFormat } from './token-formats.js';

export type RefreshDelivery = 'body' | 'cookie';

/** The `client_id` of tokens from a sign-in by password. */
export const FIRST_PARTY = 'first-party';

/** The grant of the token pair that carries a sign-in. All its refresh tokens are one family. */
@Entity('token_grants')
@Check('token_grants_refresh_in_known', `refresh_in IN ('body', 'cookie')`)
export class TokenGrant {
  @PrimaryColumn('uuid', { name: 'sign_in_id', primaryKeyConstraintName: 'token_grants_pkey' })
  signInId: string;

  @OneToOne(() => SignIn, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sign_in_id', foreignKeyConstraintName: 'token_grants_sign_in_id_fkey' })
  signIn: Relation<SignIn>;

  @Column('text', { name: 'client_id' })
  clientId: string;

  @Column('text', { array: true })
  scopes: string[];

  @Column('text')
  audience: string;

  @Column('text', { name: 'refresh_in' })
  refreshIn: RefreshDelivery;

  /** The format of all access tokens of the sign-in. */
  @Column('text')
  format: TokenFormat;
}

export type Grant = Pick<TokenGrant, 'clientId' | 'scopes' | 'audience' | 'refreshIn' | 'format'>;
